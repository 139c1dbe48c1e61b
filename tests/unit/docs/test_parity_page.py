"""The parity report counts what there is."""

import importlib
import re

from tests.parity.old import run
from tests.unit.docs.pages import DOCS, PAGES

PAGE = (DOCS / "parity.md").read_text(encoding="utf-8")
COUNTED = dict(re.findall(r"^\| \[`(\w+)\.py`\]\(\S+\) \| (\d+) \|", PAGE, flags=re.MULTILINE))


def test_each_file_of_programs_has_the_number_that_the_page_says() -> None:
    files = [path.stem for path in run.HERE.glob("*programs.py")]
    found = {name: str(len(importlib.import_module(name).all_programs())) for name in files}
    assert found == COUNTED


def test_every_page_that_says_how_many_programs_there_are_says_the_sum() -> None:
    said = [number for page in PAGES for number in re.findall(r"(\d+) programs", page.read_text(encoding="utf-8"))]
    assert said
    assert set(said) == {str(len(run.all_programs()))}
