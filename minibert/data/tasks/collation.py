"""Rows of different lengths as one batch, padded to the longest of them and no further.

    lengths 5, 9, 7   →   (3, 9)

What a row may hold: `input_ids`, `token_type_ids`, `attention_mask`, each (seq) or, with choices, (choices, seq); `labels`, an id,
a number, or one of either for each label or position; `start_positions`, `end_positions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...tokenization import BertTokenizer

IGNORED = -100
"""The label of a position that no loss counts: what `cross_entropy` leaves out."""


def collate(rows: Sequence[Mapping[str, Any]], tokenizer: BertTokenizer) -> dict[str, Tensor]:
    """A batch for the model: inputs (batch, seq), or (batch, choices, seq) where rows have choices.

    Labels for positions, whole numbers, are padded with −100. Raises ValueError if the rows have different columns or
    numbers of choices, and for a tokenizer that pads on the left: labels and answers count from the left.
    """
    if tokenizer.padding_side != "right":
        raise ValueError("The tokenizer pads on the left. Load it with padding_side='right' for fine-tuning.")
    columns = list(rows[0])
    for row in rows:
        if list(row) != columns:
            raise ValueError(f"Rows of a batch differ: one has {', '.join(columns)}, another {', '.join(row)}.")
    names = [name for name in tokenizer.model_input_names if name in columns]
    batch = _padded_inputs(rows, names, tokenizer)
    for name in columns:
        if name not in names:
            values = [row[name] for row in rows]
            if _for_positions(values):
                length = batch["input_ids"].shape[-1]
                values = [[*labels, *[IGNORED] * (length - len(labels))] for labels in values]
            batch[name] = torch.tensor(values)
    return batch


def _padded_inputs(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], tokenizer: BertTokenizer
) -> dict[str, Tensor]:
    with_choices = isinstance(rows[0]["input_ids"][0], list)
    if not with_choices:
        return dict(tokenizer.pad([{name: row[name] for name in names} for row in rows], return_tensors="pt"))
    choices = len(rows[0]["input_ids"])
    if any(len(row["input_ids"]) != choices for row in rows):
        raise ValueError("Rows of a batch must have the same number of choices.")
    flat = [{name: row[name][choice] for name in names} for row in rows for choice in range(choices)]
    padded = tokenizer.pad(flat, return_tensors="pt")  # (batch · choices, seq)
    return {name: column.view(len(rows), choices, -1) for name, column in padded.items()}


def _for_positions(values: Sequence[Any]) -> bool:
    """Whether these are ids for positions, to be padded; several labels of one example are 0.0 and 1.0."""
    return isinstance(values[0], list) and isinstance(values[0][0], int)
