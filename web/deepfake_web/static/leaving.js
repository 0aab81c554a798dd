// Before the page is left: asks where something would be lost. Only the browser's own question can hold it back.

const isAtStake = ({ status, saved }) => status === "waiting" || status === "working" || (status === "done" && !saved);

/** Work in line or under way, and results of which nothing was saved; a browser asks only who has used the page. */
export function askBeforeLeaving(items) {
  window.addEventListener("beforeunload", (event) => {
    if (!items.some(isAtStake)) return;
    event.preventDefault();
    event.returnValue = true; // what Chromium before 119 and older Safari look at
  });
}
