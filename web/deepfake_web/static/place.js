// The reader's place in the page, while the page changes.

/**
 * Exchanges what is in `now`. Its title gets the focus from what is gone, or if nothing has it, and takes it from nobody;
 * who had scrolled into what is gone sees the new one's top.
 */
export function exchange(now, view) {
  const free = document.activeElement === document.body || now.contains(document.activeElement);
  const above = now.getBoundingClientRect().top < 0;
  now.replaceChildren(...(view ? [view] : []));
  if (free) now.querySelector("h2")?.focus({ preventScroll: true });
  if (above) now.scrollIntoView();
}

/** Makes a change above `now`: what is read there does not move in the window. */
export function changeAbove(now, change) {
  const before = now.getBoundingClientRect().top;
  change();
  // Most browsers see to it by themselves.
  if (before < 0 && !CSS.supports("overflow-anchor", "auto"))
    window.scrollBy(0, now.getBoundingClientRect().top - before);
}
