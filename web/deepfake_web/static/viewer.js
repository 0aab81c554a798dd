// Where: one frame, large, with its faces and the heatmaps of what their verdicts come from.

import { clock, drawing, element, fixed } from "./dom.js";
import { framePicture } from "./frame.js";
import { mapImage, strongest } from "./heatmap.js";

/** { node, show(index) } for a result. `move(step)` asks for the frame before or after. */
export function viewer(result, move) {
  const { frames, media, threshold } = result;
  const most = strongest(frames);
  const several = frames.length > 1;
  const stage = element("div", { class: "stage" });
  const caption = element("figcaption");
  const faces = element("ul", { class: "faces" });
  const { bar, paint } = mapControls(stage);
  const step = (label, sign, by) =>
    several && element("button", { type: "button", class: "quiet", "aria-label": label, click: () => move(by) }, sign);
  const node = element(
    "figure",
    { class: "viewer" },
    stage,
    element("div", { class: "viewer-bar" }, step("Previous frame", "‹", -1), caption, step("Next frame", "›", 1)),
    result.confidence !== null && bar,
    faces,
  );

  function show(index) {
    const frame = frames[index];
    const deciding = frame.faces[frame.deciding];
    const label = `Frame at ${clock(frame.time_s)}, ${facesOf(frame)}`;
    const picture = framePicture(frame, media, threshold, { role: "img", "aria-label": label });
    const mapped = frame.faces.filter((face) => face.heatmap);
    picture.querySelector("image")?.after(...mapped.map((face) => faceMap(face, most)));
    const isFace = deciding !== undefined && deciding.track !== null; // and not the frame as a whole
    stage.replaceChildren(picture, ...(isFace ? [closeUp(frame, deciding, media, most)] : []));
    caption.textContent = [
      several && `${index + 1} of ${frames.length}`,
      several && `frame ${frame.index} at ${clock(frame.time_s)}`,
      frame.confidence === null ? "no face found" : `likelihood ${fixed(frame.confidence)}`,
    ]
      .filter(Boolean)
      .join(" · ");
    faces.replaceChildren(...frame.faces.map((face) => element("li", {}, faceLine(face, result.model))));
    paint();
  }

  return { node, show };
}

/** How strongly the heatmaps in `stage` are drawn, if at all: { bar, paint }. */
function mapControls(stage) {
  const toggle = element("input", { type: "checkbox", id: "map", checked: true, change: paint });
  const strength = element("input", { type: "range", id: "strength", min: 0, max: 100, value: 80, input: paint });
  const scale = element("span", { class: "scale", "aria-hidden": "true" });
  const bar = element(
    "div",
    { class: "map-bar" },
    element("label", {}, toggle, " Show heatmap"),
    element("label", { class: "strength" }, "Strength ", strength),
    element("p", { class: "legend" }, "toward REAL ", scale, " toward FAKE"),
  );

  function paint() {
    strength.disabled = !toggle.checked;
    const opacity = toggle.checked ? strength.value / 100 : 0;
    for (const map of stage.querySelectorAll(".map")) map.setAttribute("opacity", opacity);
  }

  return { bar, paint };
}

function faceMap({ crop: [x, y, width, height], heatmap }, most) {
  const href = mapImage(heatmap, most);
  return drawing("image", { class: "map", href, x, y, width, height, preserveAspectRatio: "none" });
}

/** The crop that the networks were given of a face: a window onto the frame's thumbnail. */
function closeUp({ thumbnail }, face, { width, height }, most) {
  return drawing(
    "svg",
    { class: "close-up", viewBox: face.crop.join(" "), role: "img", "aria-label": "The face that decides, enlarged" },
    thumbnail && drawing("image", { href: thumbnail, width, height, preserveAspectRatio: "none" }),
    face.heatmap && faceMap(face, most),
  );
}

function facesOf({ faces }) {
  if (faces[0]?.track === null) return "whole";
  return faces.length === 1 ? "1 face" : `${faces.length || "no"} faces`;
}

function faceLine({ track, confidence, networks, box, cut }, { titles }) {
  const each = Object.entries(networks).map(([network, probability]) => `${titles[network]} ${fixed(probability)}`);
  const who = track === null ? "Whole frame" : `Face ${track}`;
  const [width, height] = box.slice(2).map(Math.round);
  const edge = cut ? ", cut by the picture's edge" : "";
  return `${who}: likelihood ${fixed(confidence)} (${each.join(", ")}), ${width} × ${height} pixels${edge}`;
}
