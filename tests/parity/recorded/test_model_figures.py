"""The models against figures recorded from transformers 4.12.5 by `scripts/record_figures.py`.

On the machine that recorded them the difference is 0. Other processors round differently: there, every number agrees to
1e-6 of the largest number recorded for the outputs of the same program, or for its gradients. (Gradients that cancel
keep the rounding of what they were added up from: theirs counts as at least 0.1.)
"""

from __future__ import annotations

import json
import math

import pytest

import minibert
from scripts.record_figures import FIGURES, PROGRAMS, figures_of

RECORDED = json.loads(FIGURES.read_text(encoding="utf-8"))
TOLERANCE = 1e-6

Summary = tuple[list[int], list[float]]


def parts(name: str, figures: dict[str, list]) -> dict[str, Summary]:
    """Shape, and mean, root mean square, first and last number, of the tensors that are outputs or gradients."""
    found = {}
    for key, (shape, mean, norm, first, last) in figures.items():
        if key.startswith("grad ") == (name == "gradients"):
            found[key] = (shape, [mean, norm / math.sqrt(math.prod(shape)), first, last])
    return found


def test_the_figures_are_the_old_reference_s() -> None:
    assert RECORDED["recorded from"] == "transformers 4.12.5"
    assert list(RECORDED["programs"]) == PROGRAMS


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_gives_the_recorded_figures(name: str) -> None:
    recorded, computed = RECORDED["programs"][name], figures_of(minibert, name)
    assert computed.keys() == recorded.keys()
    for kind in ("outputs", "gradients"):
        expected, found = parts(kind, recorded), parts(kind, computed)
        scale = max((abs(number) for _, numbers in expected.values() for number in numbers), default=0.0)
        for key, (shape, numbers) in expected.items():
            assert found[key][0] == shape, key
            assert found[key][1] == pytest.approx(numbers, rel=0, abs=TOLERANCE * max(scale, 0.1)), key
