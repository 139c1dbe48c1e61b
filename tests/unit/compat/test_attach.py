"""Methods of the era are on the classes as soon as a name of minibert is imported, and hide none of the core's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from minibert.compat.attach import ATTACHED
from tests.forks import printed_by


def test_every_attached_name_is_on_its_class() -> None:
    for owner, found in ATTACHED.items():
        assert {name for name in found if vars(owner).get(name) is not found[name]} == set()


@pytest.mark.seconds
def test_no_attached_name_hides_one_that_the_core_has(tmp_path: Path) -> None:
    """Asked where nothing is attached yet: the classes alone, without the public names."""
    program = (
        "from minibert.compat.attach import ATTACHED\n"
        "print(*(f'{o.__name__}.{n}' for o, f in ATTACHED.items() for n in f if n in vars(o)))"
    )
    assert printed_by(program, tmp_path).split() == []
