"""Dropout drawn four values at a time: other masks than PyTorch's, of the same law."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn

from minibert.fast.dropout import fast_dropout, random_16_bits

PROBABILITIES = st.floats(0.01, 0.99)
SHAPES = st.lists(st.integers(0, 9), min_size=1, max_size=4).map(tuple)


def dropped(x: torch.Tensor, p: float, seed: int = 0) -> torch.Tensor:
    model = nn.Sequential(nn.Dropout(p))
    torch.manual_seed(seed)
    with fast_dropout(model):
        return model(x)


@given(p=PROBABILITIES, shape=SHAPES, dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float64]))
def test_a_value_is_gone_or_divided_by_the_share_that_is_kept(p, shape, dtype):
    x = torch.randn(shape, dtype=dtype)
    out = dropped(x, p)
    share = 1 - round(p * 65536) / 65536
    assert out.shape == x.shape
    assert out.dtype == dtype
    assert abs(share - (1 - p)) <= 0.5 / 65536
    kept = x * torch.tensor(1 / share, dtype=dtype)
    assert bool(((out == 0) | (out == kept)).all())


@given(p=PROBABILITIES, seed=st.integers(0, 1 << 30))
def test_as_many_are_kept_as_the_law_says_in_each_of_the_four_places_of_a_draw(p, seed):
    n = 40_000
    kept = (dropped(torch.ones(n), p, seed) != 0).view(-1, 4).double()
    deviation, few = math.sqrt(p * (1 - p) / (n / 4)), 12 / (n / 4)  # where p is tiny a dozen more or less is chance
    assert (kept.mean(dim=0) - (1 - p)).abs().max() < 6 * deviation + few
    # Independent of each other: the covariance of two places is nought.
    covariance = torch.cov(kept.T) - torch.diag(kept.var(dim=0))
    assert covariance.abs().max() < 6 * p * (1 - p) / math.sqrt(n / 4) + few


def test_every_number_of_16_bits_is_as_likely():
    drawn = random_16_bits(torch.Size([1 << 20])).long() + (1 << 15)
    counts = torch.bincount(drawn, minlength=1 << 16).double()
    assert len(counts) == 1 << 16
    # χ² with 65,535 degrees of freedom: mean 65,535, standard deviation 362.
    chi_square = ((counts - 16) ** 2 / 16).sum()
    assert abs(float(chi_square) - 65_535) < 6 * 362


def test_the_gradient_passes_where_the_value_did():
    x = torch.randn(6, 7, requires_grad=True)
    out = dropped(x, 0.4)
    out.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, out.detach() / x.detach())


def test_the_seed_decides():
    x = torch.ones(1000)
    assert torch.equal(dropped(x, 0.3, 1), dropped(x, 0.3, 1))
    assert not torch.equal(dropped(x, 0.3, 1), dropped(x, 0.3, 2))


@pytest.mark.parametrize(("p", "expected"), [(0.0, 1.0), (1.0, 0.0), (1e-6, 1.0)])
def test_at_the_ends_nothing_or_everything_is_dropped(p, expected):
    torch.testing.assert_close(dropped(torch.ones(1000), p), torch.full((1000,), expected))


def test_only_a_model_that_trains_drops_and_only_within():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    x = torch.randn(64, 4)
    with fast_dropout(model):
        assert not torch.equal(model(x), model[0](x))
        model.eval()
        assert torch.equal(model(x), model[0](x))
    with pytest.raises(KeyError, match="in between"), fast_dropout(model):
        raise KeyError("in between")
    assert "forward" not in vars(model[1])
    model.train()
    torch.manual_seed(3)
    after = model(x)
    torch.manual_seed(3)
    assert torch.equal(after, nn.functional.dropout(model[0](x), 0.5))
