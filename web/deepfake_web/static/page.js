// The upload page: files come in, one after the other is analysed, what was found stays in this tab.
// Without this script the form posts, and is answered with the report.

import { analyse } from "./analysis.js";
import { element, find, plain, size, stateOf } from "./dom.js";
import { compared } from "./compare.js";
import { finding } from "./finding.js";
import { intake } from "./intake.js";
import { row } from "./files.js";
import { working } from "./working.js";

const GONE = { title: "The detector does not answer", detail: "This page is here, and what answers it is not. Check that it is running, then load the page again." };
const words = await fetch("/config").then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
const items = []; // { name, file, address, row, status: waiting | working | done | failed, result, problem, stop }
let shown = null; // the item whose page is seen
let halted = false; // by the failure of the detector itself: what waits is not sent until somebody asks for it
let pair = null; // or the results that are seen side by side: { items, view }

if (words) intake(add, fail);
else find("shown").replaceChildren(problemSection("", GONE));

function add(files) {
  if (!files.length) return;
  const most = words.limits.max_bytes;
  const added = files.map((file) => {
    const name = plain(file.name) || "pasted picture";
    const problem = file.size > most ? { title: "Too large", detail: `${name} is larger than ${size(most)}, which is the most. Send a shorter piece of it.` } : null;
    return listed({ name, file, problem, status: problem ? "failed" : "waiting" });
  });
  if (!items.some((item) => item.status === "working")) show(added[0]);
  halted = false;
  draw();
  next();
}

function fail({ name, ...problem }) {
  show(listed({ name, file: new File([], name), problem, status: "failed" }));
}

/** Puts the item into the list, for good until it is removed. */
function listed(item) {
  item.address = URL.createObjectURL(item.file);
  item.row = row(item, {
    show: () => show(item, true),
    compare: (on) => compare(item, on),
    remove: () => remove(item),
  });
  items.push(item);
  find("list").append(item.row.node);
  return item;
}

function remove(item) {
  if (pair?.items.includes(item)) compare(item, false);
  const place = items.indexOf(item);
  items.splice(place, 1);
  if (item.problem?.halts) halted = false;
  item.row.node.remove();
  URL.revokeObjectURL(item.address);
  const near = items[place] ?? items[place - 1];
  if (shown === item) shown = items.find((each) => each.status === "working") ?? near ?? null;
  draw();
  (near?.row.node.querySelector("button") ?? find("file")).focus();
  next();
}

function compare(item, on) {
  item.compare = on;
  const chosen = items.filter((each) => each.compare);
  pair = chosen.length > 1 ? { items: chosen, view: compared(chosen, words) } : null;
  draw();
}

async function next() {
  const item = items.find((each) => each.status === "waiting");
  if (!item || halted || items.some((each) => each.status === "working")) return;
  item.status = "working";
  item.view = working(item.name, say, () => item.stop?.());
  // Whoever reads the result of a file before this one goes on reading.
  if (!shown) show(item);
  else draw();
  try {
    const { finished, stop } = analyse(item.file, item.view);
    item.stop = stop;
    item.result = await finished;
    item.status = "done";
  } catch (problem) {
    Object.assign(item, { status: "failed", problem });
    halted = Boolean(problem.halts);
  }
  // They hold the whole answer as text.
  delete item.view;
  delete item.stop;
  say(`${item.name}: ${item.result ? words.states[stateOf(item.result)].title : item.problem.title}.`);
  if (shown === item && !pair) show(item, true);
  else draw();
  next();
}

function show(item, withFocus = false) {
  shown = item;
  pair = null;
  for (const each of items) each.compare = false;
  draw();
  if (withFocus) find("shown").querySelector("h2")?.focus();
}

function draw() {
  find("files").hidden = !items.length;
  for (const item of items) item.row.update(item === shown && !pair);
  const view = pair ? pair.view : shown && page(shown);
  const now = find("shown");
  // Drawn again only when it is another, so that a reader's place in it is kept.
  if (view && now.firstChild !== view) now.replaceChildren(view);
  if (!view) now.replaceChildren();
}

function page(item) {
  if (item.view) return item.view.node;
  if (item.status === "waiting") return element("p", { role: "status" }, `${item.name} waits for its turn.`);
  item.page ??= item.result ? finding(item, words) : refused(item);
  return item.page;
}

function refused(item) {
  const again = () => {
    Object.assign(item, { status: "waiting", problem: null, page: null });
    halted = false;
    next();
    show(item, true);
  };
  return problemSection(item.name, item.problem, item.problem.again && element("button", { type: "button", click: again }, "Try again"));
}

function problemSection(name, { title, detail, retryAfter, halts }, ...more) {
  return element("section", { class: "problem", role: "alert" },
    name && element("p", { class: "file-name" }, name),
    element("h2", { tabindex: -1 }, title), element("p", {}, detail),
    retryAfter && element("p", {}, `The detector suggests to try again in ${retryAfter} s.`),
    halts && name && items.some((item) => item.status === "waiting") && element("p", {}, "The other files wait until then."), more);
}

function say(text) {
  find("say").textContent = text;
}
