"""Batches: padded to their longest row, of about one length, the same whenever a step is asked for."""

from __future__ import annotations

import pytest
import torch

from minibert.tasks import BatchOrder, collate, evaluation_batches
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer

LENGTHS = [(7 * index) % 40 + 3 for index in range(1000)]


def padding(order: BatchOrder) -> int:
    batches = [order.batch(step) for step in range(order.batches_per_epoch)]
    return sum(max(LENGTHS[i] for i in batch) * len(batch) - sum(LENGTHS[i] for i in batch) for batch in batches)


def test_a_batch_is_as_long_as_its_longest_row_and_the_rest_is_padding():
    tokenizer = tiny_tokenizer()
    texts = ["the cat", "the cat sat on the mat", "dog"]
    batch = collate([{**tokenizer(text), "labels": number} for number, text in enumerate(texts)], tokenizer)
    whole = tokenizer(texts, padding=True, return_tensors="pt")
    for name, column in whole.items():
        assert torch.equal(batch[name], column)
    assert batch["input_ids"].shape == (3, 8)
    assert batch["labels"].tolist() == [0, 1, 2]


def test_labels_of_positions_are_padded_with_what_no_loss_counts():
    tokenizer = tiny_tokenizer()
    rows = [{**tokenizer(text), "labels": [-100, 1, -100]} for text in ("cat",)]
    rows.append({**tokenizer("cat sat"), "labels": [-100, 1, 0, -100]})
    assert collate(rows, tokenizer)["labels"].tolist() == [[-100, 1, -100, -100], [-100, 1, 0, -100]]


def test_an_epoch_shows_every_example_once():
    for grouped in (True, False):
        order = BatchOrder(LENGTHS, 32, seed=1, group_by_length=grouped)
        for epoch in range(3):
            steps = range(epoch * order.batches_per_epoch, (epoch + 1) * order.batches_per_epoch)
            assert sorted(i for step in steps for i in order.batch(step)) == list(range(1000))


def test_a_step_has_the_same_batch_whatever_was_asked_before():
    order = BatchOrder(LENGTHS, 32, seed=1)
    run = [order.batch(step) for step in range(100)]
    assert [BatchOrder(LENGTHS, 32, seed=1).batch(step) for step in range(99, -1, -1)] == run[::-1]


def test_epochs_and_seeds_have_orders_of_their_own():
    first, second = BatchOrder(LENGTHS, 32, seed=0), BatchOrder(LENGTHS, 32, seed=1)
    epochs = [order.batch(epoch * 32) for order in (first, second) for epoch in range(3)]
    assert len({tuple(batch) for batch in epochs}) == 6


def test_grouping_by_length_saves_nine_tenths_of_the_padding():
    grouped = padding(BatchOrder(LENGTHS, 8, seed=0))
    assert grouped < 0.1 * padding(BatchOrder(LENGTHS, 8, seed=0, group_by_length=False))


def test_grouped_batches_do_not_come_in_the_order_of_their_lengths():
    order = BatchOrder(LENGTHS, 8, seed=0)
    longest = [LENGTHS[order.batch(step)[0]] for step in range(order.batches_per_epoch)]
    assert longest != sorted(longest)
    assert longest != sorted(longest, reverse=True)


def test_evaluation_shows_every_example_once_the_longest_first():
    batches = evaluation_batches([3, 9, 5, 7, 1], 2)
    assert batches == [[1, 3], [2, 0], [4]]


@pytest.mark.parametrize(("lengths", "size"), [([], 4), ([3], 0)])
def test_no_examples_or_no_batch_size_is_an_error(lengths, size):
    with pytest.raises(ValueError, match=r"no examples|at least 1"):
        BatchOrder(lengths, size, seed=0)


def test_a_tokenizer_that_pads_on_the_left_is_refused():
    tokenizer = tiny_tokenizer(padding_side="left")
    with pytest.raises(ValueError, match="padding_side='right'"):
        collate([dict(tokenizer("cat"))], tokenizer)


def test_rows_of_different_kinds_do_not_make_a_batch():
    tokenizer = tiny_tokenizer()
    with pytest.raises(ValueError, match="Rows of a batch differ"):
        collate([{**tokenizer("cat"), "labels": 1}, dict(tokenizer("cat"))], tokenizer)
