// How an answer is shown: status, headers, body.
import { element, size } from "./dom.js";

const HEADERS = ["Content-Type", "Retry-After", "Allow", "X-Request-ID"];
const CHARACTER = 8.5; // CSS pixels; what fits on one line is written on one
const NARROWEST = 24; // characters
const PREVIEW = 160; // characters of a line that is folded

/** { node, begin, head, json, text, line, end, broke }: called in that order as the answer comes. */
export function answerView() {
  const told = element("p", { class: "call-told", role: "status" });
  const refusal = element("div", { class: "call-refusal", hidden: true });
  const headers = element("dl", { class: "fields call-headers" });
  const body = element("div", { class: "call-body", tabindex: "0", role: "group", "aria-label": "Body of the answer", hidden: true });
  const parts = [refusal, headers, body];
  let status = "";
  let lines = 0;

  const show = (node) => { body.hidden = false; body.replaceChildren(node); };
  const width = () => Math.max(NARROWEST, Math.floor(body.clientWidth / CHARACTER) - 4);
  return {
    node: element("div", { class: "call-answer" }, told, ...parts),
    begin() {
      for (const part of parts) part.replaceChildren();
      refusal.hidden = body.hidden = true;
      lines = 0;
      told.textContent = "Sent; waiting for the answer.";
    },
    head(answer, milliseconds) {
      status = `${answer.status} ${answer.statusText}`.trim();
      told.textContent = `${status}, begun after ${seconds(milliseconds)}`;
      told.className = answer.ok ? "call-told well" : "call-told ill";
      headers.replaceChildren(...HEADERS.filter((name) => answer.headers.has(name)).map((name) =>
        element("div", {}, element("dt", {}, element("code", {}, name)), element("dd", {}, answer.headers.get(name)))));
    },
    json(value, isProblem) {
      show(element("pre", {}));
      body.firstChild.append(pretty(value, width()));
      if (isProblem) refuse(value);
    },
    text: (value) => show(element("pre", {}, value)),
    line(value) {
      if (!lines) show(element("ol", { class: "call-lines" }));
      lines += 1;
      body.firstChild.append(folded(value, width));
      if (value.event === "error") refuse(value);
    },
    end(milliseconds, length) {
      const count = lines ? `${lines} lines, ` : "";
      told.textContent = `${status}, complete after ${seconds(milliseconds)}: ${count}${length < 1024 ? `${length} bytes` : size(length)}`;
    },
    broke(sentence) {
      told.textContent = sentence;
      told.className = "call-told ill";
    },
  };

  function refuse({ title, detail, type }) {
    refusal.hidden = false;
    const why = new URL(type, location.origin);
    refusal.replaceChildren(element("strong", {}, title), element("p", {}, detail),
      element("p", {}, element("a", { href: why.pathname + why.hash }, "What this status means")));
  }
}

/** One event, folded: its name and beginning; the last ones, which say how it ended, open. */
function folded(event, width) {
  const { event: name, ...rest } = event;
  const line = JSON.stringify(shortened(rest));
  const ends = name === "result" || name === "error";
  const node = element("details", { open: ends }, element("summary", {}, element("b", {}, name), " ", element("span", { class: "call-preview" }, line.slice(0, PREVIEW))));
  const unfold = () => node.append(element("pre", {}, pretty(rest, width() - 4)));
  if (ends) unfold();
  else node.addEventListener("toggle", unfold, { once: true });
  return element("li", {}, node);
}

/** JSON for reading: indented, but what is short and lists of numbers on one line, and data URIs by their size alone. */
function pretty(value, width, indent = "") {
  if (typeof value === "string") return JSON.stringify(shortened(value));
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const whole = spaced(shortened(value));
  const numbers = Array.isArray(value) && value.every((each) => typeof each === "number");
  if (numbers || indent.length + whole.length <= width) return whole;
  const deeper = `${indent}  `;
  const inner = Array.isArray(value) ? value.map((each) => deeper + pretty(each, width, deeper))
    : Object.entries(value).map(([key, each]) => `${deeper}${JSON.stringify(key)}: ${pretty(each, width, deeper)}`);
  return Array.isArray(value) ? `[\n${inner.join(",\n")}\n${indent}]` : `{\n${inner.join(",\n")}\n${indent}}`;
}

function spaced(value) {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${spaced(each)}`);
  return inner.length ? `{ ${inner.join(", ")} }` : "{}";
}

function shortened(value) {
  if (typeof value === "string") return value.replace(/^(data:[^,]{1,80},).{40,}$/s, (uri, head) => `${head}… (${size(uri.length)})`);
  if (Array.isArray(value)) return value.map(shortened);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shortened(each)]));
}

const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;
