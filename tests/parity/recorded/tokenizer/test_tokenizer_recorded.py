"""Tokens, ids, masks, segments and decoded text equal those that transformers 4.12.5 returned (see record.py)."""

from __future__ import annotations

import json

import pytest

import minibert.tokenization
from tests.parity.old import tokenizer_programs as programs
from tests.parity.recorded.tokenizer import record

EXPECTED = json.loads(record.EXPECTED.read_text(encoding="utf-8"))


def test_every_program_was_recorded():
    assert set(EXPECTED) == set(record.recorded_programs(programs))


@pytest.mark.parametrize("name", sorted(record.recorded_programs(programs)))
def test_the_result_is_the_old_references(name):
    found = record.digests(programs, programs.all_programs()[name](minibert.tokenization))
    assert len(found) == len(EXPECTED[name])
    different = [index for index, (a, b) in enumerate(zip(found, EXPECTED[name], strict=True)) if a != b]
    assert different == [], f"items {different[:10]} of what {name} returns"
