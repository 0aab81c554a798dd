// A file's row in the list: what waits, what is under way, and the results of this tab.

import { classOf, element, fixed, SHAPES, stateOf } from "./dom.js";

const SHORT = { FAKE: "strong sign", UNCERTAIN: "uncertain", REAL: "little sign", "NO FACE": "no face" };
const STATUS = { waiting: "waiting", working: "being analysed" };

/** { node, update(current) }: one node for the item's life, so that nobody who is in it loses the place. */
export function row(item, { show, compare, remove }) {
  const state = element("span");
  const open = element(
    "button",
    { type: "button", class: "open", click: show },
    element("span", { class: "name" }, item.name),
    state,
  );
  const tick = element("input", {
    type: "checkbox",
    "aria-label": `Compare ${item.name}`,
    change: () => compare(tick.checked),
  });
  const beside = element("label", { class: "compare" }, tick, " compare");
  const end = element(
    "button",
    { type: "button", class: "quiet", click: () => (item.status === "working" ? item.stop?.() : remove()) },
    "✕",
  );
  const node = element("li", {}, preview(item), open, element("span", { class: "ends" }, beside, end));

  function update(current) {
    const verdict = item.result ? stateOf(item.result) : null;
    node.classList.toggle("current", current);
    if (current) open.setAttribute("aria-current", "true");
    else open.removeAttribute("aria-current");
    state.className = `state ${verdict ? classOf(verdict) : item.status}`;
    state.textContent = verdict
      ? said(verdict, item.result.confidence)
      : item.pause
        ? `trying again in ${item.pause} s`
        : (STATUS[item.status] ?? item.problem.title);
    beside.classList.toggle("later", !verdict); // its room is kept, so that nothing below moves when it comes
    tick.checked = Boolean(item.compare);
    const seen = item.result?.frames[0].thumbnail;
    if (seen) node.querySelector("span.preview")?.replaceWith(element("img", { class: "preview", alt: "", src: seen }));
    end.setAttribute("aria-label", `${item.status === "working" ? "Cancel" : "Remove"} ${item.name}`);
  }

  return { node, update };
}

const said = (verdict, confidence) =>
  `${SHAPES[verdict]} ${confidence === null ? "" : fixed(confidence)} ${SHORT[verdict]}`;

/** The file as the browser shows it; a grey square where it can't, until the server has sent a frame. */
function preview({ file, address }) {
  const still = file.type.startsWith("image/");
  const node = element(still ? "img" : "video", {
    class: "preview",
    alt: still ? "" : null,
    "aria-hidden": "true",
    src: address,
    preload: "metadata",
    tabindex: -1,
  });
  node.addEventListener("error", () => node.replaceWith(element("span", { class: "preview" })));
  return node;
}
