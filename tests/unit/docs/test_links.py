"""Links of the documentation lead somewhere, and those into the code to the line they name."""

import re
from pathlib import Path

import pytest

from scripts.line_links import LINE_LINK, line_of, main, with_lines
from tests.unit.docs.pages import DOCS, PAGES, ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")


def links(page: Path) -> list[str]:
    """Targets of a page's links and pictures, what stands in code left out."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return LINK.findall(text)


def anchors(page: Path) -> set[str]:
    """The headings of a page as a link names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_to_a_file_of_the_project(page: Path) -> None:
    files = [link.partition("#")[0] for link in links(page) if not link.startswith(("https://", "#"))]
    assert [file for file in files if not (page.parent / file).exists()] == []
    assert [file for file in files if ROOT not in (page.parent / file).resolve().parents] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_to_a_heading_has_its_heading(page: Path) -> None:
    for link in links(page):
        file, _, anchor = link.partition("#")
        if anchor and not link.startswith("https://") and file.endswith((".md", "")) and not file.endswith(".py"):
            assert anchor in anchors(page.parent / file if file else page), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_to_a_line_names_the_line_of_its_symbol(page: Path) -> None:
    _, wrong = with_lines(page, page.read_text(encoding="utf-8"))
    assert not wrong, "\n".join([*wrong, "To correct the lines: python scripts/line_links.py"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_line_is_never_linked_without_the_symbol_that_stands_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count(".py#L") == len(LINE_LINK.findall(text))


def test_the_page_about_the_code_links_every_file_of_the_network() -> None:
    linked = {Path(link).name for link in links(DOCS / "the_code.md")}
    kinds = ("model", "heads")
    helpers = {"__init__.py", "base.py", "initialization.py"}  # named by their functions
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


@pytest.mark.parametrize(
    ("symbol", "line"),
    [
        ("LIMIT", 2),
        ("Stage", 3),
        ("Stage.size", 4),
        ("Stage.bias", 6),
        ("Stage.forward", 7),
        ("Stage.forward.loss", 10),
        ("stage", 12),
        ("loss", None),
        ("Stage.stage", None),
        ("weight", None),
    ],
)
def test_a_symbol_is_found_where_it_is_defined(symbol: str, line: int | None) -> None:
    assert line_of(SOURCE, symbol) == line


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with a link to a line, right for `Stage` and wrong for `stage`."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "code.py").write_text(SOURCE, encoding="utf-8")
    page = tmp_path / "docs" / "page.md"
    page.write_text("[`Stage`](../code.py#L3) and [`stage`](../code.py#L1)\n", encoding="utf-8")
    monkeypatch.setattr("scripts.line_links.ROOT", tmp_path)
    return page


def test_checking_names_what_has_moved_and_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = project.read_text(encoding="utf-8")
    assert main(["--check"]) == 1
    assert capsys.readouterr().err == "page.md: `stage` stands on line 12 of ../code.py, not 1.\n"
    assert project.read_text(encoding="utf-8") == before


def test_correcting_changes_the_lines_and_nothing_else(project: Path) -> None:
    assert main([]) == 0
    assert project.read_text(encoding="utf-8") == "[`Stage`](../code.py#L3) and [`stage`](../code.py#L12)\n"
    assert main(["--check"]) == 0


def test_a_symbol_that_is_gone_is_left_to_the_writer(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_text("[`Gone`](../code.py#L3)\n", encoding="utf-8")
    assert main([]) == 1
    assert capsys.readouterr().err == "page.md: ../code.py has no `Gone`. Correct the link by hand.\n"
