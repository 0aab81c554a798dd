// The upload page: files come in, one after the other is analysed, what was found stays in this tab.

import { element, find, plain, size, stateOf } from "./dom.js";
import { row } from "./files.js";
import { askBeforeLeaving } from "./leaving.js";
import { changeAbove, exchange } from "./place.js";
import { queue } from "./queue.js";
import { outcome, refusal } from "./trouble.js";

const TORN = {
  title: "The result can't be shown",
  detail:
    "Part of this page did not load. Check your connection and that the detector is running, then reload the page.",
};
const words = JSON.parse(find("config").textContent); // limits, and the words for people
// { name, file, address, row, status: waiting | working | done | failed, pause, view, stop, result, report,
// saved, problem, page }
const items = [];
let shown = null; // the item whose page is seen
let pair = null; // or the results that are seen side by side: { items, view }
let finding, compared; // fetched while the first file is on its way
const results = Promise.all([import("./finding.js"), import("./compare.js")]).then(
  (parts) => ([{ finding }, { compared }] = parts),
  () => Promise.reject(TORN),
);
const next = queue(items, { say, begun: begin, changed: draw, ready: results, ended: end });
askBeforeLeaving(items);

export function add(files) {
  if (!files.length) return;
  const most = words.limits.max_bytes;
  const added = files.map((file) => {
    const name = plain(file.name) || "pasted picture";
    const problem =
      file.size > most
        ? {
            title: "Too large",
            detail: `${name} is larger than ${size(most)}, the limit. Send a shorter piece of it.`,
          }
        : null;
    return listed({ name, file, problem, status: problem ? "failed" : "waiting" });
  });
  if (!items.some((item) => item.status === "working")) show(added[0]);
  draw();
  next();
}

/** Tells what could not be loaded: { name, title, detail }. */
export function fail({ name, ...problem }) {
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
  item.row.node.remove();
  URL.revokeObjectURL(item.address);
  const near = items[place] ?? items[place - 1];
  if (shown === item) shown = items.find((each) => each.status === "working") ?? near ?? null;
  draw();
  (near?.row.node.querySelector("button") ?? find("file")).focus();
}

function compare(item, on) {
  item.compare = on;
  const chosen = items.filter((each) => each.compare);
  pair = chosen.length > 1 ? { items: chosen, view: compared(chosen, words) } : null;
  draw();
}

/** Whoever is reading the result of an earlier file goes on reading. */
function begin(item) {
  shown ??= item;
  draw();
}

function end(item) {
  item.page = null; // what stood there while it waited
  say(`${item.name}: ${item.result ? words.states[stateOf(item.result)].title : item.problem.title}.`);
  draw();
}

function again(chosen) {
  for (const item of chosen) Object.assign(item, { status: "waiting", problem: null, page: null });
  next();
  show(chosen[0], true);
}

function show(item, withFocus = false) {
  shown = item;
  pair = null;
  for (const each of items) each.compare = false;
  draw();
  if (withFocus) find("shown").querySelector("h2")?.focus();
}

function draw() {
  const now = find("shown");
  changeAbove(now, () => {
    find("files").hidden = !items.length;
    for (const item of items) item.row.update(item === shown && !pair);
    find("outcome").replaceChildren(...outcome(items, again));
  });
  const view = pair ? pair.view : shown && page(shown);
  // Drawn again only when it is another, so that a reader's place in it is kept.
  if (now.firstChild !== (view || null)) exchange(now, view);
}

function page(item) {
  if (item.view) return item.view.node;
  item.page ??= item.result
    ? finding(item, words)
    : item.problem
      ? refusal(item.name, item.problem, () => again([item]))
      : inLine(item);
  return item.page;
}

const inLine = (item) => element("p", { role: "status" }, `${item.name} is waiting for its turn.`);

function say(text) {
  find("say").textContent = text;
}
