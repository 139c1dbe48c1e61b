"""Links of the documentation lead somewhere, and those into the code to a symbol that the file defines."""

import re
from pathlib import Path

import pytest

from scripts.links import chapters
from scripts.symbols import symbols
from tests.unit.docs.pages import CHINESE_PAGES, DOCS, PAGES, ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(page: Path) -> list[str]:
    """Targets of a page's links and pictures, what stands in code left out."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return LINK.findall(text)


def anchors(page: Path) -> set[str]:
    """The headings of a page as a link names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


EVERY_PAGE = pytest.mark.parametrize(
    "page", [*PAGES, *CHINESE_PAGES], ids=lambda page: page.relative_to(ROOT).as_posix()
)


@EVERY_PAGE
def test_every_link_leads_to_a_file_of_the_project(page: Path) -> None:
    files = [link.partition("#")[0] for link in links(page) if not link.startswith(("https://", "#"))]
    assert [file for file in files if not (page.parent / file).exists()] == []
    assert [file for file in files if ROOT not in (page.parent / file).resolve().parents] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_an_english_page_leads_to_the_chinese_edition_by_its_switch_alone(page: Path) -> None:
    """The two sites are built apart: of the other one only the twin of a page is linked."""
    text = page.read_text(encoding="utf-8").partition("\n")[2]
    assert [link for link in LINK.findall(text) if re.match(r"(\.\./)*((docs|tutorials)/)?zh/", link)] == []


@EVERY_PAGE
def test_every_link_to_a_heading_has_its_heading(page: Path) -> None:
    for link in links(page):
        file, _, anchor = link.partition("#")
        if anchor and not link.startswith("https://") and file.endswith((".md", "")) and not file.endswith(".py"):
            assert anchor in anchors(page.parent / file if file else page), link


WITH_LINKS = [*sorted(DOCS.rglob("*.md")), *ROOT.glob("*.md"), ROOT / "tutorials" / "README.md", *chapters()]


@pytest.mark.parametrize("page", WITH_LINKS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_into_the_code_names_a_symbol_that_the_file_defines(page: Path) -> None:
    for path, symbol in re.findall(r"\]\(([^)#\s]+\.py)#([^)\s]*)\)", page.read_text(encoding="utf-8")):
        assert symbol in symbols((page.parent / path).read_text(encoding="utf-8")), f"{path} defines no {symbol!r}"


def test_the_page_about_the_code_links_every_file_of_the_network() -> None:
    linked = {Path(link).name for link in links(DOCS / "the_code.md")}
    kinds = ("model", "heads")
    helpers = {"__init__.py", "base.py", "initialization.py", "modes.py"}  # no stage of the network
    written = {path.name for kind in kinds for path in (ROOT / "minibert" / kind).glob("*.py")} - helpers
    assert written <= linked


SOURCE = """
LIMIT = 3
class Stage:
    size: int = 1
    def __init__(self):
        self.weight, self.bias = 1, 2
    def forward(self, x):
        loss = None
        if x:
            loss = x
        return loss
def stage():
    pass
"""


def test_every_symbol_has_the_line_that_defines_it() -> None:
    assert symbols(SOURCE) == {
        "LIMIT": 2,
        "Stage": 3,
        "Stage.size": 4,
        "Stage.__init__": 5,
        "Stage.weight": 6,
        "Stage.bias": 6,
        "Stage.forward": 7,
        "Stage.forward.loss": 10,
        "stage": 12,
    }


def test_the_first_of_several_definitions_counts_unless_it_only_keeps_the_name() -> None:
    assert symbols("x = None\nx = 1\nx = 2\ny: int = 1\ny = 2\nz = None\nz = None\n") == {"x": 2, "y": 4, "z": 6}
