// The frames of a clip as buttons, the one with the highest likelihood first.

import { clock, element, fixed } from "./dom.js";
import { framePicture } from "./frame.js";

const MOST_SHOWN = 8; // the rest on demand

/** { node, show(index) }; `ranked` are the frames' indexes in order, `pick(index)` is called with the chosen one. */
export function ranking(result, ranked, pick) {
  const buttons = new Map(ranked.map((index) => [index, frameButton(result, index, pick)]));
  const place = (index) => element("li", {}, buttons.get(index));
  const list = element("ol", { class: "frames" }, ranked.slice(0, MOST_SHOWN).map(place));
  const rest = ranked.slice(MOST_SHOWN);
  const click = ({ target }) => {
    list.append(...rest.map(place));
    target.remove();
    buttons.get(rest[0]).focus();
  };
  const more = element("button", { type: "button", class: "quiet", click }, `Show all ${ranked.length} frames`);
  const show = (current) => {
    for (const [index, button] of buttons) button.setAttribute("aria-pressed", index === current);
  };
  return { node: element("div", {}, list, rest.length > 0 && more), show };
}

function frameButton({ frames, media, threshold }, index, pick) {
  const frame = frames[index];
  const what = frame.confidence === null ? "no face" : fixed(frame.confidence);
  return element(
    "button",
    { type: "button", class: "frame", click: () => pick(index) },
    framePicture(frame, media, threshold, { "aria-hidden": "true" }),
    element("span", {}, `${clock(frame.time_s)} · ${what}`),
  );
}
