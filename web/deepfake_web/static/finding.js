// A result, whole: verdict, where, when, networks, what the file is and says of itself, what can be kept.

import { classOf, clock, element, drawing, filled, fixed, SHAPES, signed, size, stateOf } from "./dom.js";
import { framePicture } from "./frame.js";
import { keep } from "./keep.js";
import { player } from "./player.js";
import { timeline } from "./timeline.js";
import { viewer } from "./viewer.js";

const MOST_SHOWN = 8; // frames in the order of their weight; the rest on demand

/** The section for one finished item, which is marked `saved` once something of it was; `words` are the server's. */
export function finding(item, words) {
  const { name, address, result } = item;
  const { frames } = result;
  const byWeight = frames
    .map((_, index) => index)
    .sort((a, b) => (frames[b].confidence ?? -1) - (frames[a].confidence ?? -1));
  let current = byWeight[0];
  const parts = [];
  const pick = (index) => {
    current = index;
    for (const part of parts) part.show(index);
  };
  const where = viewer(result, (step) => pick((current + step + frames.length) % frames.length));
  const several = frames.length > 1 && result.confidence !== null;
  const when = several ? timeline(result, pick) : null;
  const ranked = several ? ranking(result, byWeight, pick) : null;
  const video = result.file_type === "video" ? player(address, frames, pick) : null;
  parts.push(...[where, when, ranked, video].filter(Boolean));
  const node = element(
    "article",
    { class: "finding", "aria-label": name },
    verdict(name, result, words),
    keep(name, result, () => {
      item.saved = true;
    }),
    element(
      "section",
      { class: "where" },
      element("h3", {}, result.confidence === null ? "What was looked at" : "Where it comes from"),
      where.node,
      video?.node,
    ),
    when && element("section", { class: "when" }, element("h3", {}, "Through the clip"), when.node),
    result.networks && networks(result, words),
    ranked && element("section", { class: "top" }, element("h3", {}, "Frames that weigh most for fake"), ranked.node),
    aboutFile(result, words),
    element("section", {}, element("h3", {}, "What this can't tell"), list(words.limits_of_method)),
  );
  pick(current);
  return node;
}

export function verdict(name, result, { states, reasons, sentences }) {
  const state = stateOf(result);
  return element(
    "section",
    { class: `verdict ${classOf(state)}` },
    element("p", { class: "file-name" }, name),
    element(
      "h2",
      { tabindex: -1 },
      element("span", { class: "shape", "aria-hidden": "true" }, SHAPES[state]),
      ` ${states[state].title}`,
    ),
    element("p", {}, states[state].meaning),
    result.reasons.length ? list(result.reasons.map((reason) => reasons[reason] ?? reason)) : null,
    result.confidence === null ? null : [scale(result), element("p", {}, likelihood(result, sentences))],
    state === "UNCERTAIN" && element("p", { class: "small" }, states.REAL.meaning),
  );
}

function likelihood({ confidence, threshold, model }, sentences) {
  const rate = model.false_positive_rate;
  const share = rate < 0.001 ? "fewer than 0.1" : (100 * rate).toFixed(1);
  const known = rate === null ? sentences.rate_unknown : filled(sentences.rate, { rate: share });
  return `${filled(sentences.likelihood, { confidence: fixed(confidence), threshold: fixed(threshold) })} ${known}`;
}

/** Where the probability lies between 0 and 1, and where the threshold. */
function scale({ confidence, threshold }) {
  const at = (share) => 10 + 280 * share;
  return drawing(
    "svg",
    { class: "scale-of-one", viewBox: "0 0 300 34", "aria-hidden": "true" },
    drawing("rect", { class: "real", x: at(0), y: 12, width: at(threshold) - at(0), height: 8, rx: 4 }),
    drawing("rect", { class: "fake", x: at(threshold), y: 12, width: at(1) - at(threshold), height: 8, rx: 4 }),
    drawing("line", { class: "threshold", x1: at(threshold), x2: at(threshold), y1: 8, y2: 24 }),
    drawing("circle", { class: "marker", cx: at(confidence), cy: 16, r: 7 }),
    ["0", "1"].map((end) => drawing("text", { x: at(+end), y: 33, "text-anchor": "middle" }, end)),
    threshold > 0.1 &&
      threshold < 0.9 &&
      drawing("text", { x: at(threshold), y: 33, "text-anchor": "middle" }, `threshold ${fixed(threshold)}`),
  );
}

/** Whether the networks lean to the same side of the threshold, each on its own. */
function agreement({ networks, threshold }, { agreed, split }) {
  const [fake, real] = [true, false].map((side) =>
    Object.keys(networks).filter((role) => networks[role] >= threshold === side),
  );
  const lean = (roles) =>
    roles.length > 1 ? `${roles.slice(0, -1).join(", ")} and ${roles.at(-1)} lean` : `${roles[0]} leans`;
  if (fake.length && real.length) return filled(split, { fake: lean(fake), real: lean(real) });
  return filled(agreed, { side: fake.length ? "FAKE" : "REAL" });
}

function networks(result, { sentences }) {
  const { networks, contributions, model } = result;
  const said = Object.entries(networks);
  const most = Math.max(...Object.values(contributions).map(Math.abs), 1e-6);
  const row = (role, middle) =>
    element(
      "tr",
      {},
      element(
        "th",
        { scope: "row" },
        role,
        role in model.architectures ? element("span", { class: "architecture" }, model.architectures[role]) : null,
      ),
      element("td", {}, middle),
      element("td", {}, signed(contributions[role])),
      element("td", { class: "bar" }, bar(contributions[role] / most)),
    );
  const sum = Object.values(contributions).reduce((total, each) => total + each, 0);
  return element(
    "section",
    { class: "said" },
    element("h3", {}, "What each network said"),
    element("p", {}, agreement(result, sentences)),
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ["Network", "Likelihood", "Adds to the verdict", ""].map((head) =>
            head ? element("th", { scope: "col" }, head) : element("td", { class: "bar" }),
          ),
        ),
      ),
      element(
        "tbody",
        {},
        said.map(([role, probability]) => row(role, fixed(probability))),
        row("intercept", ""),
      ),
      element(
        "tfoot",
        {},
        element(
          "tr",
          {},
          element("th", { scope: "row" }, "sum"),
          element("td", {}),
          element("td", {}, signed(sum)),
          element("td", { class: "bar" }),
        ),
      ),
    ),
    element("p", { class: "small" }, sentences.logits, result.file_type === "video" ? ` ${sentences.means}` : ""),
  );
}

function bar(share) {
  return drawing(
    "svg",
    { viewBox: "-50 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    drawing("rect", {
      class: share > 0 ? "fake" : "real",
      x: Math.min(0, 50 * share),
      y: 1,
      width: Math.abs(50 * share),
      height: 8,
    }),
    drawing("line", { y2: 10 }),
  );
}

/** Frames as buttons, the highest first. */
function ranking(result, byWeight, pick) {
  const buttons = new Map(byWeight.map((index) => [index, frameButton(result, index, pick)]));
  const shown = element("ol", { class: "frames" });
  const fill = (count) =>
    shown.replaceChildren(...byWeight.slice(0, count).map((index) => element("li", {}, buttons.get(index))));
  fill(MOST_SHOWN);
  const more =
    byWeight.length > MOST_SHOWN &&
    element(
      "button",
      {
        type: "button",
        class: "quiet",
        click: (event) => {
          fill(Infinity);
          event.target.remove();
          buttons.get(byWeight[MOST_SHOWN]).focus();
        },
      },
      `Show all ${byWeight.length} frames`,
    );
  const show = (current) => {
    for (const [index, button] of buttons) button.setAttribute("aria-pressed", index === current);
  };
  return { node: element("div", {}, shown, more), show };
}

function frameButton({ frames, media, threshold }, index, pick) {
  const frame = frames[index];
  const what = frame.confidence === null ? "no face" : fixed(frame.confidence);
  return element(
    "button",
    { type: "button", class: "frame", click: () => pick(index) },
    framePicture(frame, media, threshold, { "aria-hidden": "true" }),
    element("span", {}, `${clock(frame.time_s)} · ${what}`),
  );
}

function aboutFile({ media, provenance, model, method, warnings, timing_s, analysed_at }, { credentials, sentences }) {
  const facts = {
    "SHA-256": media.sha256,
    Size: `${size(media.bytes)}, ${media.width} × ${media.height} pixels`,
    "Container, codec": `${media.container}, ${media.codec}`,
    Length:
      media.duration_s === null
        ? null
        : `${clock(media.duration_s)}${media.frame_rate ? ` at ${media.frame_rate.toFixed(1)} frames a second` : ""}`,
  };
  const found = provenance.credentials;
  const signed = {
    "Signed by": found.signer,
    With: found.software,
    On: found.signed_at,
    "Trust list": found.state === "none" ? null : (found.trust_list ?? "none was used"),
    Problems: found.problems.join(", "),
  };
  const elsewhere = found.state === "none" && found.problems.length ? ` ${sentences.credentials_elsewhere}` : "";
  const looked = {
    ...method,
    model: `${model.name} ${model.version}, ${model.digest}`,
    analysed: `${analysed_at}, in ${timing_s.total.toFixed(1)} s`,
  };
  return element(
    "section",
    { class: "about" },
    element("h3", {}, "The file"),
    described(facts),
    element("h3", {}, "What it says of itself"),
    Object.keys(provenance.tags).length ? described(provenance.tags) : element("p", {}, sentences.no_tags),
    element("p", { class: "small" }, sentences.provenance),
    element("h4", {}, credentials[found.state].title),
    element(
      "p",
      {},
      credentials[found.state].meaning,
      elsewhere,
      found.state === "none" ? ` ${sentences.no_credentials_prove_nothing}` : "",
    ),
    described(found.state === "none" ? {} : signed),
    warnings.length ? [element("h4", {}, "Notes"), list(warnings)] : null,
    element("h4", {}, "How it was looked at"),
    described(looked),
  );
}

const described = (facts) =>
  element(
    "dl",
    {},
    Object.entries(facts)
      .filter(([, value]) => value)
      .map(([name, value]) => element("div", {}, element("dt", {}, name.replace("_", " ")), element("dd", {}, value))),
  );
const list = (texts) =>
  element(
    "ul",
    {},
    texts.map((text) => element("li", {}, text)),
  );
