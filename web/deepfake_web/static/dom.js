// Elements and words. Text is only ever set as text: nothing that a file says of itself is read as HTML.

const SHORT_ESCAPES = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

export const find = (id) => document.getElementById(id);
export const element = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const drawing = (name, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A list of texts. */
export const bullets = (texts) =>
  element(
    "ul",
    {},
    texts.map((text) => element("li", {}, text)),
  );

export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
/** Two decimals, and never as certainty: 0.996 is not 1. */
export const fixed = (probability) =>
  probability > 0.99 ? "> 0.99" : probability < 0.01 ? "< 0.01" : probability.toFixed(2);
export const signed = (number) => (number < 0 ? "−" : "+") + Math.abs(number).toFixed(2);

/** A name without what breaks a line or turns text round: such characters escaped, the same as in report and table. */
export const plain = (text) => text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, escaped);

function escaped(character) {
  const code = character.codePointAt(0);
  const hex = code.toString(16);
  return SHORT_ESCAPES[character] ?? (code < 256 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`);
}

/** As in the report: seconds up to two minutes, then minutes too. */
export function clock(seconds) {
  const rounded = Math.round(100 * seconds) / 100;
  return rounded < 120
    ? `${rounded.toFixed(2)} s`
    : `${Math.floor(rounded / 60)}:${(rounded % 60).toFixed(2).padStart(5, "0")}`;
}

export function size(bytes) {
  const mib = bytes / 1048576;
  return mib >= 10
    ? `${Math.round(mib)} MiB`
    : mib >= 0.1
      ? `${mib.toFixed(1)} MiB`
      : `${Math.max(1, Math.round(bytes / 1024))} KiB`;
}

/** What people are told: no face, else uncertain where the certainty is low, else the label. */
export const stateOf = (result) => (result.certainty === "low" ? "UNCERTAIN" : result.label);
export const SHAPES = { FAKE: "▲", UNCERTAIN: "◆", REAL: "●", "NO FACE": "○" };
export const classOf = (state) => state.toLowerCase().replace(" ", "-");
