"""The site in a real browser, opened from the disk: on a phone, in the light and in the dark, and searched."""

import re
from pathlib import Path

import pytest

from tests.unit.microscope.browser import Browser, browser_is_installed

pytestmark = pytest.mark.skipif(not browser_is_installed(), reason="there is no chromium with its chromedriver")
WAIT = "const done = arguments[arguments.length - 1]; const look = () => {{ const found = {}; found ? done(found) : setTimeout(look, 50); }}; look();"


def wait_for(window: Browser, expression: str) -> str:
    """The value of an expression as soon as it is one."""
    return window.ask("POST", "/execute/async", script=WAIT.format(expression), args=[])


def test_no_page_is_wider_than_a_phone(site: Path, window: Browser) -> None:
    window.resize(390, 844)
    wide = {}
    for page in sorted(site.rglob("*.html")):
        window.open(page)
        width = window.run("return document.documentElement.scrollWidth")
        if width > 390:
            wide[page.name] = width
    assert wide == {}


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
    assert "10_schedules" in wait_for(
        window, "[...document.querySelectorAll('.md-search-result__link')].map(a => a.href).join(' ')"
    )


def test_nothing_complains(site: Path, window: Browser) -> None:
    for name in ("index.html", "the_code.html", "tutorials/04_attention.html", "api/network.html"):
        window.open(site / name)
    assert window.console() == []
