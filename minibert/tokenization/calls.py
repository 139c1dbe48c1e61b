"""The ways to call the tokenizer. All of them settle their arguments, then call `encode_one` or `encode_batch`.

Reference: `PreTrainedTokenizerBase.__call__` and its older relatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .batch_encoding import BatchEncoding
from .inputs import Inputs, Text
from .strategies import PaddingStrategy, TruncationStrategy


class Calls(Inputs):
    """Encode one text, a pair, or a batch."""

    def __call__(
        self,
        text: Text | Sequence[Text],
        text_pair: Text | Sequence[Text] | None = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        truncation_strategy: str | None = None,
        pad_to_max_length: bool = False,
    ) -> BatchEncoding:
        """Encode one text, one pair, or a batch of either.

        text, text_pair: a str; with `is_split_into_words`, the list of its words; or a list of these, a batch.
        add_special_tokens: add `[CLS]` and `[SEP]`.
        padding: True pads to the longest of the batch, "max_length" to `max_length` or the model's maximum.
        truncation: True or "longest_first" cuts the longer of a pair, "only_first" and "only_second" that text, to
            `max_length` or the model's maximum.
        stride: how many kept tokens the overflow repeats.
        pad_to_multiple_of: round the padded length up.
        return_tensors: "pt" or "np"; lists otherwise.
        return_token_type_ids, return_attention_mask: None means "as `model_input_names` says".
        return_overflowing_tokens: also return `overflowing_tokens` and `num_truncated_tokens`.
        return_special_tokens_mask, return_length: also return `special_tokens_mask`, `length`.
        verbose: log, once, which arguments do not go together and that a sequence is too long.
        truncation_strategy, pad_to_max_length: what `truncation` and `padding` were called before transformers 3.

        Returns `input_ids`, `token_type_ids` and `attention_mask`, each (seq) or (batch, seq), and what was asked for.
        Raises ValueError or TypeError when something is no text, naming its place in the batch.
        """
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
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            truncation_strategy=truncation_strategy,
            pad_to_max_length=pad_to_max_length,
        )
        if is_split_into_words:
            batched = isinstance(text, (list, tuple)) and len(text) > 0 and isinstance(text[0], (list, tuple))
        else:
            batched = isinstance(text, (list, tuple))
        if not batched:
            return self.encode_one(text, text_pair, is_split_into_words, options)
        if text_pair is None:
            return self.encode_batch(text, is_split_into_words, options)
        if isinstance(text_pair, str) or len(text) != len(text_pair):
            given = "one str" if isinstance(text_pair, str) else f"{len(text_pair)} texts"
            raise ValueError(f"A batch of {len(text)} texts needs as many in text_pair, not {given}.")
        return self.encode_batch(list(zip(text, text_pair, strict=True)), is_split_into_words, options)

    def encode(
        self,
        text: Text,
        text_pair: Text | None = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        stride: int = 0,
        return_tensors: str | None = None,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        verbose: bool = True,
        truncation_strategy: str | None = None,
        pad_to_max_length: bool = False,
    ) -> Any:
        """The `input_ids` of one text or pair: a list, or a (1, seq) tensor with `return_tensors`."""
        return self.encode_plus(
            text,
            text_pair,
            add_special_tokens,
            padding,
            truncation,
            max_length,
            stride,
            is_split_into_words,
            pad_to_multiple_of,
            return_tensors,
            verbose=verbose,
            truncation_strategy=truncation_strategy,
            pad_to_max_length=pad_to_max_length,
        )["input_ids"]

    def encode_plus(
        self,
        text: Text,
        text_pair: Text | None = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        truncation_strategy: str | None = None,
        pad_to_max_length: bool = False,
    ) -> BatchEncoding:
        """Encode one text or pair, which may be given as text, tokens, words or ids. Arguments as in `__call__`."""
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
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            truncation_strategy=truncation_strategy,
            pad_to_max_length=pad_to_max_length,
        )
        return self.encode_one(text, text_pair, is_split_into_words, options)

    def batch_encode_plus(
        self,
        batch_text_or_text_pairs: Sequence[Text | tuple[Text, Text]],
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        truncation_strategy: str | None = None,
        pad_to_max_length: bool = False,
    ) -> BatchEncoding:
        """Encode a list of texts, or of (text, text) pairs. Arguments as in `__call__`."""
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
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            truncation_strategy=truncation_strategy,
            pad_to_max_length=pad_to_max_length,
        )
        return self.encode_batch(batch_text_or_text_pairs, is_split_into_words, options)
