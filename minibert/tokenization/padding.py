"""Bring sequences to one length. Reference: `PreTrainedTokenizerBase.pad`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from .added_vocabulary import AddedVocabulary
from .batch_encoding import BatchEncoding
from .strategies import LARGE, EncodeOptions, Lengths, PaddingStrategy, TruncationStrategy

logger = logging.getLogger(__name__)


class Padding(AddedVocabulary):
    """Pad encoded sequences, on the right or on the left.

    Padding has the id `pad_token_id`, segment `pad_token_type_id`, attention 0, and counts as special.
    """

    model_max_length: int
    padding_side: str
    model_input_names: list[str]

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

    def padding_id(self) -> int:
        """The id of padding. Raises ValueError when no token plays that part."""
        token_id = self.pad_token_id
        if token_id is None:
            raise ValueError(
                "There is no token to pad with. Set one with tokenizer.add_special_tokens({'pad_token': '[PAD]'})."
            )
        return token_id

    def _filled(self, row: list[Any], filler: Any, target: int) -> list[Any]:
        missing = [filler] * (target - len(row))
        return [*row, *missing] if self.padding_side == "right" else [*missing, *row]

    def lengths(
        self,
        padding: bool | str | PaddingStrategy,
        truncation: bool | str | TruncationStrategy,
        max_length: int | None,
        pad_to_multiple_of: int | None,
        verbose: bool,
    ) -> Lengths:
        """Settle padding, truncation and the length they aim for: `max_length`, or else the model's own.

        Raises ValueError when there is no token to pad with, or a cut row could not be a multiple of what was asked.
        """
        how = Lengths(PaddingStrategy.parse(padding), TruncationStrategy.parse(truncation), max_length)
        if max_length is None:
            how = self._with_model_length(how, verbose)
        pads = how.padding is not PaddingStrategy.DO_NOT_PAD
        if pads:
            self.padding_id()
        cuts = how.truncation is not TruncationStrategy.DO_NOT_TRUNCATE
        if pads and cuts and pad_to_multiple_of and how.max_length and how.max_length % pad_to_multiple_of:
            raise ValueError(
                f"Rows cut to max_length={how.max_length} cannot be padded to a multiple of {pad_to_multiple_of}: "
                f"choose a max_length that pad_to_multiple_of divides."
            )
        return how

    def _with_model_length(self, how: Lengths, verbose: bool) -> Lengths:
        pads = how.padding is PaddingStrategy.MAX_LENGTH
        cuts = how.truncation is not TruncationStrategy.DO_NOT_TRUNCATE
        if not pads and not cuts:
            return how
        if self.model_max_length <= LARGE:
            return how._replace(max_length=self.model_max_length)
        if verbose:
            self.warn_once(
                "no maximum length",
                "There is no length to pad or cut to: give max_length=, or set tokenizer.model_max_length. "
                "Sequences are left as they are.",
            )
        return Lengths(PaddingStrategy.DO_NOT_PAD if pads else how.padding, TruncationStrategy.DO_NOT_TRUNCATE, None)

    def warn_once(self, topic: str, message: str) -> None:
        """Log a warning the first time its topic comes up with this tokenizer."""
        if topic not in self.deprecation_warnings:
            self.deprecation_warnings[topic] = True
            logger.warning(message)

    deprecation_warnings: dict[str, bool]  # topics already warned of


def to_python(column: Any) -> Any:
    """Tensors, arrays and lists of them as plain lists of numbers."""
    if isinstance(column, (torch.Tensor, np.ndarray, np.generic)):
        return column.tolist()
    if isinstance(column, (list, tuple)) and column and not isinstance(column[0], (int, str)):
        return [to_python(each) for each in column]
    return column
