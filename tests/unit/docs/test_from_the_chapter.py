"""The page "from the chapter to the code" answers to every heading, class and formula of the chapter.

The chapter itself is not part of the project: `chapter.json` lists its headings, in order, and what each brings up. That every symbol
is where its link says is tested with all other links in `test_links.py`.
"""

import ast
import json
import re
from pathlib import Path

import pytest

import minibert
from scripts.symbols import SYMBOL_LINK
from tests.unit.docs.pages import DOCS

CHAPTER = json.loads(Path(__file__).with_name("chapter.json").read_text(encoding="utf-8"))
PAGE = (DOCS / "from_the_chapter.md").read_text(encoding="utf-8")


def sections() -> list[tuple[str, list[list[str]]]]:
    """Headings of the page and the rows below each: three cells."""
    found: list[tuple[str, list[list[str]]]] = []
    for line in PAGE.splitlines():
        if heading := re.fullmatch(r"#{2,} (.+)", line):
            found.append((heading[1], []))
        elif line.startswith("|") and not line.startswith(("| in the chapter", "|---")):
            found[-1][1].append([cell.strip() for cell in line.strip("|").split("|")])
    return found[:-1]  # the last one is about what the chapter leaves out


ROWS = [row for _, rows in sections() for row in rows]


def test_the_headings_are_the_chapters_in_its_order() -> None:
    assert [heading for heading, _ in sections()] == [part["heading"] for part in CHAPTER]


@pytest.mark.parametrize("part", CHAPTER, ids=lambda part: part["heading"])
def test_everything_below_a_heading_has_a_row(part: dict[str, list[str]]) -> None:
    rows = dict(sections())[part["heading"]]
    assert [row[0].replace("`", "") for row in rows] == part["names"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_leads_to_a_symbol_of_the_code(row: list[str]) -> None:
    assert len(row) == 3
    assert SYMBOL_LINK.search(row[1]), "a row's second cell links a symbol: [`Symbol`](../path.py#Symbol)"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_has_the_same_name_here_is_linked_under_it(row: list[str]) -> None:
    name = row[0].strip("`")
    here = getattr(minibert, name, None) if name in minibert.__all__ else None
    if here is not None and getattr(here, "__name__", name) == name:  # the thing itself, and no second name of another
        link = SYMBOL_LINK.search(row[1])
        assert link is not None
        assert link["symbol"] == name


@pytest.mark.parametrize("row", [row for row in ROWS if row[0].startswith("program: ")], ids=lambda row: row[0])
def test_a_program_of_the_chapter_is_one_that_runs_with_both_libraries(row: list[str]) -> None:
    link = SYMBOL_LINK.search(row[1])
    assert link is not None
    program = DOCS / link["path"]
    assert program.parent.name == "chapter"
    modules = {
        node.module for node in ast.walk(ast.parse(program.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
    }
    assert "transformers" in modules
