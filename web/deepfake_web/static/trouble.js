// What went wrong: with a file for good, with a file for now, with a batch.

import { element } from "./dom.js";

const MOST_NAMED = 5; // files that failed

/** The end of it, and another try where one can help. */
export function refusal(name, { title, detail, again }, retry) {
  return element(
    "section",
    { class: "problem", role: "alert" },
    element("p", { class: "file-name" }, name),
    element("h2", { tabindex: -1 }, title),
    element("p", {}, detail),
    again && element("button", { type: "button", click: retry }, "Try again"),
  );
}

/**
 * The wait before it is sent again: why, how long still, and the ways out.
 * { node, over, giveUp }: `over` resolves when the time has passed or the reader does not want to wait, and rejects with
 * the problem when the reader gives up. `tick` is called with the whole seconds that are left.
 */
export function pausing(name, problem, seconds, tick) {
  const until = performance.now() + 1000 * seconds;
  const left = element("p", { class: "countdown", role: "timer" });
  let stop, go;
  const over = new Promise((resolve, reject) => ([go, stop] = [resolve, () => reject(problem)]));
  // By the clock: timers of a tab in the background are late.
  const clock = setInterval(count, 1000);
  over.catch(() => {}).finally(() => clearInterval(clock));

  function count() {
    const still = Math.ceil((until - performance.now()) / 1000);
    if (still <= 0) return go();
    left.textContent = `Trying again in ${still} s.`;
    tick(still);
  }

  const node = element(
    "section",
    { class: "problem pausing", "aria-label": `Pause before ${name} is tried again` },
    element("p", { class: "file-name" }, name),
    element("h2", { tabindex: -1 }, problem.title),
    element("p", {}, problem.detail),
    left,
    element(
      "p",
      { class: "choices" },
      element("button", { type: "button", click: () => go() }, "Try now"),
      element("button", { type: "button", class: "quiet", click: () => stop() }, "Give up"),
    ),
  );
  count();
  return { node, over, giveUp: stop };
}

/** How a batch ended where not every file was analysed: nodes to show; none while files wait or are analysed, nor where nothing failed but what the reader stopped. */
export function outcome(items, again) {
  const failed = items.filter(({ status, problem }) => status === "failed" && !problem.stopped);
  if (items.length < 2 || !failed.length || items.some(({ status }) => status === "waiting" || status === "working"))
    return [];
  const named = failed.slice(0, MOST_NAMED).map(({ name, problem }) => `${name} (${problem.title})`);
  if (failed.length > named.length) named.push(`and ${failed.length - named.length} more`);
  const worthIt = failed.filter(({ problem }) => problem.again);
  const whom = worthIt.length < failed.length ? `${worthIt.length} of them` : failed.length > 1 ? "them" : "it";
  return [
    element(
      "p",
      {},
      element("strong", {}, `${failed.length} of ${items.length} files could not be analysed: `),
      `${named.join(", ")}.`,
    ),
    ...(worthIt.length
      ? [element("button", { type: "button", click: () => again(worthIt) }, `Try ${whom} again`)]
      : []),
  ];
}
