// The ways in: picker, drag and drop, clipboard, camera, samples. Each calls `add` with a list of files.

import { find } from "./dom.js";

/** `fail` gets { name, title, detail } of what could not be loaded. */
export function intake(add, fail) {
  const drop = find("drop");
  find("file").multiple = true; // without this script one file can be sent at a time
  const take = (field) => {
    add([...field.files]);
    field.value = "";
  };
  for (const field of [find("file"), find("camera")]) {
    field.addEventListener("change", () => take(field));
    take(field); // what was chosen before this script was here
  }
  find("form").addEventListener("submit", (event) => event.preventDefault());
  // The whole page takes what is dropped: a browser would otherwise leave it to show the file.
  let inside = 0;
  const over = (by) => {
    inside = Math.max(0, inside + by);
    drop.classList.toggle("over", inside > 0);
  };
  document.addEventListener("dragenter", () => over(1));
  document.addEventListener("dragleave", () => over(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(-inside);
    if (event.dataTransfer.files.length) add([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) add([...event.clipboardData.files]);
  });
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", async () => {
      const address = button.dataset.sample;
      const name = address.split("/").at(-1);
      const answer = await fetch(address).catch(() => null);
      if (!answer?.ok)
        return fail({
          name,
          title: "The sample could not be loaded",
          detail: "The detector did not answer. Check that it is running, then try again.",
        });
      const content = await answer.blob();
      add([new File([content], name, { type: content.type })]);
    });
  }
}
