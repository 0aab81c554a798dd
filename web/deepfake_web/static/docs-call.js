// One call, followed to its end.

const GONE = "The connection broke before the answer was complete. Check that the detector is running and that the file is within its limits, then send again.";
const STOPPED = "Stopped. The detector gives up the work when it sees that nobody waits for it.";
const NDJSON = "application/x-ndjson";

/** Sends a request, and shows the answer as it comes; { ok, kind, value } of one in JSON, null where none came. */
export async function call({ method, url, accept, parts, json }, view, signal) {
  const headers = { ...(accept && { Accept: accept }), ...(json !== undefined && { "Content-Type": "application/json" }) };
  const begun = performance.now();
  view.begin();
  try {
    const answer = await fetch(url, { method, headers, body: parts ? formOf(parts) : json, signal }).catch(broken);
    const kind = (answer.headers.get("Content-Type") ?? "").split(";")[0].trim();
    view.head(answer, performance.now() - begun);
    const body = kind === NDJSON ? await lines(answer, view) : await answer.text().catch(broken);
    const isJson = kind.endsWith("json") && kind !== NDJSON;
    const value = isJson ? JSON.parse(body) : null;
    if (isJson) view.json(value, kind.includes("problem"));
    else if (kind !== NDJSON) view.text(body);
    view.end(performance.now() - begun, body.length);
    return { ok: answer.ok, kind, value };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    view.broke(signal.aborted ? STOPPED : GONE);
    return null;
  }
}

class Broken extends Error {}

function broken(cause) {
  throw new Broken("The answer did not come to its end.", { cause });
}

function formOf(parts) {
  const form = new FormData();
  for (const { name, value, file } of parts) form.append(name, file ?? value);
  return form;
}

/** Hands each line on when it is complete; returns what came in all. */
async function lines(answer, view) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let begun = "";
  let length = 0;
  const next = () => reader.read().catch(broken);
  for (let { value, done } = await next(); !done; { value, done } = await next()) {
    length += value.length;
    const whole = (begun + value).split("\n");
    begun = whole.pop();
    for (const line of whole.filter(Boolean)) view.line(JSON.parse(line));
  }
  return { length };
}
