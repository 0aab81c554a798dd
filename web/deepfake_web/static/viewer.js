// Where: one frame, large, with its faces and the map of what their verdicts come from.

import { clock, drawing, element, fixed } from "./dom.js";
import { framePicture } from "./frame.js";
import { mapImage, strongest } from "./heatmap.js";

/** { node, show(index) } for a result. `move(step)` asks for the frame before or after. */
export function viewer(result, move) {
  const { frames, media, threshold } = result;
  const most = strongest(frames);
  const strength = element("input", {
    type: "range",
    id: "strength",
    min: 0,
    max: 100,
    value: 80,
    input: () => paint(),
  });
  const toggle = element("input", { type: "checkbox", id: "map", checked: true, change: () => paint() });
  const stage = element("div", { class: "stage" });
  const caption = element("figcaption");
  const faces = element("ul", { class: "faces" });
  const several = frames.length > 1;
  const node = element(
    "figure",
    { class: "viewer" },
    stage,
    element(
      "div",
      { class: "viewer-bar" },
      several &&
        element("button", { type: "button", class: "quiet", "aria-label": "Frame before", click: () => move(-1) }, "‹"),
      caption,
      several &&
        element("button", { type: "button", class: "quiet", "aria-label": "Next frame", click: () => move(1) }, "›"),
    ),
    result.confidence !== null &&
      element(
        "div",
        { class: "map-bar" },
        element("label", {}, toggle, " Show what it comes from"),
        element("label", { class: "strength" }, "Strength ", strength),
        legend(),
      ),
    faces,
  );
  let maps = [];

  function paint() {
    strength.disabled = !toggle.checked;
    for (const map of maps) map.setAttribute("opacity", toggle.checked ? strength.value / 100 : 0);
  }

  const map = ({ crop: [x, y, width, height], heatmap }) =>
    drawing("image", { class: "map", href: mapImage(heatmap, most), x, y, width, height, preserveAspectRatio: "none" });

  /** What the networks saw of the face that decides: a window onto the thumbnail. */
  const closeUp = (frame, face, { width, height }) =>
    drawing(
      "svg",
      {
        class: "close-up",
        viewBox: face.crop.join(" "),
        role: "img",
        "aria-label": "The face that decides, as the networks saw it",
      },
      frame.thumbnail && drawing("image", { href: frame.thumbnail, width, height, preserveAspectRatio: "none" }),
      face.heatmap && map(face),
    );

  function show(index) {
    const frame = frames[index];
    const found =
      frame.faces[0]?.track === null
        ? "whole"
        : frame.faces.length === 1
          ? "1 face"
          : `${frame.faces.length || "no"} faces`;
    const picture = framePicture(frame, media, threshold, {
      role: "img",
      "aria-label": `Frame at ${clock(frame.time_s)}, ${found}`,
    });
    picture.querySelector("image")?.after(...frame.faces.filter((face) => face.heatmap).map(map));
    const deciding = frame.faces.find((face) => face.confidence === frame.confidence);
    stage.replaceChildren(
      picture,
      ...(deciding === undefined || deciding.track === null ? [] : [closeUp(frame, deciding, media)]),
    );
    maps = [...stage.querySelectorAll(".map")];
    caption.textContent = [
      several && `${index + 1} of ${frames.length}`,
      several && `frame ${frame.index} at ${clock(frame.time_s)}`,
      frame.confidence === null ? "no face found" : `likelihood ${fixed(frame.confidence)}`,
    ]
      .filter(Boolean)
      .join(" · ");
    faces.replaceChildren(...frame.faces.map((face) => element("li", {}, faceLine(face))));
    paint();
  }

  return { node, show };
}

function faceLine({ track, confidence, networks, box, cut }) {
  const each = Object.entries(networks)
    .map(([role, probability]) => `${role} ${fixed(probability)}`)
    .join(", ");
  const who = track === null ? "Whole frame" : `Face ${track}`;
  return `${who}: ${fixed(confidence)} (${each}), ${Math.round(box[2])} × ${Math.round(box[3])} pixels${cut ? ", cut by the picture's edge" : ""}`;
}

function legend() {
  return element(
    "p",
    { class: "legend" },
    "toward real ",
    element("span", { class: "scale", "aria-hidden": "true" }),
    " toward fake",
  );
}
