"""The gradient of the word embeddings in a table that stays: the numbers of a new one."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn

from minibert.fast.word_gradient import WordGradient

BATCHES = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=12), min_size=1, max_size=6)


def embedding() -> nn.Embedding:
    torch.manual_seed(0)
    return nn.Embedding(10, 4, padding_idx=0)


def backward(embedding: nn.Embedding, ids: list[int]) -> torch.Tensor:
    """A loss in which every position has a gradient of its own; return the table's."""
    vectors = embedding(torch.tensor(ids))
    (vectors * torch.arange(1.0, vectors.numel() + 1).view_as(vectors)).sum().backward()
    assert embedding.weight.grad is not None
    return embedding.weight.grad


def expected(ids: list[int]) -> torch.Tensor:
    return backward(embedding(), ids)


@pytest.mark.seconds
@given(batches=BATCHES)
def test_step_after_step_the_gradient_is_that_of_a_new_table(batches: list[list[int]]) -> None:
    ours = embedding()
    words = WordGradient(ours)
    for ids in batches:
        with words.kept():
            gradient = backward(ours, ids)
        assert not gradient.is_sparse
        torch.testing.assert_close(gradient, expected(ids))
        ours.zero_grad()


def test_the_memory_is_that_of_the_step_before() -> None:
    ours = embedding()
    words = WordGradient(ours)
    places = set()
    for _ in range(3):
        with words.kept():
            places.add(backward(ours, [1, 2, 2]).data_ptr())
        ours.zero_grad()
    assert len(places) == 1


def test_a_step_that_changes_the_gradient_leaves_nothing_behind() -> None:
    ours = embedding()
    words = WordGradient(ours)
    with words.kept():
        backward(ours, [1, 2])
    nn.utils.clip_grad_norm_(ours.parameters(), 0.1)
    ours.zero_grad()
    with words.kept():
        torch.testing.assert_close(backward(ours, [2, 3]), expected([2, 3]))


@given(ids=st.lists(st.integers(0, 9), min_size=1, max_size=12), largest=st.floats(0.01, 1000))
def test_clipping_without_the_zeros_is_clipping(ids: list[int], largest: float) -> None:
    ours, theirs, other = embedding(), embedding(), nn.Linear(2, 2)
    words = WordGradient(ours)
    with words.kept():
        backward(ours, ids)
    backward(theirs, ids)
    other(torch.ones(2)).sum().backward()
    also = copy.deepcopy(other)
    for mine, its in zip(other.parameters(), also.parameters(), strict=True):
        its.grad = mine.grad.clone()
    with words.without_zeros([*ours.parameters(), *other.parameters()]) as parameters:
        with_gradient = set(ids) - {0}  # padding has none
        assert sum(parameter.numel() for parameter in parameters) == 4 * len(with_gradient) + 6
        norm = nn.utils.clip_grad_norm_(parameters, largest)
    torch.testing.assert_close(norm, nn.utils.clip_grad_norm_([*theirs.parameters(), *also.parameters()], largest))
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(other.weight.grad, also.weight.grad)


def test_a_gradient_that_is_not_the_table_is_clipped_whole() -> None:
    ours = embedding()
    words = WordGradient(ours)
    with words.kept():
        backward(ours, [1, 2])
    ours.zero_grad()
    with words.without_zeros(ours.parameters()) as parameters:
        assert parameters == [ours.weight]
    backward(ours, [3, 4])
    with words.without_zeros(ours.parameters()) as parameters:
        assert parameters == [ours.weight]


def test_gradients_that_add_up_add_up_and_leave_nothing_behind() -> None:
    ours = embedding()
    words = WordGradient(ours)
    for ids in ([1, 2], [2, 3]):
        with words.kept():
            gradient = backward(ours, ids)
    torch.testing.assert_close(gradient, expected([1, 2]) + expected([2, 3]))
    ours.zero_grad()
    with words.kept():
        torch.testing.assert_close(backward(ours, [4]), expected([4]))


def test_words_that_are_predicted_too_have_the_gradient_of_both() -> None:
    def tied(embedding: nn.Embedding) -> torch.Tensor:
        (embedding(torch.tensor([1, 2])) @ embedding.weight.T).exp().sum().backward()
        assert embedding.weight.grad is not None
        return embedding.weight.grad

    ours = embedding()
    words = WordGradient(ours)
    for _ in range(2):
        with words.kept():
            gradient = tied(ours)
        torch.testing.assert_close(gradient, tied(embedding()))
        ours.zero_grad()


def test_a_table_that_does_not_learn_is_left_alone() -> None:
    ours = embedding()
    ours.weight.requires_grad_(False)
    layer = nn.Linear(4, 1)
    with WordGradient(ours).kept():
        layer(ours(torch.tensor([1, 2]))).sum().backward()
    assert ours.weight.grad is None


def test_afterwards_the_gradient_is_pytorchs_again() -> None:
    ours = embedding()
    words = WordGradient(ours)
    with words.kept():
        kept = backward(ours, [5])
    ours.zero_grad()
    with pytest.raises(KeyError, match="in between"), words.kept():
        raise KeyError("in between")
    assert ours.sparse is False
    assert backward(ours, [6]) is not kept
    torch.testing.assert_close(kept, expected([5]))
