"""Bring sequences to one length. Reference: `PreTrainedTokenizerBase.pad`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from .arguments import Arguments
from .batch_encoding import BatchEncoding
from .strategies import EncodeOptions, Lengths, PaddingStrategy, TruncationStrategy


class Padding(Arguments):
    """Pad encoded sequences, on the right or on the left.

    Padding has the id `pad_token_id`, segment `pad_token_type_id`, attention 0, and counts as special.
    """

    def pad(
        self,
        encoded_inputs: BatchEncoding | Mapping[str, Any] | Sequence[BatchEncoding | Mapping[str, Any]],
        padding: bool | str | PaddingStrategy = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """Pad one encoding, a batch, or a list of encodings (as a data loader collects them).

        Tensors and arrays come back as tensors and arrays. Columns other than ids, attention mask, segments,
        special-token mask and offsets are passed on as they are.
        """
        columns = self._columns(encoded_inputs)
        ids = columns[self.model_input_names[0]]
        if isinstance(ids, torch.Tensor) or (len(ids) and isinstance(ids[0], torch.Tensor)):
            return_tensors = return_tensors or "pt"
        elif isinstance(ids, np.ndarray) or (len(ids) and isinstance(ids[0], np.ndarray)):
            return_tensors = return_tensors or "np"
        columns = {name: to_python(column) for name, column in columns.items()}
        ids = columns[self.model_input_names[0]]
        lengths = self.lengths(padding, TruncationStrategy.DO_NOT_TRUNCATE, max_length, pad_to_multiple_of, verbose)
        if return_attention_mask is None:
            return_attention_mask = "attention_mask" in self.model_input_names
        single = not (ids and isinstance(ids[0], (list, tuple)))
        if single:
            columns = {name: [column] for name, column in columns.items()}
        columns = self.padded(columns, lengths, pad_to_multiple_of, return_attention_mask)
        if single:
            columns = {name: column[0] for name, column in columns.items()}
        return BatchEncoding(columns, tensor_type=return_tensors)

    def _columns(
        self, encoded_inputs: BatchEncoding | Mapping[str, Any] | Sequence[BatchEncoding | Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Encodings as columns: a list of rows {name: value} becomes {name: list of values}."""
        main = self.model_input_names[0]
        if isinstance(encoded_inputs, Mapping):
            columns = dict(encoded_inputs)
        else:
            columns = {name: [row[name] for row in encoded_inputs] for name in (encoded_inputs or [{}])[0]}
        if main not in columns:
            raise ValueError(
                f"There is nothing to pad: the encodings need {main!r}, and have {', '.join(columns) or 'no columns'}."
            )
        return columns

    def pad_columns(self, columns: dict[str, list[Any]], options: EncodeOptions) -> dict[str, list[Any]]:
        """Pad as was asked of an encoding."""
        return self.padded(columns, options.lengths, options.pad_to_multiple_of, options.return_attention_mask)

    def padded(
        self,
        columns: dict[str, list[Any]],
        lengths: Lengths,
        pad_to_multiple_of: int | None,
        return_attention_mask: bool,
    ) -> dict[str, list[Any]]:
        """Pad a batch, {name: list of rows}, and add the attention mask if asked for."""
        main = self.model_input_names[0]
        sizes = [len(row) for row in columns[main]]
        for name, rows in columns.items():
            if len(rows) != len(sizes):
                raise ValueError(f"{name!r} has {len(rows)} rows where {main!r} has {len(sizes)}.")
        if return_attention_mask and "attention_mask" not in columns:
            columns["attention_mask"] = [[1] * size for size in sizes]
        target = self.padded_length(sizes, lengths, pad_to_multiple_of)
        if target == 0:
            return columns
        fillers = {
            main: self.padding_id(),
            "token_type_ids": self.pad_token_type_id,
            "attention_mask": 0,
            "special_tokens_mask": 1,
            "offset_mapping": (0, 0),
        }
        for name, filler in fillers.items():
            if name in columns:
                columns[name] = [self._filled(row, filler, target) for row in columns[name]]
        return columns

    def padded_length(self, sizes: list[int], lengths: Lengths, pad_to_multiple_of: int | None) -> int:
        """The length that rows of these sizes are padded to; 0 for none."""
        if lengths.padding is PaddingStrategy.DO_NOT_PAD:
            return 0
        target = max(sizes) if lengths.padding is PaddingStrategy.LONGEST else lengths.max_length or 0
        return -(-target // pad_to_multiple_of) * pad_to_multiple_of if pad_to_multiple_of else target

    def _filled(self, row: list[Any], filler: Any, target: int) -> list[Any]:
        missing = [filler] * (target - len(row))
        return [*row, *missing] if self.padding_side == "right" else [*missing, *row]


def to_python(column: Any) -> Any:
    """Tensors, arrays and lists of them as plain lists of numbers."""
    if isinstance(column, (torch.Tensor, np.ndarray, np.generic)):
        return column.tolist()
    if isinstance(column, (list, tuple)) and column and not isinstance(column[0], (int, str)):
        return [to_python(each) for each in column]
    return column
