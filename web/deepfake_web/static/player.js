// The clip itself, where the browser can play it: it follows the frame that is shown, and leads it when it runs.

import { element } from "./dom.js";

/** { node, show(index) }; the node says so where the browser can't play the file. */
export function player(address, frames, pick) {
  const video = element("video", { controls: true, playsinline: true, preload: "auto", "aria-label": "The clip" });
  const node = element("details", { class: "player" }, element("summary", {}, "Play the clip"), video);
  let current = 0;
  node.addEventListener("toggle", () => {
    if (node.open && !video.src) {
      video.src = address;
      video.currentTime = frames[current].time_s;
    }
  });
  video.addEventListener("error", () => {
    video.replaceWith(
      element("p", { class: "small" }, "This browser can't play the file; the frames above come from the server."),
    );
  });
  video.addEventListener("timeupdate", () => {
    if (video.paused) return;
    const passed = frames.findLastIndex((frame) => frame.time_s <= video.currentTime);
    if (passed >= 0 && passed !== current) pick(passed);
  });
  const show = (index) => {
    current = index;
    if (video.src && video.paused) video.currentTime = frames[index].time_s;
  };
  return { node, show };
}
