// What the reader saves of a result: the report, the result itself, the frames as a table.

import { framesCsv } from "./csv.js";
import { element } from "./dom.js";

const KEPT_MS = 60_000; // by then a browser has surely taken what it is given to save

/** Three buttons for a finished item; `saved` is called when one was used. */
export function saving({ name, result, report }, saved) {
  const button = (text, file, type, content) => {
    const click = () => {
      download(file, new Blob([content()], { type }));
      saved();
    };
    return element("button", { type: "button", class: "quiet", click }, text);
  };
  return element(
    "section",
    { class: "save", "aria-label": "Save the result" },
    button("Save report", "deepfake-report.html", "text/html", () => report),
    button("Save as JSON", "deepfake-result.json", "application/json", () => JSON.stringify(result, null, 1)),
    button("Save frames as CSV", "deepfake-frames.csv", "text/csv", () => framesCsv(name, result)),
  );
}

function download(name, blob) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
