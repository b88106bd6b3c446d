// A table that is wider than the page scrolls by itself; by keyboard it can do so only where Tab stops at it.
const sizes = new ResizeObserver(changed => changed.forEach(({ target }) => {
  const table = target.closest("table");
  if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
  else table.removeAttribute("tabindex");
}));
addEventListener("load", () => document.querySelectorAll(".bd-content :is(table, tbody)").forEach(part => sizes.observe(part)));
