"""The loop's clipping: PyTorch's bits, and no pass over a gradient that is small enough."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import example, given, strategies as st
from torch import nn

from minibert.training.loop import clip

SIZES = st.floats(0.01, 100)


def parameters(size: float) -> list[nn.Parameter]:
    """Two matrices whose gradients have about this norm together, and one that has none."""
    torch.manual_seed(0)
    result = [nn.Parameter(torch.randn(3, 4)) for _ in range(3)]
    for parameter in result[:2]:
        gradient = torch.randn(3, 4)
        parameter.grad = gradient / gradient.norm() * size / math.sqrt(2)
    return result


@given(size=SIZES, largest=SIZES)
@example(size=1.0, largest=1.0)
@example(size=0.9999985, largest=1.0)
@example(size=0.09999995, largest=0.1)
def test_gradients_and_norm_are_pytorchs_to_the_bit(size: float, largest: float) -> None:
    ours, theirs = parameters(size), parameters(size)
    assert clip(ours, largest) == float(nn.utils.clip_grad_norm_(theirs, largest))
    for mine, other in zip(ours[:2], theirs[:2], strict=True):
        assert mine.grad is not None
        assert other.grad is not None
        assert torch.equal(mine.grad, other.grad)
    assert ours[2].grad is None


@pytest.mark.parametrize(("size", "largest", "touched"), [(0.5, 1.0, False), (5.0, 0.0, False), (5.0, 1.0, True)])
def test_only_a_gradient_that_is_too_large_is_touched(size: float, largest: float, touched: bool) -> None:
    [parameter, *_] = given_ones = parameters(size)
    assert parameter.grad is not None
    before = parameter.grad._version
    assert clip(given_ones, largest) == pytest.approx(size)
    assert (parameter.grad._version != before) is touched


def test_a_norm_that_is_no_number_is_reported_as_such() -> None:
    given_ones = parameters(1.0)
    assert given_ones[0].grad is not None
    given_ones[0].grad[0, 0] = math.nan
    assert math.isnan(clip(given_ones, 1.0))
