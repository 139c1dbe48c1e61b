"""A few kills of each kind of writer; `python -m tests.hostile.kills --count 200` does more."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

if sys.platform == "win32":
    pytest.skip("it forks", allow_module_level=True)

from tests.hostile.kills import KINDS

QUICK = ("saving", "data prepare")


@pytest.mark.seconds
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in QUICK else pytest.mark.slow(8)) for kind in KINDS]
)
def test_what_is_killed_is_whole_or_goes_on_to_the_same_bits(tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path, Random(kind), 3)
