"""Every way to multiply a few vectors gives the same numbers, and the fastest is taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies as st

from minibert.fast import few_rows
from minibert.fast.few_rows import ways
from tests.threads import threads


@given(st.integers(1, 9), st.sampled_from([1, 7, 16, 24, 30]), st.integers(1, 25), st.integers(1, 9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_way_may_bring_gelu_with_it_and_any_number_of_threads(
    rows: int, inputs: int, outputs: int, number: int
) -> None:
    x, weight, bias = torch.randn(rows, inputs), torch.randn(outputs, inputs), torch.randn(outputs)
    expected = F.linear(x, weight, bias)
    with threads(number), torch.no_grad():
        for way in ways(copied=True):
            own = way.layout(weight) if way.layout else weight
            for multiply, right in ((way.multiply, expected), (way.multiply_then_gelu, F.gelu(expected))):
                found = multiply(x, own, bias)
                torch.testing.assert_close(found, right, rtol=1e-5, atol=1e-5)
                assert found.is_contiguous()  # PyTorch's fused attention asks for it


def taking(seconds: float) -> Callable[[], float]:
    return lambda: seconds


def test_the_fastest_way_is_taken_and_the_usual_one_unless_another_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matrices = [few_rows.Projection(torch.nn.Linear(4, 4))]
    possible = ways(copied=True)
    for times, best in (({1: 0.95}, 0), ({2: 0.5}, 2), ({1: 0.5, 2: 0.4}, 2)):
        monkeypatch.setattr(few_rows, "FASTEST", {})
        seconds = {way: times.get(number, 1.0) for number, way in enumerate(possible)}
        monkeypatch.setattr(few_rows, "one_pass", lambda way, *_, seconds=seconds: taking(seconds[way]))
        assert few_rows.fastest(matrices, 1, copied=True) == possible[best]
