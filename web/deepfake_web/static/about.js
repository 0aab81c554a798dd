// About the file: what it is, what is written in it, and how it was analysed.

import { bullets, clock, element, size } from "./dom.js";

/** The section of a result; `credentials` and `sentences` are the server's words. */
export function aboutFile(result, { credentials, sentences }) {
  const { media, provenance, method, warnings } = result;
  const found = provenance.credentials;
  const unsigned = found.state === "none";
  const elsewhere = unsigned && found.problems.length > 0;
  const meaning = [
    credentials[found.state].meaning,
    elsewhere && sentences.credentials_elsewhere,
    unsigned && sentences.no_credentials_prove_nothing,
  ];
  return element(
    "section",
    { class: "about" },
    element("h3", {}, "About the file"),
    described(factsOf(media)),
    element("h3", {}, "Details written in the file"),
    Object.keys(provenance.tags).length ? described(provenance.tags) : element("p", {}, sentences.no_tags),
    element("p", { class: "small" }, sentences.provenance),
    element("h4", {}, credentials[found.state].title),
    element("p", {}, meaning.filter(Boolean).join(" ")),
    !unsigned && described(signatureOf(found)),
    warnings.length > 0 && [element("h4", {}, "Warnings"), bullets(warnings)],
    element("h4", {}, "Method and model"),
    described({ ...method, ...runOf(result) }),
  );
}

const factsOf = ({ sha256, bytes, width, height, container, codec, duration_s, frame_rate }) => ({
  "SHA-256": sha256,
  Size: size(bytes),
  Format: `${container}, ${codec}`,
  Picture: `${width} × ${height} pixels`,
  Duration: duration_s !== null && clock(duration_s),
  "Frame rate": frame_rate && `${frame_rate.toFixed(1)} frames per second`,
});

const signatureOf = ({ signer, software, signed_at, trust_list, problems }) => ({
  "Signed by": signer,
  "Signed with": software,
  "Signed on": signed_at && moment(signed_at),
  "Trust list": trust_list ?? "none was used",
  Problems: problems.join(", "),
});

const runOf = ({ model, analysed_at, timing_s }) => ({
  model: `${model.name} ${model.version}`,
  digest: model.digest,
  analysed: moment(analysed_at),
  "time taken": `${timing_s.total.toFixed(1)} s`,
});

const moment = (iso) => iso.replace("T", " ").replace("+00:00", " UTC");

/** A description list of the facts that there are. */
function described(facts) {
  const known = Object.entries(facts).filter(([, value]) => value);
  const title = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
  return element(
    "dl",
    {},
    known.map(([name, value]) => element("div", {}, element("dt", {}, title(name)), element("dd", {}, value))),
  );
}
