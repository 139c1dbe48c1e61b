"""Rows as batches: which rows make the batch of a step, and how they are padded to one length.

    DataLoader(rows, batch_sampler=BatchOrder(lengths, batch_size=8, seed=0), collate_fn=partial(collate, tokenizer=tokenizer))

What a row may hold: `input_ids`, `token_type_ids`, `attention_mask`, each (seq) or, with choices, (choices, seq); `labels`, an id,
a number, or one of either for each label or position; `start_positions`, `end_positions`.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from ..model.checks import IGNORED
from ..tokenization import BertTokenizer
from .task import Encoded

STRETCH = 50  # batches
Ints = Sequence[int]


class BatchOrder(Sampler[list[int]]):
    """The batches of a training run, decided by the seed and the step alone: a run that goes on later sees the same batches.

    In an epoch the examples are shuffled, the order is cut into stretches of 50 batches, each stretch is sorted by length
    and cut into batches, and all batches are shuffled: padding costs little, while it is still chance which examples meet
    and when. Iterated over, it gives the first epoch.

    lengths: of every example, in pieces; choices: their number, of which a batch has one. group_by_length=False leaves the order.
    """

    def __init__(self, lengths: Ints, batch_size: int, seed: int, *, group_by_length: bool = True, choices: Ints = ()):
        if not lengths:
            raise ValueError("There are no examples to make batches of.")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, and is {batch_size}.")
        self.lengths, self.batch_size, self.choices = lengths, batch_size, choices or [0] * len(lengths)
        self.seed, self.group_by_length = seed, group_by_length
        self.batches_per_epoch = sum(-(-n // batch_size) for n in Counter(self.choices).values())  # the last is smaller
        self._epoch, self._batches = -1, [[0]]

    def __len__(self) -> int:
        return self.batches_per_epoch

    def __iter__(self) -> Iterator[list[int]]:
        return map(self.batch, range(self.batches_per_epoch))

    def batch(self, step: int) -> list[int]:
        """The numbers of the examples of a step; steps count from 0 through all epochs."""
        epoch, position = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffled(epoch)
        return self._batches[position]

    def _shuffled(self, epoch: int) -> list[list[int]]:
        # A text seeds all bits; seed + epoch would make epoch 1 of seed 0 that of epoch 0 of seed 1.
        chance = random.Random(f"{self.seed} {epoch}")  # noqa: S311  # the same order at every start
        order = list(range(len(self.lengths)))
        chance.shuffle(order)
        order.sort(key=self.choices.__getitem__)  # which changes nothing where all have one number
        batches = []
        for _, group in groupby(order, key=self.choices.__getitem__):
            for stretch in _cut(list(group), self.batch_size * STRETCH):
                if self.group_by_length:
                    stretch.sort(key=lambda example: -self.lengths[example])
                batches += _cut(stretch, self.batch_size)
        if self.group_by_length or len(set(self.choices)) > 1:
            chance.shuffle(batches)
        return batches


def batch_loader(
    encoded: Encoded, batch_sampler: Iterable[list[Any]], tokenizer: BertTokenizer
) -> DataLoader[dict[str, Tensor]]:
    """Batches of rows. batch_sampler: for each batch its rows' keys, (number, seed)."""
    pad = partial(collate, tokenizer=tokenizer)
    # A loader draws a seed for its workers: from a generator of its own, so that dropout's numbers stay the reference's.
    own = torch.Generator(torch.get_default_device())
    return DataLoader(encoded, batch_sampler=batch_sampler, collate_fn=pad, generator=own)


def evaluation_batches(lengths: Ints, batch_size: int, choices: Ints = ()) -> list[list[int]]:
    """Every example once, the longest first: little padding, and memory that is enough for the first batch is enough for all."""
    kinds = choices or [0] * len(lengths)
    order = sorted(range(len(lengths)), key=lambda example: (-kinds[example], -lengths[example]))
    return [batch for _, each in groupby(order, key=kinds.__getitem__) for batch in _cut(list(each), batch_size)]


def _cut(items: list[int], size: int) -> list[list[int]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def collate(rows: Sequence[Mapping[str, Any]], tokenizer: BertTokenizer) -> dict[str, Tensor]:
    """A batch for the model, padded to its longest row: inputs (batch, seq), or (batch, choices, seq) where rows have choices.

    Labels for positions, whole numbers, are padded with −100.
    """
    if tokenizer.padding_side != "right":
        raise ValueError(
            "Labels count from the left: load the tokenizer with padding_side='right' (in tokenizer_config.json) for fine-tuning."
        )
    columns = list(rows[0])
    if other := next((row for row in rows if list(row) != columns), None):
        raise ValueError(f"Rows of a batch differ: one has {', '.join(columns)}, another {', '.join(other)}.")
    names = [name for name in tokenizer.model_input_names if name in columns]
    shape: tuple[int, ...] = (len(rows), -1)  # (batch, seq)
    flat = [{name: row[name] for name in names} for row in rows]
    if isinstance(rows[0]["input_ids"][0], list):
        choices = len(rows[0]["input_ids"])
        if any(len(row["input_ids"]) != choices for row in rows):
            raise ValueError("Rows of a batch must have the same number of choices.")
        shape = (len(rows), choices, -1)
        flat = [{name: row[name][choice] for name in names} for row in flat for choice in range(choices)]
    batch = {name: column.view(shape) for name, column in tokenizer.pad(flat, return_tensors="pt").items()}
    for name in [name for name in columns if name not in names]:
        values = [row[name] for row in rows]
        # Ids for positions, to be padded: several labels of one example are 0.0 and 1.0.
        if isinstance(values[0], list) and isinstance(values[0][0], int):
            length = batch["input_ids"].shape[-1]
            values = [[*labels, *[IGNORED] * (length - len(labels))] for labels in values]
        batch[name] = torch.tensor(values)
    return batch
