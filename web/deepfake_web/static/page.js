// The upload page: sends the file, follows the stream of events, shows the result. Without this script the form posts.
const find = (id) => document.getElementById(id);
const config = fetch("/config").then((answer) => answer.json());
let request = null;

find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!request) analyse(find("file").files[0]);
});
find("stop").addEventListener("click", () => request?.abort());

const drop = find("drop");
for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (request || !event.dataTransfer.files.length) return;
  find("file").files = event.dataTransfer.files;
  analyse(event.dataTransfer.files[0]);
});

async function analyse(file) {
  const { limits, ...words } = await config;
  for (const id of ["problem", "result"]) find(id).replaceChildren();
  show("problem", false);
  show("result", false);
  if (file.size > limits.max_bytes) return fail("Too large", `The file has ${mib(file.size)} MiB; the limit is ${mib(limits.max_bytes)}.`);
  working(true);
  step("Uploading", 0);
  // XMLHttpRequest, as fetch tells nothing of the upload's progress.
  request = new XMLHttpRequest();
  request.open("POST", "/predict");
  request.setRequestHeader("Accept", "application/x-ndjson");
  request.upload.onprogress = (event) => step("Uploading", event.loaded / event.total);
  request.upload.onload = () => step("Analysing");
  let read = 0;
  let last = null;
  const follow = () => {
    const end = request.responseText.lastIndexOf("\n") + 1;
    for (const line of request.responseText.slice(read, end).split("\n").filter(Boolean)) {
      last = JSON.parse(line);
      if (last.event === "progress") step(`Analysing: ${last.done} of ${last.total} frames`, last.done / last.total);
    }
    read = end;
  };
  request.onprogress = () => { if (request.status === 200) follow(); };
  request.onload = () => {
    if (request.status === 200) follow(); else last = { event: "error", ...JSON.parse(request.responseText) };
    if (last.event === "result") result(last, words); else fail(last.title, last.detail);
  };
  request.onerror = () => fail("No connection", "The connection to the detector broke. Check that it is running, then try again.");
  request.onabort = () => fail("Stopped", "The analysis was stopped. Nothing of the file was kept.");
  request.onloadend = () => { request = null; working(false); };
  const form = new FormData();
  form.append("file", file);
  form.append("heatmaps", "true");
  request.send(form);
}

function result(found, { states, reasons, sentences }) {
  const state = found.certainty === "low" ? "UNCERTAIN" : found.label;
  const verdict = element("div", { class: `verdict ${state.toLowerCase().replace(" ", "-")}` },
    element("h2", { tabindex: "-1" }, states[state].title),
    element("p", {}, states[state].meaning),
    found.reasons.length ? element("ul", {}, ...found.reasons.map((reason) => element("li", {}, reasons[reason] ?? reason))) : "",
    found.confidence === null ? "" : element("p", {}, likelihood(found, sentences)));
  find("result").append(verdict, ...networks(found),
    element("h2", {}, `Frames looked at: ${found.frames_processed}`),
    element("ol", { class: "frames" }, ...found.frames.map((frame) => element("li", {}, picture(frame, found.media)))),
    ...(found.warnings.length ? [element("h2", {}, "Notes"), element("ul", {}, ...found.warnings.map((each) => element("li", {}, each)))] : []),
    element("p", { class: "small" }, `Detector ${found.model.name} ${found.model.version}`));
  show("result", true);
  verdict.firstChild.focus();
}

function likelihood({ confidence, threshold, model }, sentences) {
  const rate = model.false_positive_rate;
  const known = rate === null ? sentences.rate_unknown : filled(sentences.rate, { rate: (100 * rate).toFixed(1) });
  return `${filled(sentences.likelihood, { confidence: confidence.toFixed(2), threshold: threshold.toFixed(2) })} ${known}`;
}

function networks({ networks, contributions, model }) {
  if (!networks) return [];
  const heads = ["Network", "Probability", "Adds to the verdict (logits)"];
  const rows = Object.entries(networks).map(([role, probability]) => element("tr", {},
    element("th", { scope: "row" }, `${role} `, element("span", { class: "architecture" }, model.architectures[role])),
    element("td", {}, probability.toFixed(2)),
    element("td", {}, (contributions[role] < 0 ? "" : "+") + contributions[role].toFixed(2))));
  return [element("h2", {}, "What each network said"), element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows))];
}

function picture(frame, { width, height }) {
  const time = `${frame.time_s.toFixed(1)} s`;
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Frame at ${time}, faces: ${frame.faces.length}` });
  if (frame.thumbnail) drawing.append(svg("image", { href: frame.thumbnail, width, height, preserveAspectRatio: "none" }));
  for (const { box: [x, y, w, h] } of frame.faces) drawing.append(svg("rect", { x, y, width: w, height: h }));
  return element("figure", {}, drawing, element("figcaption", {}, `${time} · ${frame.confidence === null ? "no face" : frame.confidence.toFixed(2)}`));
}

function fail(title, detail) {
  find("problem").replaceChildren(element("h2", {}, title), element("p", {}, detail));
  show("problem", true);
}

function working(on) {
  show("work", on);
  show("stop", on);
  find("analyse").disabled = on;
}

function step(text, share) {
  find("step").textContent = text;
  if (share === undefined) find("progress").removeAttribute("value"); else find("progress").value = share;
}

const show = (id, on) => { find(id).hidden = !on; };
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const mib = (bytes) => (bytes / 1048576).toFixed(0);
const element = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes) => fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, []);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
