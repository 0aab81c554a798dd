// A frame with its faces, small or large.

import { drawing } from "./dom.js";

/** A frame's thumbnail with boxes, in the coordinates of the media; coloured where a threshold is given. */
export function framePicture(frame, { width, height }, threshold, attributes) {
  return drawing(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, ...attributes },
    frame.thumbnail && drawing("image", { href: frame.thumbnail, width, height, preserveAspectRatio: "none" }),
    // Without a track the whole frame was analysed: there is nothing to draw a box around.
    frame.faces
      .filter((face) => face.track !== null)
      .map(({ box: [x, y, w, h], confidence }) => [
        drawing("rect", { class: "box-edge", x, y, width: w, height: h }),
        drawing("rect", {
          class: `box ${threshold === null ? "" : confidence >= threshold ? "fake" : "real"}`,
          x,
          y,
          width: w,
          height: h,
        }),
      ]),
  );
}
