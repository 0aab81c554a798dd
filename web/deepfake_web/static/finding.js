// A result, whole: the verdict, where and when it comes from, the networks, the file, and what can be saved.

import { aboutFile } from "./about.js";
import { bullets, clock, element, fixed } from "./dom.js";
import { framePicture } from "./frame.js";
import { networksTable } from "./networks.js";
import { player } from "./player.js";
import { saving } from "./save.js";
import { timeline } from "./timeline.js";
import { verdict } from "./verdict.js";
import { viewer } from "./viewer.js";

const MOST_SHOWN = 8; // of the frames in the order of their likelihood; the rest on demand

/** The article of one finished item, which is marked `saved` once something of it was; `words` are the server's. */
export function finding(item, words) {
  const { name, address, result } = item;
  const { frames } = result;
  const ranked = frames
    .map((_, index) => index)
    .sort((a, b) => (frames[b].confidence ?? -1) - (frames[a].confidence ?? -1));
  let current = ranked[0];
  const views = [];
  const pick = (index) => {
    current = index;
    for (const view of views) view.show(index);
  };
  const several = frames.length > 1 && result.confidence !== null;
  const where = viewer(result, (step) => pick((current + step + frames.length) % frames.length));
  const when = several && timeline(result, pick);
  const highest = several && ranking(result, ranked, pick);
  const video = result.file_type === "video" && player(address, frames, pick);
  views.push(...[where, when, highest, video].filter(Boolean));
  const saved = () => {
    item.saved = true;
  };
  const node = element(
    "article",
    { class: "finding", "aria-label": name },
    element("div", { class: "summary" }, verdict(name, result, words), saving(item, saved)),
    part("where", result.confidence === null ? "What was analysed" : "Where the verdict comes from", where, video),
    when && part("when", "Along the clip", when),
    result.networks && networksTable(result, words),
    highest && part("top", "Frames with the highest likelihood", highest),
    aboutFile(result, words),
    part("limits", "Limits of the method", { node: bullets(words.limits_of_method) }),
  );
  pick(current);
  return node;
}

function part(name, title, ...views) {
  return element(
    "section",
    { class: name },
    element("h3", {}, title),
    views.filter(Boolean).map((view) => view.node),
  );
}

/** The frames as buttons, the highest likelihood first: { node, show(index) }. */
function ranking(result, ranked, pick) {
  const buttons = new Map(ranked.map((index) => [index, frameButton(result, index, pick)]));
  const place = (index) => element("li", {}, buttons.get(index));
  const list = element("ol", { class: "frames" }, ranked.slice(0, MOST_SHOWN).map(place));
  const rest = ranked.slice(MOST_SHOWN);
  const click = ({ target }) => {
    list.append(...rest.map(place));
    target.remove();
    buttons.get(rest[0]).focus();
  };
  const more = element("button", { type: "button", class: "quiet", click }, `Show all ${ranked.length} frames`);
  const show = (current) => {
    for (const [index, button] of buttons) button.setAttribute("aria-pressed", index === current);
  };
  return { node: element("div", {}, list, rest.length > 0 && more), show };
}

function frameButton({ frames, media, threshold }, index, pick) {
  const frame = frames[index];
  const what = frame.confidence === null ? "no face" : fixed(frame.confidence);
  return element(
    "button",
    { type: "button", class: "frame", click: () => pick(index) },
    framePicture(frame, media, threshold, { "aria-hidden": "true" }),
    element("span", {}, `${clock(frame.time_s)} · ${what}`),
  );
}
