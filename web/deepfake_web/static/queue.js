// One file after the other. What fails for a passing reason is sent again, a few times; then the rest goes on.

import { analyse } from "./analysis.js";
import { pausing } from "./trouble.js";
import { working } from "./working.js";

const MOST_PAUSES = 5; // of a second, then twice as long each time, or as long as the detector asks for

/**
 * Returns what begins with the items that wait, if none is under way. `begun` and `ended` are called with the item at
 * each try and at its end, `changed` at each second of a pause; `say` gets sentences for a screen reader. `ready` is
 * awaited before there is a result.
 */
export function queue(items, { say, begun, changed, ready, ended }) {
  let pauses = 0;
  ready.catch(() => {}); // told with the first result

  async function next() {
    const item = items.find(({ status }) => status === "waiting");
    if (!item || items.some(({ status }) => status === "working")) return;
    item.status = "working";
    try {
      const answer = await answered(item);
      await ready;
      Object.assign(item, { status: "done", ...answer });
      pauses = 0;
    } catch (problem) {
      Object.assign(item, { status: "failed", problem });
      // A detector that can't be reached is waited for once, not once for each file.
      if (!problem.lost) pauses = 0;
    }
    // They hold the whole answer as text.
    delete item.view;
    delete item.stop;
    ended(item);
    next();
  }

  async function answered(item) {
    for (;;) {
      try {
        return await attempt(item);
      } catch (problem) {
        if (!problem.passing || pauses >= MOST_PAUSES) throw problem;
        await pause(item, problem);
      }
    }
  }

  function attempt(item) {
    item.view = working(item.name, say, () => item.stop());
    const { finished, stop } = analyse(item, item.view);
    item.stop = stop;
    begun(item);
    return finished;
  }

  async function pause(item, problem) {
    const seconds = Math.max(problem.retryAfter ?? 0, 2 ** pauses);
    pauses += 1;
    item.view = pausing(item.name, problem, seconds, (left) => {
      item.pause = left;
      changed();
    });
    item.stop = item.view.giveUp;
    say(`${item.name}: ${problem.title}. Trying again in ${seconds} s.`);
    changed();
    await item.view.over.finally(() => delete item.pause);
  }

  return () => {
    pauses = 0; // somebody asked for it
    next();
  };
}
