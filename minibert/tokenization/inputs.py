"""From what a caller gives (text, words or ids; one or many; pairs) to rows for the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from types import NoneType
from typing import Any, TypeAlias

from . import origins
from .assembly import Ids
from .batch_encoding import BatchEncoding
from .encoding import Encoding
from .splitting import Splitting
from .strategies import EncodeOptions

Text: TypeAlias = str | Sequence[str] | Sequence[int]  # one text, its words or tokens, or its ids


class Inputs(Splitting):
    """Encode what is given, once it is settled how.

    is_fast: return overflow as windows (rows of their own), whatever else is asked for.
    """

    is_fast = False

    def encode_one(self, text: Any, text_pair: Any, is_split_into_words: bool, options: EncodeOptions) -> BatchEncoding:
        """One text or pair."""
        self.recall()
        origin = self._origin([(text, text_pair)], is_split_into_words, options)
        ids = self._input_ids(text, is_split_into_words)
        pair_ids = None if text_pair is None else self._input_ids(text_pair, is_split_into_words)
        if self._wants_windows(options):
            return self._windows([(text, text_pair)], options)
        row = self.finished_row(ids, pair_ids, options)
        if options.return_offsets_mapping and origin:
            row["offset_mapping"] = origin()[0].offsets
        n_sequences = 1 if text_pair is None else 2
        return BatchEncoding(row, origin, options.return_tensors, prepend_batch_axis=True, n_sequences=n_sequences)

    def encode_batch(self, batch: Sequence[Any], is_split_into_words: bool, options: EncodeOptions) -> BatchEncoding:
        """Several texts, or several pairs."""
        if len(batch) == 0:
            raise ValueError("There is nothing to encode: the batch is empty.")
        self.recall()
        texts = [_as_pair(item, place, is_split_into_words) for place, item in enumerate(batch)]
        origin = self._origin(texts, is_split_into_words, options)
        sequences = self._batch_ids(texts, is_split_into_words)
        if self._wants_windows(options):
            list(sequences)  # raises if one of them is no text
            return self._windows(texts, options)
        columns = self.finished_batch(sequences, options)
        if options.return_offsets_mapping and origin:
            columns["offset_mapping"] = [encoding.offsets for encoding in origin()]
        n_sequences = 1 if texts[0][1] is None else 2
        return BatchEncoding(columns, origin, options.return_tensors, n_sequences=n_sequences)

    def _batch_ids(self, texts: list[tuple[Any, Any]], is_split_into_words: bool) -> Iterator[Ids]:
        """The ids of each text and its pair, one by one: a row is built before the next text is read."""
        for place, (text, text_pair) in enumerate(texts):
            try:
                ids = self._input_ids(text, is_split_into_words)
                pair_ids = None if text_pair is None else self._input_ids(text_pair, is_split_into_words)
            except ValueError as error:
                raise ValueError(f"Item {place} of the batch cannot be encoded: {error}") from error
            yield ids, pair_ids

    def _input_ids(self, text: Any, is_split_into_words: bool) -> list[int]:
        if isinstance(text, str):
            return self._text_ids(text)
        if isinstance(text, (list, tuple)):
            if is_split_into_words and all(isinstance(word, str) for word in text):
                return list(chain.from_iterable(map(self._text_ids, text)))
            if text and all(isinstance(token, str) for token in text):
                return self.convert_tokens_to_ids(text)
            if text and all(isinstance(index, int) for index in text):
                return list(text)
        wanted = "a list of words" if is_split_into_words else "a str, a list of tokens or a list of ids"
        raise ValueError(f"expected {wanted}, got {_shortened(text)}.")

    def _origin(
        self, texts: list[tuple[Any, Any]], is_split_into_words: bool, options: EncodeOptions
    ) -> Callable[[], list[Encoding]] | None:
        """A function that works out where the tokens of `texts` came from; most callers never ask.

        None for tokens and ids, which came from no text. Raises ValueError if their offsets are asked for.
        """
        if not is_split_into_words and not all(isinstance(each, (str, NoneType)) for pair in texts for each in pair):
            if options.return_offsets_mapping or self._wants_windows(options):
                raise ValueError("Offsets are places in a text: give texts or words, not tokens or ids.")
            return None

        def encodings() -> list[Encoding]:
            self.recall()
            rows = []
            for text, text_pair in texts:
                first, second, _, _ = self.cut(*origins.aligned(self, text, text_pair), options)
                rows.append((first, second))
            return origins.encodings(self, rows, options)

        return encodings

    def _wants_windows(self, options: EncodeOptions) -> bool:
        return options.return_overflowing_tokens and (self.is_fast or options.return_offsets_mapping)

    def _windows(self, texts: list[tuple[Any, Any]], options: EncodeOptions) -> BatchEncoding:
        """A batch with a row for each window; `overflow_to_sample_mapping` says of which text."""
        rows = [origins.windows(self, origins.aligned(self, *pair), options) for pair in texts]
        encodings = origins.encodings(self, list(chain.from_iterable(rows)), options)
        columns: dict[str, Any] = {"input_ids": [encoding.ids for encoding in encodings]}
        if options.return_token_type_ids:
            columns["token_type_ids"] = [encoding.type_ids for encoding in encodings]
        if options.return_attention_mask:
            columns["attention_mask"] = [encoding.attention_mask for encoding in encodings]
        if options.return_special_tokens_mask:
            columns["special_tokens_mask"] = [encoding.special_tokens_mask for encoding in encodings]
        if options.return_offsets_mapping:
            columns["offset_mapping"] = [encoding.offsets for encoding in encodings]
        if options.return_length:
            columns["length"] = [len(encoding) for encoding in encodings]
        columns["overflow_to_sample_mapping"] = [sample for sample, windows in enumerate(rows) for _ in windows]
        n_sequences = 1 if texts[0][1] is None else 2
        return BatchEncoding(columns, encodings, options.return_tensors, n_sequences=n_sequences)


def _as_pair(item: Any, place: int, is_split_into_words: bool) -> tuple[Any, Any]:
    """One item of a batch as (text, its pair or None)."""
    if not isinstance(item, (list, tuple)):
        return item, None
    if is_split_into_words and not (item and isinstance(item[0], (list, tuple))):
        return item, None
    if len(item) != 2:
        raise ValueError(
            f"Item {place} of the batch should be a str or a (text, text) pair, and is {len(item)} things: "
            f"{_shortened(item)}. Pass is_split_into_words=True if they are the words of one text."
        )
    return item[0], item[1]


def _shortened(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"
