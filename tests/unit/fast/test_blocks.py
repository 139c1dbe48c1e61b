"""Weights kept in oneDNN's layout: made when they are needed, never for long, and no more of them than there is room for."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor, nn

from minibert import BertModel, fast
from minibert.fast import blocks, linear_layers
from minibert.fast.blocks import SHORTEST_DIAGONAL, Blocks, Room, is_still
from minibert.fast.linear_layers import onednn_takes
from tests.unit.tiny_bert import text_batch, tiny

pytestmark = pytest.mark.skipif(not blocks.blocks_are_there(), reason="PyTorch without oneDNN's layout")

Shapes = list[tuple[int, ...]]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Shapes:
    """Every product may go through blocks; the shapes of those that were made."""
    shapes: Shapes = []
    make = blocks.in_blocks

    def counted(weight: Tensor) -> Tensor:
        shapes.append(tuple(weight.shape))
        return make(weight)

    monkeypatch.setattr(linear_layers, "SMALLEST", 1)
    monkeypatch.setattr(linear_layers, "measured", lambda *_, **__: True)
    monkeypatch.setattr(blocks, "in_blocks", counted)
    return shapes


def saved_and_loaded(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded: nn.Module = torch.load(file, weights_only=False)
    return loaded


def linears(model: nn.Module) -> int:
    return sum(isinstance(module, nn.Linear) for module in model.modules())


def test_blocks_are_made_once_however_often_they_are_used(made: Shapes) -> None:
    model = tiny(BertModel, intermediate_size=64)
    with fast.linear(model, frozen=True), torch.no_grad():
        for _ in range(3):
            model(**text_batch())
    assert len(made) == linears(model)


def test_without_frozen_there_are_none(made: Shapes) -> None:
    model = tiny(BertModel, intermediate_size=64)
    with fast.linear(model), torch.no_grad():
        model(**text_batch())
    assert not made


def test_with_gradients_there_are_none_and_those_that_were_are_gone(made: Shapes) -> None:
    model = tiny(BertModel, intermediate_size=64)
    with fast.linear(model, frozen=True):
        with torch.no_grad():
            model(**text_batch())
        model(**text_batch())
        assert len(made) == linears(model)
        with torch.no_grad():
            model(**text_batch())
    assert len(made) == 2 * linears(model)


def test_many_rows_take_the_weights_as_they_lie(made: Shapes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_layers, "IN_BLOCKS", 8)
    model = tiny(BertModel, intermediate_size=64)
    with fast.linear(model, frozen=True), torch.no_grad():
        model(torch.ones(2, 8, dtype=torch.long))
    assert len(made) == 1  # the pooler's, of two rows


def test_copies_end_where_there_is_no_more_room(made: Shapes, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny(BertModel, intermediate_size=64)
    expected = model(**text_batch()).last_hidden_state
    room = 5000
    monkeypatch.setattr(blocks, "COPIES", room)
    with fast.linear(model, frozen=True), torch.no_grad():
        found = model(**text_batch()).last_hidden_state
    assert 0 < len(made) < linears(model)
    assert sum(4 * rows * columns for rows, columns in made) <= room
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_a_copy_that_is_given_up_makes_room() -> None:
    room, weight = Room(), torch.randn(32, 16)
    kept = Blocks(room)
    whole = room.left
    for change in (1.0, 2.0):
        weight.mul_(change)
        assert kept.of(weight) is not None
        assert room.left == whole - weight.nbytes
    kept.forget()
    assert room.left == whole


@given(st.sampled_from([16, 24, 48]), st.integers(1, 4), st.integers(1, 4), st.data())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_every_row_and_every_column_is_watched(side: int, high: int, wide: int, data: st.DataObject) -> None:
    weight = torch.randn(rows := high * side, columns := wide * side)
    kept = Blocks(Room())
    assert kept.of(weight) is not None
    known = kept.copy
    assert known is not None
    assert is_still(weight, known)
    if data.draw(st.booleans(), "a row"):
        weight.data[data.draw(st.integers(0, rows - 1), "which")] += 1
    else:
        weight.data[:, data.draw(st.integers(0, columns - 1), "which")] += 1
    assert not is_still(weight, known)


def test_tensors_whose_changes_nobody_counts_are_not_copied() -> None:
    with torch.inference_mode():
        uncounted = torch.randn(32, 16)
    assert Blocks(Room()).of(uncounted) is None
    assert Blocks(Room()).of(torch.randn(32, 16).t()) is None  # nor what does not lie row by row
    few_in_common = torch.randn(2 * SHORTEST_DIAGONAL + 1, SHORTEST_DIAGONAL)
    assert Blocks(Room()).of(few_in_common) is None  # nor where all of it would have to be watched


@pytest.mark.parametrize("copied", [copy.deepcopy, pytest.param(saved_and_loaded, id="saved and loaded")])
def test_a_copied_model_has_blocks_of_its_own(copied: Callable[[nn.Module], nn.Module], made: Shapes) -> None:
    model = tiny(BertModel, intermediate_size=64)
    with fast.linear(model, frozen=True), torch.no_grad():
        model(**text_batch())
        other = copied(model)
        for parameter in other.parameters():
            parameter.mul_(1.5)
        found = other(**text_batch()).last_hidden_state
        assert len(made) == 2 * linears(model)
        model(**text_batch())
        assert len(made) == 2 * linears(model)
    plain = tiny(BertModel, intermediate_size=64)
    plain.load_state_dict(other.state_dict())
    torch.testing.assert_close(found, plain(**text_batch()).last_hidden_state, rtol=1e-5, atol=1e-5)


def test_bfloat16_too(made: Shapes) -> None:
    model = tiny(BertModel, intermediate_size=64).to(torch.bfloat16)
    expected = model(**text_batch()).last_hidden_state
    with fast.linear(model, frozen=True), torch.no_grad():
        found = model(**text_batch()).last_hidden_state
    assert len(made) == (linears(model) if onednn_takes(torch.bfloat16) else 0)
    torch.testing.assert_close(found, expected, rtol=0.03, atol=0.03)


def test_two_threads_may_use_one_model(made: Shapes) -> None:
    model = tiny(BertModel, intermediate_size=64)
    expected = model(**text_batch()).last_hidden_state

    def run(_: int) -> Tensor:
        with torch.no_grad():
            return model(**text_batch()).last_hidden_state

    with fast.linear(model, frozen=True), ThreadPoolExecutor(4) as pool:
        for found in pool.map(run, range(12)):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert made
