// The file under way: its stages, and its frames as they are scored.

import { clock, drawing, element, fixed } from "./dom.js";
import { framePicture } from "./frame.js";

const STAGES = ["Upload", "Decode", "Faces", "Networks", "Verdict"];

/** { node, onUpload, onEvent } for one analysis; `say` gets the few sentences a screen reader is told. */
export function working(name, say, stop) {
  const bars = Object.fromEntries(
    STAGES.map((stage) => [stage, element("progress", { max: 1, value: 0, "aria-label": stage })]),
  );
  const told = Object.fromEntries(STAGES.map((stage) => [stage, element("span", { class: "told" })]));
  const strip = element("ol", { class: "strip", "aria-hidden": "true" });
  let places = [],
    shown = 0,
    media = null;
  const node = element(
    "section",
    { class: "working", "aria-label": `Analysis of ${name}` },
    element(
      "div",
      { class: "working-head" },
      element("h2", { tabindex: -1 }, name),
      element("button", { type: "button", click: stop }, "Cancel"),
    ),
    element(
      "ol",
      { class: "stages" },
      STAGES.map((stage) => element("li", {}, element("span", {}, stage), bars[stage], told[stage])),
    ),
    strip,
  );

  function reach(stage, done, total, text) {
    bars[stage].value = total ? done / total : 0;
    told[stage].textContent = text ?? `${done} of ${total}`;
  }

  function onUpload(share) {
    reach("Upload", share, 1, `${Math.round(100 * share)} %`);
    if (share < 1) return;
    told.Decode.textContent = "reading";
    say("Uploaded. The file is being read.");
  }

  function onEvent(event) {
    if (event.event === "accepted") {
      media = event.media;
      // A place for every frame, so that nothing moves when they come.
      places = Array.from({ length: event.frames }, () =>
        element("li", {}, drawing("svg", { viewBox: `0 0 ${media.width} ${media.height}` }), element("span", {}, " ")),
      );
      strip.replaceChildren(...places);
      say(event.frames > 1 ? `${event.frames} frames will be analysed.` : "The picture will be analysed.");
    } else if (event.event === "progress") {
      reach("Decode", event.decoded, event.total);
      reach("Faces", event.searched, event.total);
      reach("Networks", event.done, event.total);
      if (event.done === event.total) told.Verdict.textContent = "adding up";
    } else if (event.event === "frame" && places[shown]) {
      const what = event.confidence === null ? "no face" : fixed(event.confidence);
      places[shown].replaceChildren(
        framePicture(event, media, null, {}),
        element("span", {}, `${clock(event.time_s)} · ${what}`),
      );
      shown += 1;
    }
  }

  return { node, onUpload, onEvent };
}
