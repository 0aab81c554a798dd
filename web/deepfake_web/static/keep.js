// What the reader takes along: the report, the result, the frames as a table.

import { element } from "./dom.js";

const MOST_PICTURES = 6; // frames that a report shows

/** Three buttons; what can't be made is told beside them. `saved` is called when something was. */
export function keep(name, result, saved) {
  const told = element("p", { class: "small", role: "status" });
  const button = (text, make) =>
    element(
      "button",
      {
        type: "button",
        click: async (event) => {
          if (event.target.ariaDisabled === "true") return;
          event.target.ariaDisabled = "true"; // not `disabled`, which would take the focus away
          told.textContent = "";
          try {
            await make();
            saved();
          } catch (error) {
            told.textContent = error.detail ?? "The detector did not answer. Check that it is running, then try again.";
          }
          event.target.ariaDisabled = "false";
        },
      },
      text,
    );
  const stem = name.replace(/[^\p{L}\p{N}._ -]/gu, "_").slice(0, 80) || "file";
  return element(
    "section",
    { class: "keep", "aria-label": "Keep the result" },
    button("Save report", async () => save(`${stem} report.html`, await made(name, result, "text/html"))),
    button("Save as JSON", async () =>
      save(`${stem}.json`, new Blob([JSON.stringify(result, null, 1)], { type: "application/json" })),
    ),
    button("Save frames as CSV", async () => save(`${stem} frames.csv`, await made(name, result, "text/csv"))),
    told,
  );
}

/** The server makes it from as much of the result as it needs: pictures of the frames that a report shows. */
async function made(name, result, type) {
  const shown =
    type === "text/html"
      ? result.frames.toSorted((a, b) => (b.confidence ?? -1) - (a.confidence ?? -1)).slice(0, MOST_PICTURES)
      : [];
  const frames = result.frames.map((frame) => (shown.includes(frame) ? frame : withoutPicture(frame)));
  const answer = await fetch("/report", {
    method: "POST",
    headers: { Accept: `${type}, application/json`, "Content-Type": "application/json" },
    body: JSON.stringify({ name: name.slice(0, 1000), result: { ...result, frames } }),
  });
  if (!answer.ok) throw await answer.json();
  return answer.blob();
}

// The maps stay: the report's scale is the strongest of all, as on the page.
const withoutPicture = ({ thumbnail, ...frame }) => frame;

function save(name, blob) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // once the browser has surely taken it
}
