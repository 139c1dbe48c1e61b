"""The site in a real browser, opened from the disk: on a phone, in the light and in the dark, and searched."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

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


# Boxes that scroll sideways, each with its longest line.
WIDE_BOXES = """
return [...document.querySelectorAll(".md-content pre > code, .md-typeset__scrollwrap, .formula")]
  .filter(box => box.scrollWidth > box.clientWidth + 1)
  .map(box => box.innerText.split("\\n").sort((a, b) => b.length - a.length)[0]);
"""
# What axe finds that keeps somebody from using a page.
SERIOUS = """
const done = arguments[arguments.length - 1];
axe.run({ resultTypes: ["violations"] }).then(found => done(found.violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html.slice(0, 120)}`))));
"""
LOOKED_AT = [
    "index",
    "install",
    "the_code",
    "from_the_chapter",
    "names",
    "tutorials/index",
    "tutorials/04_attention",
    "tutorials/11_small_bert",
    "api/network",
    "minibert/model/attention",
    "zh/index",
    "zh/the_code",
    "zh/tutorials/04_attention",
]


def choose_colours(window: Browser, scheme: str) -> None:
    """Let the system ask for light or dark."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    window.ask("POST", "/goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"features": [feature]})


def search_for(window: Browser, words: str) -> list[str]:
    """The addresses that a search finds, typed a key at a time.

    Each key is a search of its own. A found address names the words that were searched for, so that it shows whose answer it is.
    """
    window.click("[data-md-component=search-query]")
    for key in words:
        window.press(key)
    addresses = "[...document.querySelectorAll('.md-search-result__link')].map(link => link.href)"
    named = r"new URL(address).searchParams.get('h').replace(/[^\w\u4e00-\u9fff]/g, '')"
    sought = json.dumps(re.sub(r"\W", "", words))
    return look(window, addresses, f"found.some(address => {named} === {sought})", seconds=20)


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
    choose_colours(window, scheme)
    window.open(site / "index.html")
    window.run("localStorage.clear()")
    window.open(site / "index.html")
    colour = window.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", colour)[:3])) > 600) is bright


def test_a_search_finds_a_page_without_a_server(site: Path, window: Browser) -> None:
    window.resize(1280, 900)
    window.open(site / "index.html")
    assert any("10_schedules" in address for address in search_for(window, "warm-up"))


@pytest.mark.parametrize("words", ["-100", "−100"])
def test_a_search_for_a_negative_number_finds_the_pages_that_say_it(site: Path, window: Browser, words: str) -> None:
    window.resize(1280, 900)
    window.open(site / "index.html")
    pages = {Path(unquote(urlsplit(address).path)) for address in search_for(window, words)}
    assert {"08_pretraining", "14_tagging", "faq"} <= {page.stem for page in pages}
    assert all(re.search(r"[−-]100", page.read_text(encoding="utf-8")) for page in pages)


@pytest.mark.parametrize(("words", "page"), [("残差连接", "05_encoder"), ("掩码比例", "08_pretraining")])
def test_a_search_in_chinese_finds_the_chapter(site: Path, window: Browser, words: str, page: str) -> None:
    window.resize(1280, 900)
    window.open(site / "zh" / "index.html")
    assert any(page in address for address in search_for(window, words))


@pytest.mark.parametrize("words", ["from_pretrained", "masked", "masking"])
def test_a_word_is_found_with_its_ending(site: Path, window: Browser, words: str) -> None:
    window.resize(1280, 900)
    window.open(site / "index.html")
    assert len(search_for(window, words)) >= 3


def test_no_code_and_no_table_scrolls_sideways_beside_the_navigation(site: Path, window: Browser) -> None:
    window.resize(1280, 900)
    wide = {}
    for page in pages_of(site):
        if 'class="highlight numbered"' not in page.read_text(
            encoding="utf-8"
        ):  # a file's own lines are as long as they are
            window.open(page)
            if boxes := window.run(WIDE_BOXES):
                wide[page.name] = boxes
    assert wide == {}


@pytest.mark.parametrize("picture", ["figures/attention.svg", "tutorials/04-heads.png"])
def test_a_picture_opens_larger_than_a_phone_shows_it(site: Path, window: Browser, picture: str) -> None:
    window.resize(390, 844)
    window.open(site / "tutorials" / "04_attention.html")
    name = Path(picture).name
    shown = window.run("return document.querySelector(`.picture img[src$='${arguments[0]}']`).clientWidth", name)
    window.click(f".picture:has(img[src$='{name}'])")
    assert urlsplit(window.run("return location.href")).path.endswith(picture)
    opened = "(document.images[0]?.naturalWidth ?? document.documentElement.clientWidth)"
    assert look(window, opened, f"found > {shown}", seconds=3) > shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious(site: Path, window: Browser, width: int, scheme: str) -> None:
    found = importlib.util.find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    axe = Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8")
    window.resize(width, 900)
    choose_colours(window, scheme)
    serious = {}
    for name in LOOKED_AT:
        window.open(site / f"{name}.html")
        window.run(axe)
        if places := window.ask("POST", "/execute/async", script=SERIOUS, args=[]):
            serious[name] = places
    assert serious == {}, json.dumps(serious, indent=2, ensure_ascii=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_in_any_view_of_the_playground(site: Path, window: Browser, width: int, scheme: str) -> None:
    found = importlib.util.find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    window.resize(width, 900)
    choose_colours(window, scheme)
    window.open(site / "playground.html")
    window.run(Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
    window.run("document.querySelector('[data-key=tour]').click()")
    quiet = "app.questions.open && !app.questions.running && app.questions.waiting.size === 0"
    for button in ("tour", "compare"):  # with the tour below, then with two texts
        window.run("document.querySelector(`[data-key=${arguments[0]}]`).click()", button)
        for view in ("heads", "layers", "stages", "change", "influence"):
            window.run("app.open(arguments[0])", view)
            assert look(window, quiet, "found", seconds=20)
            assert window.ask("POST", "/execute/async", script=SERIOUS, args=[]) == [], (button, view)
