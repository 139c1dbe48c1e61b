"""From the ids of one or two texts to a model's input: cut, add `[CLS]` and `[SEP]`, mark segments, pad.

    one text    [CLS] A [SEP]              segments 0 0…0 0
    a pair      [CLS] A [SEP] B [SEP]      segments 0 0…0 0 1…1 1

Source: Devlin et al. 2019, figure 2. Reference: `PreTrainedTokenizerBase.prepare_for_model` and what it calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias, TypeVar

from .batch_encoding import BatchEncoding
from .padding import Padding
from .strategies import EncodeOptions, PaddingStrategy, TruncationStrategy
from .truncation import truncate

T = TypeVar("T")  # what is cut: ids, or tokens with their places in the text
Ids: TypeAlias = tuple[list[int], list[int] | None]  # of a text, and of its pair if it has one


class Assembly(Padding):
    """Turn ids into rows that BERT can read."""

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`."""
        cls, sep = self.cls_token_id, self.sep_token_id
        if cls is None or sep is None:
            raise ValueError("BERT's input begins with cls_token and ends with sep_token: set both on the tokenizer.")
        if token_ids_1 is None:
            return [cls, *token_ids_0, sep]
        return [cls, *token_ids_0, sep, *token_ids_1, sep]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Segments: 0 for `[CLS] A [SEP]`, 1 for `B [SEP]`."""
        first = [0] * (len(token_ids_0) + 2)
        return first if token_ids_1 is None else first + [1] * (len(token_ids_1) + 1)

    def get_special_tokens_mask(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None, already_has_special_tokens: bool = False
    ) -> list[int]:
        """1 where a special token stands, 0 elsewhere.

        already_has_special_tokens: `token_ids_0` is a finished sequence; otherwise the mask is that of the sequence
        that `build_inputs_with_special_tokens` would build.
        """
        if already_has_special_tokens:
            if token_ids_1 is not None:
                raise ValueError("A finished sequence stands alone: give token_ids_0 only.")
            special = set(self.all_special_ids)
            return [int(index in special) for index in token_ids_0]
        first = [1, *[0] * len(token_ids_0), 1]
        return first if token_ids_1 is None else [*first, *[0] * len(token_ids_1), 1]

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens a single sequence, or a pair, is given."""
        return len(self.build_inputs_with_special_tokens([], [] if pair else None))

    @property
    def max_len_single_sentence(self) -> int:
        """Longest single sequence that fits, special tokens not counted."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=False)

    @property
    def max_len_sentences_pair(self) -> int:
        """Longest pair that fits, both together, special tokens not counted."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=True)

    def truncate_sequences(
        self,
        ids: list[T],
        pair_ids: list[T] | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: bool | str | TruncationStrategy = "longest_first",
        stride: int = 0,
    ) -> tuple[list[T], list[T] | None, list[T]]:
        """Cut tokens off the end of one or both sequences (see `truncate`). Returns both, and the tokens cut off."""
        return truncate(ids, pair_ids, num_tokens_to_remove, TruncationStrategy.parse(truncation_strategy), stride)

    def prepare_for_model(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        stride: int = 0,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        prepend_batch_axis: bool = False,
    ) -> BatchEncoding:
        """A model's input from ids that have no special tokens yet. The arguments are those of `BertTokenizer`."""
        options = self.options(
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
            return_token_type_ids=return_token_type_ids,
            return_attention_mask=return_attention_mask,
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_length=return_length,
            verbose=verbose,
        )
        return BatchEncoding(
            self.finished_row(ids, pair_ids, options),
            tensor_type=options.return_tensors,
            prepend_batch_axis=prepend_batch_axis,
        )

    def finished_row(self, ids: list[int], pair_ids: list[int] | None, options: EncodeOptions) -> dict[str, Any]:
        """One sequence or pair, assembled and padded: {name: value}."""
        columns = self.pad_columns(self.assembled([(ids, pair_ids)], options), options)
        if options.return_length:
            columns["length"] = [len(row) for row in columns["input_ids"]]
        return {name: column[0] for name, column in columns.items()}

    def finished_batch(self, sequences: Iterable[Ids], options: EncodeOptions) -> dict[str, list[Any]]:
        """Several, each a sequence or a pair: {name: column}. Their `length` does not count padding."""
        columns = self.assembled(sequences, options)
        if options.return_length:
            columns["length"] = [len(row) for row in columns["input_ids"]]
        return self.pad_columns(columns, options)

    def assembled(self, sequences: Iterable[Ids], options: EncodeOptions) -> dict[str, list[Any]]:
        """Columns of several sequences or pairs, not padded."""
        columns: dict[str, list[Any]] = {}
        for ids, pair_ids in sequences:
            for name, value in self.assembled_row(ids, pair_ids, options).items():
                columns.setdefault(name, []).append(value)
        if options.verbose and options.lengths.max_length is None:
            self._warn_of_length(max(map(len, columns["input_ids"])))
        return columns

    def assembled_row(self, ids: list[int], pair_ids: list[int] | None, options: EncodeOptions) -> dict[str, Any]:
        """One sequence or pair, cut to length and with its special tokens, not padded."""
        row: dict[str, Any] = {}
        if options.lengths.max_length or options.return_overflowing_tokens:
            ids, pair_ids, overflow, excess = self.cut(ids, pair_ids, options)
            if options.return_overflowing_tokens:
                row["overflowing_tokens"] = overflow
                row["num_truncated_tokens"] = excess
        if options.add_special_tokens:
            row["input_ids"] = self.build_inputs_with_special_tokens(ids, pair_ids)
            if options.return_token_type_ids:
                row["token_type_ids"] = self.create_token_type_ids_from_sequences(ids, pair_ids)
            if options.return_special_tokens_mask:
                row["special_tokens_mask"] = self.get_special_tokens_mask(ids, pair_ids)
        else:
            row["input_ids"] = ids + (pair_ids or [])
            if options.return_token_type_ids:
                row["token_type_ids"] = [0] * len(row["input_ids"])
            if options.return_special_tokens_mask:
                row["special_tokens_mask"] = [0] * len(row["input_ids"])
        return row

    def cut(
        self, ids: list[T], pair_ids: list[T] | None, options: EncodeOptions
    ) -> tuple[list[T], list[T] | None, list[T], int]:
        """Cut one sequence or pair to length. Returns both, the overflow, and by how many tokens they were too long."""
        pair = pair_ids is not None
        _, truncation, max_length = options.lengths
        if options.return_overflowing_tokens and pair and truncation is TruncationStrategy.LONGEST_FIRST:
            raise ValueError(
                "truncation='longest_first' cannot return the overflow of a pair, which may come from both texts. "
                "Choose truncation='only_first' or 'only_second'."
            )
        if not max_length:
            return ids, pair_ids, [], 0
        excess = len(ids) + len(pair_ids or ()) - max_length
        if options.add_special_tokens:
            excess += self.num_special_tokens_to_add(pair)
        return *self.truncate_sequences(ids, pair_ids, excess, truncation, options.stride), excess

    def _warn_of_length(self, length: int) -> None:
        if length > self.model_max_length:
            self.warn_once(
                "longer than the model",
                f"A sequence of {length} tokens is longer than the model's maximum of {self.model_max_length}: the "
                "model will refuse it. Pass truncation=True to cut it.",
            )
