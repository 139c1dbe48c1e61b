"""Every link of the built site leads somewhere on it, and nothing that a page needs lies elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import minibert
from tests.tutorials.places import TUTORIALS


class Links(HTMLParser):
    """What a page links to, what it loads, and the places in it that a link can lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = {""}
        self.text = page.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.places |= {of.get("id") or "", (tag == "a" and of.get("name")) or ""}
        if tag == "a":
            self.links.append(of.get("href") or "")
        elif tag == "link" and of.get("rel") not in ("canonical", "next", "prev"):
            self.loads.append(of.get("href") or "")
        else:
            self.loads.append(of.get("src") or "")


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Links]:
    return {page: Links(page) for page in site.rglob("*.html") if page.name != "404.html"}  # whose links are absolute


def test_every_link_leads_to_a_page_and_a_place_in_it(pages: dict[Path, Links]) -> None:
    broken = []
    for page, content in pages.items():
        for link in {*content.links, *content.loads}:
            parts = urlsplit(link)
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if parts.scheme or parts.netloc or link in ("", "#"):
                continue
            if not target.is_file() or (target in pages and unquote(parts.fragment) not in pages[target].places):
                broken.append(f"{page.name}: {link}")
    assert broken == []


def test_no_page_loads_anything_from_elsewhere(site: Path, pages: dict[Path, Links]) -> None:
    assert {load for content in pages.values() for load in content.loads if urlsplit(load).netloc} == set()
    styles = "".join(style.read_text(encoding="utf-8") for style in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", styles) == []


def test_a_link_into_the_code_leads_to_the_line_of_its_symbol(site: Path, pages: dict[Path, Links]) -> None:
    page = site / "minibert" / "model" / "attention.html"
    source = Path(minibert.__file__).parent / "model" / "attention.py"
    lines = source.read_text(encoding="utf-8").splitlines()
    assert {f"L{number}" for number in range(1, len(lines) + 1)} <= pages[page].places
    number = lines.index("class BertSelfAttention(nn.Module):") + 1
    (line,) = re.findall(rf'<span id="L{number}">.*', pages[page].text)
    assert '<span id="BertSelfAttention"></span>' in line
    assert "minibert/model/attention.html#BertSelfAttention" in pages[site / "the_code.html"].links


def test_every_chapter_is_there_with_its_output_and_pictures(pages: dict[Path, Links], site: Path) -> None:
    contents = pages[site / "tutorials" / "index.html"]
    for chapter in TUTORIALS.glob("[0-9][0-9]_*.py"):
        page = pages[site / "tutorials" / f"{chapter.stem}.html"]
        assert page.text.count('class="output highlight"') > 3
        names = re.findall(r'show\(figure, "(.+?)"\)', chapter.read_text(encoding="utf-8"))
        assert names
        assert {f"{name}.png" for name in names} <= set(page.loads)
        assert f"{chapter.stem}.html" in contents.links


def test_formulas_are_drawn_without_a_script(pages: dict[Path, Links], site: Path) -> None:
    assert pages[site / "the_code.html"].text.count("<math ") > 50
    for content in pages.values():
        assert "arithmatex" not in content.text
        assert not re.search(r"\$\$|\\mathrm\{", re.sub(r"<(code|script)\b.*?</\1>", "", content.text, flags=re.DOTALL))


def test_everything_that_minibert_exports_is_in_the_reference(pages: dict[Path, Links], site: Path) -> None:
    places = {place for page in (site / "api").glob("*.html") for place in pages[page].places}
    names = {place.rpartition(".")[2] for place in places}
    assert {name for name in minibert.__all__ if callable(getattr(minibert, name))} <= names
