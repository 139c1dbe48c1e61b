// Code and tables that are wider than the page scroll in their own box: who has no mouse reaches the box with the tab key.
addEventListener("load", () => {
  const sizes = new ResizeObserver(changes => changes.forEach(({ target }) => {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }));
  document.querySelectorAll("pre, pre > code, .md-typeset__scrollwrap, .formula").forEach(box => sizes.observe(box));
});
