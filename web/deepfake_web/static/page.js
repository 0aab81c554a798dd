// The upload page: files come in, one after the other is analysed, what was found stays in this tab.
// Without this script the form posts, and is answered with the report.

import { analyse } from "./analysis.js";
import { element, find, size, stateOf } from "./dom.js";
import { compared } from "./compare.js";
import { finding } from "./finding.js";
import { intake } from "./intake.js";
import { listed } from "./files.js";
import { working } from "./working.js";

const GONE = { title: "The detector does not answer", detail: "This page is here, and what answers it is not. Check that it is running, then load the page again." };
const words = await fetch("/config").then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
const items = []; // { name, file, status: waiting | working | done | failed, result, problem, compare, stop }
let shown = null;

if (words) intake(add);
else find("shown").replaceChildren(problemSection("", GONE));

function add(files) {
  const most = words.limits.max_bytes;
  const added = files.map((file) => {
    const tooLarge = file.size > most && { title: "Too large", detail: `${file.name} has ${size(file.size)}; the most is ${size(most)}. Send a shorter piece of it.` };
    return { name: file.name || "pasted picture", file, status: tooLarge ? "failed" : "waiting", problem: tooLarge || null };
  });
  items.push(...added);
  if (!items.some((item) => item.status === "working")) [shown] = added;
  draw();
  next();
}

async function next() {
  const item = items.find((each) => each.status === "waiting");
  if (!item || items.some((each) => each.status === "working")) return;
  item.status = "working";
  const view = working(item.name, say, () => item.stop());
  const { finished, stop } = analyse(item.file, view);
  Object.assign(item, { view, stop });
  // Whoever reads the result of a file before this one goes on reading.
  if (!shown || shown === item) show(item);
  else draw();
  try {
    item.result = await finished;
    item.status = "done";
  } catch (problem) {
    Object.assign(item, { status: "failed", problem });
  }
  delete item.view;
  say(`${item.name}: ${item.result ? words.states[stateOf(item.result)].title : item.problem.title}.`);
  if (shown === item) show(item, true);
  else draw();
  next();
}

function show(item, withFocus = false) {
  shown = item;
  draw();
  if (withFocus) find("shown").querySelector("h2")?.focus();
}

function draw() {
  find("files").hidden = !items.length;
  const redraw = (change) => { change(); draw(); };
  find("list").replaceChildren(...items.map((item) => listed(item, {
    current: item === shown,
    show: () => show(item, true),
    compare: (on) => redraw(() => { item.compare = on; }),
    remove: () => redraw(() => {
      items.splice(items.indexOf(item), 1);
      if (shown === item) shown = null;
    }),
  })));
  const pair = items.filter((item) => item.compare && item.result);
  const view = pair.length > 1 ? compared(pair, words) : shown && page(shown);
  // Drawn again only when it is another, so that a reader's place in it is kept.
  const now = find("shown");
  if (view && now.firstChild !== view) now.replaceChildren(view);
  if (!view) now.replaceChildren();
}

function page(item) {
  if (item.view) return item.view.node;
  item.page ??= item.result ? finding(item, words) : item.problem ? refused(item) : null;
  return item.page;
}

function refused(item) {
  const again = () => {
    Object.assign(item, { status: "waiting", problem: null, page: null });
    draw();
    next();
  };
  return problemSection(item.name, item.problem, element("button", { type: "button", click: again }, "Try again"));
}

function problemSection(name, { title, detail, retryAfter }, ...more) {
  return element("section", { class: "problem", role: "alert" },
    name && element("p", { class: "file-name" }, name),
    element("h2", { tabindex: -1 }, title), element("p", {}, detail),
    retryAfter && element("p", {}, `The detector suggests to try again in ${retryAfter} s.`), more);
}

function say(text) {
  find("say").textContent = text;
}
