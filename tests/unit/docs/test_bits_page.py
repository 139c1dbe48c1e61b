"""The table of bits is of this form, and `make bits` counts right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from scripts import bits
from tests.unit.docs.pages import DOCS

PAGE = (DOCS / "bits.md").read_text(encoding="utf-8")
TABLE = PAGE.partition(bits.BEGIN)[2].partition(bits.END)[0]
ROWS = [line.strip("| ").split(" | ") for line in TABLE.splitlines() if re.match(r"\| \d+ \|", line)]


def test_there_is_a_row_for_every_setting() -> None:
    settings = [list(setting.variables) for setting in bits.SETTINGS]
    assert [re.findall(r"`(\w+)=", row[2]) for row in ROWS] == settings
    assert [int(row[3]) for row in ROWS] == [setting.threads for setting in bits.SETTINGS]
    assert len(ROWS) >= 10


def test_every_row_that_diverges_has_a_sentence_and_no_other() -> None:
    diverging = [row[0] for row in ROWS if row[5] not in ("—", "the same bits")]
    assert re.findall(r"^- \*\*Row (\d+)\.\*\*", TABLE, flags=re.MULTILINE) == diverging


def test_the_claim_holds_in_every_row() -> None:
    assert {row[4] for row in ROWS} == {"the same bits"}


def test_a_difference_is_counted_in_units_of_the_largest_number() -> None:
    expected = torch.tensor([1.0, 100.0])
    assert bits.units(expected, expected) == 0.0
    assert bits.units(torch.nextafter(expected, 2 * expected), expected) == 1.0
    assert bits.units(torch.tensor([0.0]), torch.tensor([0.0])) == 0.0


@pytest.mark.parametrize(
    ("number", "text"), [(1.0, "1 unit"), (0.5, "0.5 units"), (3.0, "3 units"), (41.7, "42 units")]
)
def test_units_read_well(number: float, text: str) -> None:
    assert bits.counted(number) == text


def test_the_first_stage_that_differs_is_the_first_in_order() -> None:
    ones, other = torch.ones(2), torch.tensor([1.0, 2.0])
    stages = {"query": ones, "softmax": ones, "output": ones}
    assert bits.first_apart(stages, stages) is None
    assert bits.first_apart({**stages, "softmax": other, "output": other}, stages) == (1, "softmax")


def test_a_program_that_failed_on_both_sides_is_not_equal() -> None:
    side = {"programs": dict.fromkeys(bits.names(), "failed with minibert: …")}
    assert bits.equal_programs(side, side) == 0
    side = {"programs": dict.fromkeys(bits.names(), "0123")}
    assert bits.equal_programs(side, side) == len(bits.names())


def test_the_page_tells_how_to_make_its_table() -> None:
    makefile = (DOCS.parent / "Makefile").read_text(encoding="utf-8")
    assert "\nbits: " in makefile
    assert Path(bits.PAGE) == DOCS / "bits.md"


def test_every_setting_keeps_its_results_under_a_name_of_its_own() -> None:
    assert len(set(map(str, bits.SETTINGS))) == len(bits.SETTINGS)
