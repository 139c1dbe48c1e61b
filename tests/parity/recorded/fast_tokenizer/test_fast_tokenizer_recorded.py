"""Rows, windows, answers and decoded text of the fast class equal those of transformers 4.12.5 with tokenizers 0.10 (see record.py)."""

from __future__ import annotations

import json

import pytest

import minibert.tokenization
from tests.parity.recorded.fast_tokenizer import fast_programs, record

EXPECTED = json.loads(record.EXPECTED.read_text(encoding="utf-8"))


def test_every_program_was_recorded():
    assert set(EXPECTED) == set(fast_programs.all_programs())


SLOW = ("rows_of_nasty_texts", "rows_of_random_texts", "columns", "windows")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in fast_programs.all_programs()],
)
def test_the_result_is_the_old_fast_tokenizers(name):
    found = record.digests(fast_programs.all_programs()[name](minibert.tokenization))
    assert len(found) == len(EXPECTED[name])
    different = [index for index, (a, b) in enumerate(zip(found, EXPECTED[name], strict=True)) if a != b]
    assert different == [], f"items {different[:10]} of what {name} returns"
