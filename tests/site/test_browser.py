"""The site in a real browser, opened from the disk: on a phone, in the light and in the dark, and searched."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.microscope.browser import Browser, browser_is_installed

pytestmark = pytest.mark.skipif(not browser_is_installed(), reason="there is no chromium with its chromedriver")
# Looks until the condition holds or the seconds are over: a page that is being laid out is not yet what a reader sees.
LOOK = """
const done = arguments[arguments.length - 1], end = Date.now() + 1000 * {seconds};
const look = () => {{ const found = {value}; {holds} || Date.now() > end ? done(found) : setTimeout(look, 50); }};
look();
"""


def look(window: Browser, value: str, holds: str, seconds: int) -> Any:
    """The value of an expression, called `found` in the condition, as soon as that holds; else what it is at the end."""
    script = LOOK.format(value=value, holds=holds, seconds=seconds)
    return window.ask("POST", "/execute/async", script=script, args=[])


def pages_of(site: Path) -> list[Path]:
    """All pages but the one that only a server shows."""
    return sorted(page for page in site.rglob("*.html") if page.name != "404.html")


def test_no_page_is_wider_than_a_phone_or_complains(site: Path, window: Browser) -> None:
    window.resize(390, 844)
    wide = {}
    for page in pages_of(site):
        window.open(page)
        width = look(window, "document.documentElement.scrollWidth", "found <= 390", seconds=3)
        if width > 390:
            wide[page.name] = width
    assert wide == {}
    assert window.console() == []


@pytest.mark.parametrize(("scheme", "bright"), [("light", True), ("dark", False)])
def test_colours_follow_the_system_until_they_are_chosen(
    site: Path, window: Browser, scheme: str, bright: bool
) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    window.ask("POST", "/goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"features": [feature]})
    window.open(site / "index.html")
    window.run("localStorage.clear()")
    window.open(site / "index.html")
    colour = window.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", colour)[:3])) > 600) is bright


def test_a_search_finds_a_page_without_a_server(site: Path, window: Browser) -> None:
    window.resize(1280, 900)
    window.open(site / "index.html")
    window.click("[data-md-component=search-query]")
    for key in "warm-up":
        window.press(key)
    addresses = "[...document.querySelectorAll('.md-search-result__link')].map(link => link.href)"
    assert any("10_schedules" in address for address in look(window, addresses, "found.length", seconds=20))
