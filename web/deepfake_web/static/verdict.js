// The verdict: what was found, how likely, and why it may not hold; beside it what the file says of itself.

import { bullets, classOf, drawing, element, filled, fixed, SHAPES, stateOf } from "./dom.js";

/** The section of a result; `name` is the file's, the rest are the server's words. */
export function verdict(name, result, { states, reasons, sentences }) {
  const state = stateOf(result);
  const { title, meaning } = states[state];
  const shape = element("span", { class: "shape", "aria-hidden": "true" }, SHAPES[state]);
  return element(
    "section",
    { class: `verdict ${classOf(state)}` },
    element("p", { class: "file-name" }, name),
    element("h2", { tabindex: -1 }, shape, ` ${title}`),
    element("p", {}, meaning),
    result.reasons.length > 0 && bullets(result.reasons.map((reason) => reasons[reason] ?? reason)),
    result.confidence !== null && [scale(result), element("p", {}, likelihood(result, sentences))],
    state === "UNCERTAIN" && element("p", { class: "small" }, states.REAL.meaning),
    result.provenance.declared.map(({ says, sentence }) => element("p", { class: `declared ${says}` }, sentence)),
  );
}

function likelihood({ confidence, threshold, model }, sentences) {
  const rate = model.false_positive_rate;
  const share = rate < 0.001 ? "fewer than 0.1" : (100 * rate).toFixed(1);
  const known = rate === null ? sentences.rate_unknown : filled(sentences.rate, { rate: share });
  return `${filled(sentences.likelihood, { confidence: fixed(confidence), threshold: fixed(threshold) })} ${known}`;
}

/** Where the likelihood lies between 0 and 1, and where the threshold. */
function scale({ confidence, threshold }) {
  const at = (share) => 10 + 280 * share;
  const below = (share, text) => drawing("text", { x: at(share), y: 33, "text-anchor": "middle" }, text);
  const band = (side, from, to) =>
    drawing("rect", { class: side, x: at(from), y: 12, width: at(to) - at(from), height: 8, rx: 4 });
  return drawing(
    "svg",
    { class: "scale-of-one", viewBox: "0 0 300 34", "aria-hidden": "true" },
    band("real", 0, threshold),
    band("fake", threshold, 1),
    drawing("line", { class: "threshold", x1: at(threshold), x2: at(threshold), y1: 8, y2: 24 }),
    drawing("circle", { class: "marker", cx: at(confidence), cy: 16, r: 7 }),
    below(0, "0"),
    below(1, "1"),
    threshold > 0.1 && threshold < 0.9 && below(threshold, `threshold ${fixed(threshold)}`),
  );
}
