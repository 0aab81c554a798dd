// Two results (or more) side by side.

import { clock, element, fixed } from "./dom.js";
import { framePicture } from "./frame.js";
import { verdict } from "./verdict.js";

export function compared(items, words) {
  return element(
    "section",
    { class: "compared", "aria-label": "Results side by side" },
    items.map((item) => side(item, words)),
  );
}

function side({ name, result }, words) {
  const top = result.frames.reduce((best, frame) =>
    (frame.confidence ?? -1) > (best.confidence ?? -1) ? frame : best,
  );
  return element(
    "article",
    { "aria-label": name },
    verdict(name, result, words),
    element(
      "figure",
      {},
      framePicture(top, result.media, result.threshold, { role: "img", "aria-label": "The frame" }),
      result.frames.length > 1 &&
        top.confidence !== null &&
        element("figcaption", {}, `Highest likelihood: ${fixed(top.confidence)} at ${clock(top.time_s)}`),
    ),
    result.networks &&
      element(
        "dl",
        {},
        Object.entries(result.networks).map(([network, probability]) =>
          element("div", {}, element("dt", {}, result.model.titles[network]), element("dd", {}, fixed(probability))),
        ),
      ),
  );
}
