// The drawings of the timeline, in units that are stretched to the room there is.

import { drawing, element, fixed } from "./dom.js";

export const WIDTH = 1000;
const HEIGHT = 100;

/** One face through the clip: its portrait, and its likelihood against time. `across(frame)` is from 0 to WIDTH. */
export function lane({ frames, threshold, media }, track, across) {
  const seen = frames
    .map((frame) => [frame, frame.faces.find((face) => face.track === track.id)])
    .filter(([, face]) => face);
  const points = seen.map(([frame, face]) => [
    across(frame),
    HEIGHT * (1 - face.confidence),
    face.confidence >= threshold,
  ]);
  const plot = drawing(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    drawing("rect", { class: "above", width: WIDTH, height: HEIGHT * (1 - threshold) }),
    drawing("line", { class: "threshold", x2: WIDTH, y1: HEIGHT * (1 - threshold), y2: HEIGHT * (1 - threshold) }),
    drawing("polyline", { points: points.map(([x, y]) => `${x},${y}`).join(" ") }),
    // Lines without length: their round caps stay round when the drawing is stretched.
    points.map(([x, y, fake]) =>
      drawing("line", { class: fake ? "dot fake" : "dot real", x1: x, x2: x, y1: y, y2: y }),
    ),
  );
  const [frame, face] = seen.reduce((best, each) => (each[1].confidence > best[1].confidence ? each : best));
  return element(
    "div",
    { class: "lane" },
    element(
      "span",
      { class: "who" },
      portrait(frame, face, media),
      element("span", {}, track.id === null ? "Frame" : `Face ${track.id}`),
      element("b", {}, fixed(track.confidence)),
    ),
    element("div", { class: "plot" }, plot),
  );
}

/** The face alone: a window onto the frame's thumbnail. */
function portrait(frame, face, { width, height }) {
  const [x, y, w, h] = face.box;
  const side = Math.max(w, h);
  return drawing(
    "svg",
    {
      class: "portrait",
      viewBox: `${x + (w - side) / 2} ${y + (h - side) / 2} ${side} ${side}`,
      "aria-hidden": "true",
    },
    frame.thumbnail && drawing("image", { href: frame.thumbnail, width, height, preserveAspectRatio: "none" }),
  );
}

/** A strip of colour a frame: which ones reach the threshold, at a glance. */
export function band(frames, threshold, across) {
  const edges = frames.map((frame, at) => (at ? (across(frames[at - 1]) + across(frame)) / 2 : 0));
  return drawing(
    "svg",
    { viewBox: `0 0 ${WIDTH} 10`, preserveAspectRatio: "none", "aria-hidden": "true" },
    frames.map(({ confidence }, at) =>
      drawing("rect", {
        class: confidence === null ? "none" : confidence >= threshold ? "fake" : "real",
        x: edges[at],
        width: (edges[at + 1] ?? WIDTH) - edges[at],
        height: 10,
        "fill-opacity": confidence === null ? 1 : 0.25 + 0.75 * Math.min(1, Math.abs(confidence - threshold) / 0.4),
      }),
    ),
  );
}
