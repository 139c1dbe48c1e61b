"""Which examples make the batch of a step, decided by the seed and the step alone: a run that goes on later sees the same batches.

An epoch: the examples are shuffled, the order is cut into stretches of 50 batches, each stretch is sorted by length, cut into
batches, and the batches of all stretches are shuffled. So a batch holds examples of about one length, and padding costs
little, while it is still chance which examples meet and when.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

STRETCH = 50  # batches


class BatchOrder:
    """The batches of a training run.

    lengths: of every example, in pieces. group_by_length=False leaves the shuffled order as it is.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int, *, group_by_length: bool = True):
        if not lengths:
            raise ValueError("There are no examples to make batches of.")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, and is {batch_size}.")
        self.lengths = list(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.group_by_length = group_by_length
        self._epoch, self._batches = -1, [[0]]

    @property
    def batches_per_epoch(self) -> int:
        """Batches that show every example once; the last may be smaller."""
        return -(-len(self.lengths) // self.batch_size)

    def batch(self, step: int) -> list[int]:
        """The numbers of the examples of a step; steps count from 0 through all epochs."""
        epoch, place = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffled(epoch)
        return self._batches[place]

    def _shuffled(self, epoch: int) -> list[list[int]]:
        chance = random.Random(
            f"{self.seed} {epoch}"
        )  # a text seeds all its bits; seed + epoch would meet seed 1, epoch 0
        order = list(range(len(self.lengths)))
        chance.shuffle(order)
        if not self.group_by_length:
            return _cut(order, self.batch_size)
        batches = []
        for stretch in _cut(order, self.batch_size * STRETCH):
            batches += _cut(sorted(stretch, key=lambda example: -self.lengths[example]), self.batch_size)
        chance.shuffle(batches)
        return batches


def evaluation_batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Every example once, the longest first: little padding, and memory that is enough for the first batch is enough for all."""
    return _cut(sorted(range(len(lengths)), key=lambda example: -lengths[example]), batch_size)


def _cut(items: list[int], size: int) -> list[list[int]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
