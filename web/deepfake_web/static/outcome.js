// How a batch ended, where not every file was analysed.

import { element } from "./dom.js";

const MOST_NAMED = 5;

/** Nodes to show; none while files wait or are analysed, nor where nothing failed but what the reader stopped. */
export function outcome(items, again) {
  const failed = items.filter(({ status, problem }) => status === "failed" && !problem.stopped);
  if (items.length < 2 || !failed.length || items.some(({ status }) => status === "waiting" || status === "working")) return [];
  const named = failed.slice(0, MOST_NAMED).map(({ name, problem }) => `${name} (${problem.title})`);
  if (failed.length > named.length) named.push(`and ${failed.length - named.length} more`);
  const worthIt = failed.filter(({ problem }) => problem.again);
  return [
    element("p", {}, element("strong", {}, `${failed.length} of ${items.length} files could not be analysed: `), `${named.join(", ")}.`),
    ...(worthIt.length > 1 ? [element("button", { type: "button", click: () => again(worthIt) }, `Try ${worthIt.length} of them again`)] : []),
  ];
}
