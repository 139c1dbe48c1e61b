"""Every link of the built site leads somewhere on it, and nothing that a page needs lies elsewhere."""

from __future__ import annotations

import ast
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
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
        self.pictures: dict[str, tuple[str, str]] = {}  # where a picture is: what it leads to, and what is said of it
        self.description = ""
        self.text = page.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.places |= {of.get("id") or "", (tag == "a" and of.get("name")) or ""}
        if tag == "meta" and of.get("name") == "description":
            self.description = of.get("content") or ""
        if tag == "img":
            self.pictures[of.get("src") or ""] = (self.links[-1], of.get("alt") or "")
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
            states = target.name == "playground.html"  # behind the # is what it shows, such as its language
            known = target not in pages or states or unquote(parts.fragment) in pages[target].places
            if not target.is_file() or not known:
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


@pytest.mark.parametrize("edition", ["", "zh"])
def test_every_chapter_is_there_with_its_output_and_pictures(
    pages: dict[Path, Links], site: Path, edition: str
) -> None:
    contents = pages[site / edition / "tutorials" / "index.html"]
    for chapter in (TUTORIALS / edition).glob("[0-9][0-9]_*.py"):
        page = pages[site / edition / "tutorials" / f"{chapter.stem}.html"]
        assert page.text.count('class="output highlight"') > 3
        plots = plots_of(chapter)
        assert plots
        assert not re.search(r"Glyph \d+|no font with Chinese", page.text), "a plot has boxes in the place of letters"
        assert {f"{name}.png": (f"{name}.png", seen) for name, seen in plots.items()}.items() <= page.pictures.items()
        assert f"{chapter.stem}.html" in contents.links


def plots_of(chapter: Path) -> dict[str, str]:
    """The plots that a chapter shows by their names, each with what the chapter says is seen in it."""
    calls = [node for node in ast.walk(ast.parse(chapter.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    shown = [
        [ast.literal_eval(argument) for argument in call.args[1:]] for call in calls if ast.unparse(call.func) == "show"
    ]
    return dict(shown)


def test_every_chapter_has_a_drawing_and_a_notebook(pages: dict[Path, Links], site: Path) -> None:
    for chapter in TUTORIALS.glob("[0-9][0-9]_*.py"):
        page = pages[site / "tutorials" / f"{chapter.stem}.html"]
        assert any(name.endswith(".svg") for name in page.pictures), chapter.stem
        assert f"{chapter.stem}.ipynb" in page.links
        notebook = nbformat.read(site / "tutorials" / f"{chapter.stem}.ipynb", as_version=4)
        nbformat.validate(notebook)
        assert len(notebook.cells) == len(re.findall("^# %%", chapter.read_text(encoding="utf-8"), re.MULTILINE))
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        told = {output.metadata["image/png"]["alt"] for output in outputs if "image/png" in output.get("data", {})}
        assert told == set(plots_of(chapter).values())


def words_in(text: str) -> float:
    """How long a text is: a Chinese character says about what three Latin letters say."""
    return len(text) + 2 * len(re.findall(r"[\u4e00-\u9fff]", text))


def test_a_picture_says_what_is_seen_and_opens(pages: dict[Path, Links]) -> None:
    for page, content in pages.items():
        for source, (leads_to, seen) in content.pictures.items():
            assert leads_to == source, page.name
            assert words_in(seen) > 60, (page.name, source)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_has_a_title_and_a_description_of_its_own(
    site: Path, pages: dict[Path, Links], language: str
) -> None:
    edition = [content for page, content in pages.items() if (site / "zh" in page.parents) == (language == "zh")]
    titles = Counter(re.findall(r"<title>(.*?)</title>", content.text)[0] for content in edition)
    assert [title for title, count in titles.items() if count > 1 or title == "minibert - minibert"] == []
    described = Counter(content.description for content in edition)
    short = [text for text in described if words_in(text) <= 30 or len(text) > 200]
    assert [text for text, count in described.items() if count > 1] + short == []


def test_the_chinese_pages_show_chinese_drawings(site: Path) -> None:
    for drawing in (site / "figures").glob("*.svg"):
        chinese = (site / "zh" / "figures" / drawing.name).read_text(encoding="utf-8")
        assert re.search(r"<title[^>]*>[^<]*[\u4e00-\u9fff]", chinese), drawing.name
        assert not re.search(r"[\u4e00-\u9fff]", drawing.read_text(encoding="utf-8")), drawing.name


def test_every_page_leads_to_itself_in_the_other_language(site: Path, pages: dict[Path, Links]) -> None:
    for page, content in pages.items():
        if page.name == "playground.html":
            continue
        chinese = site / "zh" in page.parents
        other = site / page.relative_to(site / "zh") if chinese else site / "zh" / page.relative_to(site)
        found = dict(re.findall(r'<a href="([^"]+)" hreflang="(en|zh)"', content.text))
        (link,) = (link for link, language in found.items() if language == ("en" if chinese else "zh"))
        assert (page.parent / link).resolve() == other


def test_the_chinese_pages_are_in_chinese(site: Path, pages: dict[Path, Links]) -> None:
    for name in (
        "index",
        "the_code",
        "faq",
        "security",
        "tutorials/index",
        "tutorials/04_attention",
        "tutorials/your_bert/index",
    ):
        text = pages[site / "zh" / f"{name}.html"].text
        assert '<html lang="zh"' in text
        assert len(re.findall(r"[\u4e00-\u9fff]", text)) > 500, name


def test_the_arguments_of_a_class_are_told_one_by_one(pages: dict[Path, Links], site: Path) -> None:
    text = pages[site / "api" / "network.html"].text
    for argument in ("hidden_act", "max_position_embeddings", "type_vocab_size", "initializer_range"):
        assert f"<li><code>{argument}</code>: " in text
    assert "<p><strong>Dropout</strong></p>" in text


@pytest.mark.parametrize("number", ["03", "04", "05", "06", "09", "10", "11", "12", "13", "14", "15", "16"])
def test_a_chapters_equations_are_set_as_equations(pages: dict[Path, Links], site: Path, number: str) -> None:
    (page,) = (site / "tutorials").glob(f"{number}_*.html")
    assert 'display="block"' in pages[page].text


def test_formulas_are_drawn_without_a_script(pages: dict[Path, Links], site: Path) -> None:
    assert pages[site / "the_code.html"].text.count("<math ") > 50
    for content in pages.values():
        assert "arithmatex" not in content.text
        assert not re.search(r"\$\$|\\mathrm\{", re.sub(r"<(code|script)\b.*?</\1>", "", content.text, flags=re.DOTALL))


def test_everything_that_minibert_exports_is_in_the_reference(pages: dict[Path, Links], site: Path) -> None:
    places = {place for page in (site / "api").glob("*.html") for place in pages[page].places}
    names = {place.rpartition(".")[2] for place in places}
    assert {name for name in minibert.__all__ if callable(getattr(minibert, name))} <= names
