"""What every chapter has in common, whether or not it can be run here."""

import ast
import re
from pathlib import Path

import pytest

from tests.tutorials.places import ROOT, TUTORIALS

CHAPTERS = sorted(TUTORIALS.glob("[0-9][0-9]_*.py"))
PAGES = [*CHAPTERS, TUTORIALS / "README.md"]


def cells(chapter: Path) -> list[str]:
    """The chapter cut at its `# %%` lines; the first part is the notebook's header."""
    return re.split(r"^# %%", chapter.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_there_are_chapters() -> None:
    assert CHAPTERS


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_link_leads_to_a_file(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    prose = "\n".join(line for line in lines if page.suffix == ".md" or line.startswith("#"))
    links = re.findall(r"\]\(([^)#]+)\)", prose)
    assert links
    missing = [link for link in links if not link.startswith("https://") and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_is_a_notebook_in_percent_form(chapter: Path) -> None:
    header, *rest = cells(chapter)
    assert "format_name: percent" in header
    assert rest[0].startswith(f" [markdown]\n# # {int(chapter.name[:2])} · ")
    for cell in rest:
        first, *lines = cell.splitlines()
        assert first in ("", " [markdown]")
        if first:
            assert all(line.startswith("#") for line in lines if line), lines


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_asks_before_it_shows_and_ends_with_a_summary(chapter: Path) -> None:
    text = chapter.read_text(encoding="utf-8")
    assert text.count("What do you expect") >= 3
    assert re.search(r"^show\(\s*figure,", text, re.MULTILINE)
    last = cells(chapter)[-1]
    for part in (
        "## Summary",
        "**The code",
        "../minibert/" if chapter.name[:2] != "01" else "bert_in_one_page.py",
        "**Exercises",
    ):
        assert part in last
    number = int(chapter.name[:2])
    assert f"exercises/{chapter.name}" in last
    assert f"`minibert check {number}`" in last


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_no_cell_ends_with_a_value_that_a_notebook_would_show(chapter: Path) -> None:
    for cell in cells(chapter)[1:]:
        if not cell.startswith(" [markdown]"):
            last = ast.parse(cell.partition("\n")[2]).body[-1]
            said_or_shown = re.match(
                r"(print|show|draw_\w+|[\w.()\"]+\.setLevel)\(", ast.unparse(last).replace("'", '"')
            )
            assert not isinstance(last, ast.Expr) or said_or_shown, ast.unparse(last)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_cell_ends_with_its_picture_so_that_a_notebook_shows_it(chapter: Path) -> None:
    for cell in cells(chapter)[1:]:
        if re.search(r"^show\(", cell, re.MULTILINE) and not cell.startswith(" [markdown]"):
            assert ast.unparse(ast.parse(cell.partition("\n")[2]).body[-1]).startswith("show(figure, ")


def test_a_chapter_has_exercises_and_exercises_have_a_chapter() -> None:
    exercises = {path.name for path in (TUTORIALS / "exercises").glob("*.py")}
    assert {path.name for path in CHAPTERS} == exercises


def test_the_table_of_chapters_names_every_chapter() -> None:
    table = (TUTORIALS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d\d_\w+\.py)\)", table) == [path.name for path in CHAPTERS]
    assert "tutorials/README.md" in (ROOT / "README.md").read_text(encoding="utf-8")
