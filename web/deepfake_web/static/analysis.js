// One file's way to the server and its answer back, as it comes.

const MOST_NAME = 1000; // characters that the detector takes
const GONE = {
  title: "The connection broke",
  detail: "The detector's answer did not arrive completely. Check that it is running, then try again.",
  again: true,
  passing: true,
  lost: true,
};
const UNREADABLE = {
  title: "The file can't be read",
  detail: "This is a folder, or the file was moved or changed since it was chosen. Choose it again.",
};
const STOPPED = {
  title: "Stopped",
  detail: "You stopped this analysis. The server deletes what it has received of the file.",
  again: true,
  stopped: true,
};

/**
 * Uploads the file and follows the stream of events. `onUpload` gets the share sent, 0 to 1, and `onEvent` every event
 * before the last. `finished` resolves to { result, report }: the result, its frames with their thumbnails and heatmaps,
 * and the report as HTML. It rejects with { title, detail, retryAfter, again, passing, lost, stopped }: words for people,
 * the seconds to wait, whether another try can help, whether it can soon, whether no answer came at all, and whether the
 * reader wanted it so.
 */
export function analyse({ name, file }, { onUpload, onEvent }) {
  // XMLHttpRequest, as fetch tells nothing of the upload's progress.
  const request = new XMLHttpRequest();
  const stopping = new AbortController();
  const finished = new Promise((resolve, reject) => {
    const frames = [];
    let last = null;
    const follow = lines(request, (event) => {
      last = event;
      if (event.event === "frame") frames.push(event);
      if (event.event !== "result" && event.event !== "error") onEvent(event);
    });
    request.upload.onprogress = ({ loaded, total }) => onUpload(loaded / total);
    request.upload.onload = () => onUpload(1);
    request.onprogress = () => {
      if (request.status === 200) follow();
    };
    request.onload = () => {
      if (request.status !== 200) return reject(problem(request));
      follow();
      if (last?.event === "result") resolve(whole(last, frames));
      else reject(last?.event === "error" ? { ...last, ...worthAnother(last.status) } : GONE);
    };
    request.onerror = () => reject(GONE);
    stopping.signal.onabort = () => {
      request.abort();
      reject(STOPPED);
    };
    // Sending it would tell of a broken connection where the file is at fault.
    file
      .slice(0, 1)
      .arrayBuffer()
      .then(
        () => stopping.signal.aborted || send(request, name, file),
        () => reject(UNREADABLE),
      );
  });
  return { finished, stop: () => stopping.abort() };
}

function send(request, name, file) {
  const form = new FormData();
  form.append("heatmaps", "true");
  form.append("report", "true");
  form.append("name", name.slice(0, MOST_NAME));
  form.append("file", file);
  request.open("POST", "/predict");
  request.setRequestHeader("Accept", "application/x-ndjson");
  request.send(form);
}

/** Calls `onEvent` for each complete line that has come since the last call. */
function lines(request, onEvent) {
  let read = 0;
  return () => {
    const end = request.responseText.lastIndexOf("\n") + 1;
    const text = request.responseText.slice(read, end);
    read = end;
    for (const line of text.split("\n")) if (line) onEvent(JSON.parse(line));
  };
}

/** The streamed result leaves out the pictures that its frames carried before it. */
function whole({ event, report, ...result }, frames) {
  return { result: { ...result, frames: frames.map(({ event: _, ...frame }) => frame) }, report };
}

function problem(request) {
  const wait = Number(request.getResponseHeader("Retry-After"));
  const hopes = { retryAfter: wait || null, ...worthAnother(request.status) };
  try {
    const { title, detail } = JSON.parse(request.responseText);
    return { title, detail, ...hopes };
  } catch {
    return {
      title: `The server answered ${request.status}`,
      detail: "Something between this page and the detector refused the file. Try again later.",
      ...hopes,
      again: true,
    };
  }
}

/** Busy, or what it needs is away: that passes. */
function worthAnother(status) {
  const passing = status === 429 || status === 502 || status === 503;
  return { again: passing || status === 408 || status >= 500, passing };
}
