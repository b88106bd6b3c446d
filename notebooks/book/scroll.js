// A table or a code that is wider than the page scrolls by itself; by keyboard it can do so only
// where Tab stops at it. The theme looks at code when a page is opened; what is unfolded later, and
// tables, are looked at here.
const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    const box = target.closest("table, pre");
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
});

addEventListener("load", () => {
  const parts = document.querySelectorAll(".bd-content :is(table, tbody, pre)");
  for (const part of parts) sizes.observe(part);
});
