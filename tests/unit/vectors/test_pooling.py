"""Pooling: a weighted sum of the real tokens' vectors, or their largest numbers; padding never counts."""

import pytest
import torch
from torch import Tensor

from minibert.vectors import POOLINGS, pool

STATES = torch.tensor([[[1.0, -2.0], [3.0, 5.0], [8.0, -8.0]], [[4.0, 1.0], [0.0, -3.0], [-1.0, 6.0]]])  # (2, 3, 2)
MASK = torch.tensor([[1, 1, 0], [1, 1, 1]])  # (2, 3)
BY_HAND = {
    "mean": [[2.0, 1.5], [1.0, 4 / 3]],
    "cls": [[1.0, -2.0], [4.0, 1.0]],
    "max": [[3.0, 5.0], [4.0, 6.0]],
    "lasttoken": [[3.0, 5.0], [-1.0, 6.0]],
    "mean_sqrt_len_tokens": [[4 / 2**0.5, 3 / 2**0.5], [3 / 3**0.5, 4 / 3**0.5]],
    "weightedmean": [[7 / 3, 8 / 3], [1 / 6, 13 / 6]],
}
every_mode = pytest.mark.parametrize("mode", POOLINGS)


def states(batch: int = 3, seq: int = 5) -> Tensor:
    return torch.randn(batch, seq, 4, generator=torch.Generator().manual_seed(0))


@every_mode
def test_each_mode_gives_the_numbers_that_a_hand_gives(mode: str) -> None:
    torch.testing.assert_close(pool(STATES, MASK, mode), torch.tensor(BY_HAND[mode]))


@every_mode
@pytest.mark.parametrize("at_padding", [1e6, -1e6, float("nan"), float("inf")])
def test_what_stands_at_padding_never_counts(mode: str, at_padding: float) -> None:
    filled = STATES.masked_fill(MASK[..., None] == 0, at_padding)
    assert torch.equal(pool(filled, MASK, mode), pool(STATES, MASK, mode))


@every_mode
def test_padding_may_stand_on_either_side(mode: str) -> None:
    text, padding = states(1, 4), torch.full((1, 2, 4), 9.0)
    ones, zeros = torch.ones(1, 4), torch.zeros(1, 2)
    right = pool(torch.cat([text, padding], 1), torch.cat([ones, zeros], 1), mode)
    left = pool(torch.cat([padding, text], 1), torch.cat([zeros, ones], 1), mode)
    torch.testing.assert_close(left, right)
    torch.testing.assert_close(right, pool(text, ones, mode))


@every_mode
def test_a_row_that_is_masked_everywhere_is_0_and_so_are_its_gradients(mode: str) -> None:
    given = states(2).requires_grad_()
    mask = torch.tensor([[0] * 5, [1] * 5])
    pooled = pool(given, mask, mode)
    assert torch.equal(pooled[0], torch.zeros(4))
    pooled.sum().backward()
    assert given.grad is not None
    assert torch.equal(given.grad[0], torch.zeros(5, 4))
    assert given.grad[1].isfinite().all()


@every_mode
@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float32])
def test_a_mask_of_any_dtype_says_the_same(mode: str, dtype: torch.dtype) -> None:
    assert torch.equal(pool(STATES, MASK.to(dtype), mode), pool(STATES, MASK, mode))


def test_an_unknown_mode_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"pooling is 'sum'; choose one of cls, max, mean"):
        pool(STATES, MASK, "sum")


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"attention_mask has the shape \(2, 2\), the hidden states \(2, 3, 2\)"):
        pool(STATES, MASK[:, :2])


@every_mode
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_counts_as_many_places_as_there_are(mode: str, dtype: torch.dtype) -> None:
    long = states(batch=2, seq=400)
    found = pool(long.to(dtype), torch.ones(2, 400), mode)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), pool(long, torch.ones(2, 400), mode), atol=0.05, rtol=0.02)
