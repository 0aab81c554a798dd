// Two results (or more) side by side.

import { clock, element, fixed } from "./dom.js";
import { verdict } from "./finding.js";
import { framePicture } from "./viewer.js";

export function compared(items, words) {
  return element("section", { class: "compared", "aria-label": "Results side by side" }, items.map((item) => side(item, words)));
}

function side({ name, result }, words) {
  const top = result.frames.reduce((best, frame) => ((frame.confidence ?? -1) > (best.confidence ?? -1) ? frame : best));
  return element("article", { "aria-label": name },
    verdict(name, result, words),
    framePicture(top, result.media, result.threshold, { role: "img", "aria-label": `The frame that weighs most, at ${clock(top.time_s)}` }),
    result.networks && element("dl", {}, Object.entries(result.networks).map(([role, probability]) =>
      element("div", {}, element("dt", {}, role), element("dd", {}, fixed(probability))))));
}
