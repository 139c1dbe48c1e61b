"""docs/beside.md: short programs, each with a test that runs it beside its tool (`make test-beside`)."""

from __future__ import annotations

import re

import pytest

from tests.beside.page import PAGE, programs
from tests.unit.docs.pages import ROOT

TEXT = PAGE.read_text(encoding="utf-8")
TESTS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "beside").glob("test_*.py")}


def test_every_section_has_one_program_and_a_row_in_the_table() -> None:
    sections = re.findall(r"^## (.+)$", TEXT, flags=re.MULTILINE)
    assert list(programs()) == sections
    assert TEXT.count("```python\n") == len(sections) == 13
    assert re.findall(r"^\| \[`?(.+?)`?\]\(#", TEXT, flags=re.MULTILINE) == sections


@pytest.mark.parametrize("section", programs())
def test_a_program_has_at_most_fifteen_lines_and_a_test_that_runs_it(section: str) -> None:
    code = programs()[section]
    compile(code, section, "exec")
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    behind = TEXT.partition(f"## {section}\n")[2]
    named = re.search(r"tests/beside/(test_\w+\.py) runs it -->", behind)
    assert named is not None
    assert f'run("{section}")' in TESTS[named[1]]
