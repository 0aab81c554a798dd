// The list of files: what waits, what is under way, and the results of this tab.

import { element, fixed, SHAPES, classOf, stateOf } from "./dom.js";

const SHORT = { FAKE: "strong sign", UNCERTAIN: "uncertain", REAL: "little sign" };
const STATUS = { waiting: "waiting", working: "being analysed" };

export function listed(item, { current, show, compare, remove }) {
  const done = item.status === "done";
  const state = done ? stateOf(item.result) : null;
  const said = done ? `${SHAPES[state]} ${state === "NO FACE" ? "no face" : `${fixed(item.result.confidence)} ${SHORT[state]}`}` : STATUS[item.status] ?? item.problem.title;
  item.preview ??= preview(item.file);
  return element("li", { class: current ? "current" : "" },
    item.preview,
    element("button", { type: "button", class: "open", "aria-current": current ? "true" : null, disabled: item.status === "waiting", click: show },
      element("span", { class: "name" }, item.name), element("span", { class: `state ${state ? classOf(state) : item.status}` }, said)),
    done && element("label", { class: "compare" },
      element("input", { type: "checkbox", checked: Boolean(item.compare), change: ({ target }) => compare(target.checked) }), " compare"),
    item.status === "working"
      ? !current && element("button", { type: "button", class: "quiet", "aria-label": `Cancel ${item.name}`, click: item.stop }, "✕")
      : element("button", { type: "button", class: "quiet", "aria-label": `Remove ${item.name}`, click: remove }, "✕"));
}

/** The file as the browser shows it; a grey square where it can't. Kept for the life of the item. */
function preview(file) {
  const address = URL.createObjectURL(file);
  const still = file.type.startsWith("image/");
  const node = element(still ? "img" : "video", { class: "preview", alt: still ? "" : null, "aria-hidden": "true", src: address, muted: !still, preload: "metadata", tabindex: -1 });
  node.addEventListener("error", () => {
    URL.revokeObjectURL(address);
    node.replaceWith(element("span", { class: "preview" }));
  });
  return node;
}
