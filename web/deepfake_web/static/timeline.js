// When: the likelihood of each frame along the clip, one lane a face, moved through by pointer, touch and keys.

import { clock, element, fixed } from "./dom.js";
import { band, lane, WIDTH } from "./lanes.js";

const MOST_LANES = 6; // the highest; the others on demand

/** { node, show(index) } for a clip's result; `pick(index)` is called when the reader chooses a frame. */
export function timeline(result, pick) {
  const { frames, threshold } = result;
  const span = Math.max(result.media.duration_s ?? 0, frames.at(-1).time_s) || 1; // as in the report
  const across = (frame) => (WIDTH * frame.time_s) / span;
  const cursor = element("div", { class: "cursor" });
  const tracks = followed(result).toSorted((a, b) => b.confidence - a.confidence);
  const lanes = element(
    "div",
    {},
    tracks.slice(0, MOST_LANES).map((track) => lane(result, track, across)),
  );
  const more =
    tracks.length > MOST_LANES &&
    element(
      "button",
      {
        type: "button",
        class: "quiet",
        click: () => {
          lanes.append(...tracks.slice(MOST_LANES).map((track) => lane(result, track, across)));
          more.remove();
          slider.focus();
        },
      },
      `Show all ${tracks.length} faces`,
    );
  const slider = element(
    "div",
    {
      class: "plot",
      role: "slider",
      tabindex: 0,
      "aria-label": "Frame of the clip",
      "aria-valuemin": 1,
      "aria-valuemax": frames.length,
      keydown: key,
    },
    band(frames, threshold, across),
    cursor,
  );
  const board = element(
    "div",
    { class: "board", pointermove: hover, click: tap },
    lanes,
    element("div", { class: "lane band" }, element("span"), slider),
  );
  const node = element(
    "div",
    { class: "timeline" },
    board,
    element(
      "p",
      { class: "axis", "aria-hidden": "true" },
      element("span", {}, clock(0)),
      element("span", {}, clock(span)),
    ),
    more,
    element(
      "p",
      { class: "small" },
      `The dashed line is the threshold, ${fixed(threshold)}. `,
      element("span", { class: "on-screen" }, "Move with the pointer, a finger or the arrow keys."),
    ),
  );
  let current = 0;

  function nearest(event) {
    const { left, width } = cursor.parentElement.getBoundingClientRect();
    const at = (WIDTH * (event.clientX - left)) / width;
    const distances = frames.map((frame) => Math.abs(across(frame) - at));
    return distances.indexOf(Math.min(...distances));
  }

  function hover(event) {
    if (event.pointerType === "mouse" || event.buttons) choose(nearest(event));
  }

  function tap(event) {
    choose(nearest(event));
  }

  function key(event) {
    const last = frames.length - 1;
    const to = {
      ArrowLeft: current - 1,
      ArrowDown: current - 1,
      ArrowRight: current + 1,
      ArrowUp: current + 1,
      Home: 0,
      End: last,
      PageDown: current - 5,
      PageUp: current + 5,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(last, to)));
  }

  function choose(index) {
    if (index !== current) pick(index);
  }

  function show(index) {
    current = index;
    const frame = frames[index];
    cursor.style.left = `${(100 * across(frame)) / WIDTH}%`;
    slider.setAttribute("aria-valuenow", index + 1);
    slider.setAttribute(
      "aria-valuetext",
      `${clock(frame.time_s)}: ${frame.confidence === null ? "no face" : fixed(frame.confidence)}`,
    );
  }

  return { node, show };
}

/** The faces that were followed; where whole frames are analysed, the frame stands for one. */
function followed({ tracks, frames, confidence }) {
  if (tracks.length || !frames.some((frame) => frame.faces.length)) return tracks;
  return [{ id: null, confidence }];
}
