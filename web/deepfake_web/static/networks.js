// What each network said, and what it added to the verdict.

import { drawing, element, filled, fixed, signed } from "./dom.js";

const HEADS = ["Network", "Likelihood", "Adds"];
const LEAST = 1e-6; // logit that a bar's length is measured by, where all are next to nothing

/** The section of a result with networks, as many as it has; `sentences` and `parts` are the server's. */
export function networksTable(result, { sentences, parts }) {
  const { networks, contributions, model } = result;
  const most = Math.max(...Object.values(contributions).map(Math.abs), LEAST);
  const line = (part, title, small, likelihood) =>
    row(
      [title, " ", element("span", { class: "architecture" }, small)],
      likelihood,
      signed(contributions[part]),
      bar(contributions[part] / most),
    );
  const said = Object.entries(networks).map(([name, probability]) =>
    line(name, model.titles[name], model.architectures[name], fixed(probability)),
  );
  const others = Object.entries(parts)
    .filter(([part]) => part in contributions)
    .map(([part, { title, meaning }]) => line(part, title, meaning, ""));
  const sum = Object.values(contributions).reduce((total, each) => total + each, 0);
  const means = result.file_type === "video" ? ` ${sentences.means}` : "";
  return element(
    "section",
    { class: "said" },
    element("h3", {}, "What each network said"),
    element("p", {}, agreement(result, sentences)),
    element(
      "table",
      {},
      element("thead", {}, head()),
      element("tbody", {}, said, others),
      element("tfoot", {}, row("Sum", "", signed(sum), "")),
    ),
    element("p", { class: "small" }, sentences.logits, means),
  );
}

/** Whether the networks lean to the same side of the threshold, each on its own. */
function agreement({ networks, threshold, model }, { agreed, split }) {
  const names = Object.keys(networks);
  const fake = names.filter((name) => networks[name] >= threshold);
  const real = names.filter((name) => !fake.includes(name));
  const lean = (side) => {
    const titles = side.map((name) => model.titles[name]);
    return titles.length > 1 ? `${titles.slice(0, -1).join(", ")} and ${titles.at(-1)} lean` : `${titles[0]} leans`;
  };
  if (fake.length && real.length) return filled(split, { fake: lean(fake), real: lean(real) });
  return filled(agreed, { side: fake.length ? "FAKE" : "REAL" });
}

function head() {
  return element(
    "tr",
    {},
    HEADS.map((text) => element("th", { scope: "col" }, text)),
    element("td", { class: "bar" }),
  );
}

function row(title, likelihood, adds, drawn) {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, title),
    element("td", {}, likelihood),
    element("td", {}, adds),
    element("td", { class: "bar" }, drawn),
  );
}

/** To the right of the middle toward FAKE, to the left toward REAL; `share` is from −1 to 1. */
function bar(share) {
  const [x, width] = [Math.min(0, 50 * share), Math.abs(50 * share)];
  return drawing(
    "svg",
    { viewBox: "-50 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    drawing("rect", { class: share > 0 ? "fake" : "real", x, y: 1, width, height: 8 }),
    drawing("line", { y2: 10 }),
  );
}
