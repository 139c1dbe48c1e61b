"""The page "the course, then and now" lists every program, and what it says of minibert is so."""

import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import minibert
from tests.unit import chapter_checkpoints
from tests.unit.docs.pages import DOCS, ROOT

sys.path.insert(0, str(ROOT / "tests" / "parity" / "old"))

import course_programs

from scripts import then_and_now
from scripts.links import twin
from scripts.then_and_now_chinese import TITLES, chinese_title, in_chinese
from scripts.translations import MARK

PAGE = (DOCS / "then_and_now.md").read_text(encoding="utf-8")
TABLE = PAGE.partition(then_and_now.BEGIN)[2].partition(then_and_now.END)[0]
LINES = re.findall(r"^\| \[(.+)\]\((\S+)\) \| (.+?) \| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE)


@pytest.fixture(scope="module")
def _checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("chapter")
    chapter_checkpoints.write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIBERT_CHAPTER", str(folder))
        yield


def test_the_table_has_every_program_in_order() -> None:
    assert [(title, link) for title, link, *_ in LINES] == [(row.title, row.link) for row in then_and_now.rows()]


def test_the_chinese_page_has_the_same_table_in_chinese() -> None:
    page = MARK.sub("", twin(then_and_now.PAGE).read_text(encoding="utf-8"))
    table = page.partition(then_and_now.BEGIN)[2].partition(then_and_now.END)[0]
    assert table.split() == in_chinese(TABLE).split(), "make then-and-now"
    assert re.findall(r"\| (?:runs|equal|another|\S+ apart)[^|]*\|", table) == []


def test_every_program_has_its_title_in_chinese() -> None:
    titles = [row.title for row in then_and_now.rows()]
    assert set(TITLES) <= set(titles)
    assert all(map(chinese_title, titles))
    with pytest.raises(KeyError, match="has no Chinese for '`f` of a model'"):
        chinese_title("`f` of a model")


def test_then_they_all_ran_and_here_all_are_equal() -> None:
    assert {then for _, _, then, _, _ in LINES} == {"runs"}
    assert {here for *_, here in LINES} == {"equal"}
    assert f"| minibert | {len(LINES)} | 0 | 0 | 0 |" in TABLE


@pytest.mark.usefixtures("_checkpoints")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", course_programs.all_programs())
def test_a_program_runs_here_and_finds_what_it_computes_by_hand(name: str) -> None:
    result = course_programs.all_programs()[name](minibert)
    assert not isinstance(result, dict) or result.get("equal", True) is True


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        ([1, 2], [1, 2], "equal"),
        ([1, 2], [1, 3], "another result"),
        ('failed with x:\nTraceback …\n  File "a"\nValueError: no | such\nthing', 1, "`ValueError: no ¦ such`"),
        ({"a": torch.tensor([math.nan])}, {"a": torch.tensor([math.nan])}, "another result: inf apart"),
        ({"a": torch.ones(2)}, {"a": torch.ones(2)}, "equal"),
        ({"a": [1]}, {"a": [1], "b": 2}, "another result: 1 values for 2"),
    ],
)
def test_what_is_said_of_a_result(found: object, expected: object, said: str) -> None:
    assert then_and_now.beside(found, expected) == said


def test_the_readme_counts_what_still_works() -> None:
    equal, close = re.findall(r"^\| transformers 5\S* \| (\d+) \| (\d+) \|", TABLE, re.MULTILINE)[0]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"[{len(LINES)} programs of such a course](docs/then_and_now.md)" in readme
    assert f"and {int(equal) + int(close)} still work there" in readme


def test_the_makefile_makes_the_table() -> None:
    assert "then-and-now:" in Path(ROOT / "Makefile").read_text(encoding="utf-8")
