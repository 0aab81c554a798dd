// The API page: a button at each example that copies it.

import { element } from "./dom.js";

const UNCOPIED = "The browser does not let this page copy. The command is selected: copy it with Ctrl+C.";

for (const example of document.querySelectorAll(".example")) {
  const code = example.querySelector("code");
  const told = element("span", { class: "small", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      told.textContent = "Copied.";
    } catch {
      // Without HTTPS there is no clipboard, and a reader may have forbidden it.
      getSelection().selectAllChildren(code);
      told.textContent = UNCOPIED;
    }
  };
  const label = `Copy: ${code.textContent}`;
  const button = element("button", { type: "button", class: "quiet", "aria-label": label, click: copy }, "Copy");
  example.append(element("p", {}, button, " ", told));
}
