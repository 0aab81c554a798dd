// The API page: beside each operation of the OpenAPI document a form that tries it.
import { element, find } from "./dom.js";
import { call } from "./docs-call.js";
import { answerView } from "./docs-answer.js";
import { command, commandView } from "./docs-curl.js";
import { fields } from "./docs-form.js";

const REACH = "The detector did not answer. Check that it is running, then load this page again to try calls.";
const known = new Map(); // the last answer of each schema, by its reference: a later call may want to send it

const described = await fetch("/openapi.json").catch(() => null);
if (described?.ok) {
  const api = await described.json();
  for (const node of document.querySelectorAll(".operation")) node.append(trial(api, node.dataset.method, node.dataset.path));
} else {
  find("untried").textContent = REACH;
}

function trial(api, method, path) {
  const node = element("details", { class: "trial" }, element("summary", {}, "Try it", element("span", { class: "unseen" }, ` ${method.toUpperCase()} ${path}`)));
  // Made when it is first opened: most never are.
  node.addEventListener("toggle", () => node.append(form(api, method, path)), { once: true });
  return node;
}

function form(api, method, path) {
  const operation = api.paths[path][method];
  const responses = Object.entries(operation.responses).filter(([status]) => status < "300");
  const contents = responses.flatMap(([, response]) => Object.entries(response.content ?? {}));
  const wanted = fields(api, operation, contents.map(([kind]) => kind), known);
  const curl = commandView();
  const view = answerView();
  const send = element("button", { type: "submit" }, "Send");
  const stop = element("button", { type: "button", class: "quiet", "aria-disabled": "true" }, "Stop");
  let running = null;

  const request = () => ({ method: method.toUpperCase(), url: new URL(path, location.origin).href, ...wanted.read() });
  const redraw = () => curl.show(command(request()));

  async function submit(event) {
    event.preventDefault();
    if (running || !wanted.check()) return;
    running = new AbortController();
    // Both buttons stay where the keyboard's focus is.
    send.setAttribute("aria-disabled", "true");
    stop.removeAttribute("aria-disabled");
    try {
      const answer = await call(request(), view, running.signal);
      const schema = contents.find(([kind]) => kind === answer?.kind)?.[1].schema.$ref;
      if (schema && answer.ok) known.set(schema, answer.value);
    } finally {
      running = null;
      send.removeAttribute("aria-disabled");
      stop.setAttribute("aria-disabled", "true");
    }
  }

  stop.addEventListener("click", () => running?.abort());
  const node = element("form", { novalidate: true, submit, input: redraw, change: redraw },
    wanted.node, curl.node, element("p", { class: "buttons" }, send, stop), view.node);
  redraw();
  return node;
}
