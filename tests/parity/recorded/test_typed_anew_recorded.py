"""Classes typed anew on minibert's bases against what the same classes did on 4.12.5's: `tests/parity/old/typed_anew_programs.py`."""

from __future__ import annotations

import json

import pytest

import minibert
from tests.parity.old import typed_anew_programs

RECORDED = json.loads(typed_anew_programs.RECORDED.read_text(encoding="utf-8"))


def test_every_program_is_recorded() -> None:
    assert RECORDED.keys() == typed_anew_programs.all_programs().keys()


@pytest.mark.parametrize("name", RECORDED)
def test_a_class_typed_anew_does_what_it_did_in_the_old_reference(name: str) -> None:
    program = typed_anew_programs.all_programs()[name]
    found = json.dumps(program(minibert), default=lambda tensor: tensor.tolist())
    assert json.loads(found) == RECORDED[name]
