"""Batches for pre-training: any row of any batch, made from the corpus, the seed and the step alone.

    [CLS] A [SEP] B [SEP]        segments 0 … 0 1 … 1

`PretrainingBatches` is a data set for `torch.utils.data.DataLoader`: a batch sampler gives it the keys of a step's rows
(`keys`), and `collate` pads the rows. Row r of step s has random numbers of its own, seeded with (seed, s, r). So a run that was
killed goes on with the batches it would have had, and several processes that share a batch make its rows as one process would. Each
pass over the corpus visits every stretch of it once, in an order of its own, with masks of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

from ..model.checks import IGNORED
from .corpus import Corpus
from .masking import Vocabulary, mask
from .pairs import draw_pair, draw_span


class RowKey(NamedTuple):
    """Which row: of which step, its position in the batch, its number among all rows of this length; positions; segments."""

    step: int
    row: int
    number: int
    length: int
    pairs: bool


@dataclass(frozen=True)
class PretrainingBatch:
    """Rows of token ids with what is to be predicted.

    input_ids, token_type_ids, attention_mask, labels: (rows, seq) int64, labels −100 where nothing was hidden.
    next_sentence_label: (rows,) int64, 0 where B follows A, 1 where not; None where there are no pairs.
    """

    input_ids: Tensor
    token_type_ids: Tensor
    attention_mask: Tensor
    labels: Tensor
    next_sentence_label: Tensor | None

    @property
    def counts(self) -> tuple[int, int]:
        """How many hidden words and pairs there are to predict."""
        pairs = 0 if self.next_sentence_label is None else len(self.next_sentence_label)
        return int((self.labels != IGNORED).sum()), pairs

    def to(self, device: torch.device) -> PretrainingBatch:
        """The same on another device."""
        return self._each(lambda column: column.to(device))

    def split(self, pieces: int) -> list[PretrainingBatch]:
        """The rows in at most so many pieces."""
        size = -(-len(self.input_ids) // pieces)
        starts = range(0, len(self.input_ids), size)
        return [self._each(itemgetter(slice(start, start + size))) for start in starts]

    def _each(self, change: Callable[[Tensor], Tensor]) -> PretrainingBatch:
        changed = {name: None if column is None else change(column) for name, column in vars(self).items()}
        return PretrainingBatch(**changed)  # type: ignore[arg-type]


class PretrainingBatches(Dataset[Any]):
    """The rows of a run. tokenizer: a `BertTokenizer`. seed: of all random numbers. whole_words: hide whole words."""

    def __init__(self, corpus: Corpus, tokenizer: Any, seed: int, whole_words: bool = False):
        self.corpus = corpus
        self.vocabulary = Vocabulary.of(tokenizer)
        self.cls_id, self.sep_id = tokenizer.cls_token_id, tokenizer.sep_token_id
        self.pad_id = tokenizer.pad_token_id
        self.seed = seed
        self.whole_words = whole_words

    @staticmethod
    def keys(step: int, first: int, rows: range, length: int, pairs: bool = True) -> list[RowKey]:
        """The keys of some rows of a step's batch.

        first: how many rows of this length came before this step. rows: which rows of the batch. length: positions in a row.
        pairs: two segments with a next-sentence label, or one.
        """
        return [RowKey(step, row, first + row, length=length, pairs=pairs) for row in rows]

    def batch(self, step: int, first: int, rows: range, length: int, pairs: bool = True) -> PretrainingBatch:
        """Some rows of a step's batch, as `keys` names them."""
        return self.collate([self[key] for key in self.keys(step, first, rows, length=length, pairs=pairs)])

    def loader(self, batch_sampler: Iterable[list[RowKey]]) -> DataLoader[PretrainingBatch]:
        """Batches of the rows that a batch sampler names."""
        # A loader draws a seed for its workers: from a generator of its own, so that dropout's numbers do not depend on it.
        generator = torch.Generator()
        return DataLoader(self, batch_sampler=batch_sampler, collate_fn=self.collate, generator=generator)

    def __getitem__(self, key: RowKey) -> dict[str, Any]:
        """The columns of a batch for one row, not yet padded; next_sentence_label: None without pairs."""
        noise = np.random.default_rng([self.seed, key.step, key.row])
        max_tokens = key.length - (3 if key.pairs else 2)
        token = self._first_token(key.number, max_tokens, noise)
        pair = draw_span(self.corpus, token, max_tokens)
        if key.pairs:
            pair = draw_pair(self.corpus, token, max_tokens, noise=noise)
        first = [self.cls_id, *pair.first.tolist(), self.sep_id]
        second = [] if pair.second is None else [*pair.second.tolist(), self.sep_id]
        ids = np.array(first + second, dtype=np.int64)
        input_ids, labels = mask(ids, self.vocabulary, noise, whole_words=self.whole_words)
        return {
            "input_ids": input_ids,
            "token_type_ids": np.arange(len(ids)) >= len(first),
            "attention_mask": np.ones_like(ids),
            "labels": labels,
            "next_sentence_label": int(not pair.is_next) if key.pairs else None,
        }

    def _first_token(self, number: int, max_tokens: int, noise: np.random.Generator) -> int:
        """Where row `number` of a run begins: the corpus is cut into stretches of `max_tokens` each."""
        total = len(self.corpus.tokens)
        stretches = -(-total // max_tokens)
        epoch, position = divmod(number, stretches)
        stretch = shuffled(position, stretches, key=self.seed * 1_000_003 + epoch)
        return min(stretch * max_tokens + int(noise.integers(max_tokens)), total - 1)

    def collate(self, rows: Sequence[dict[str, Any]]) -> PretrainingBatch:
        """Rows as a batch, padded to the longest."""
        paddings = {"input_ids": self.pad_id, "token_type_ids": 0, "attention_mask": 0, "labels": IGNORED}
        columns = {
            name: pad_sequence(
                [torch.from_numpy(row[name]).long() for row in rows], batch_first=True, padding_value=padding
            )
            for name, padding in paddings.items()
        }
        following = [row["next_sentence_label"] for row in rows]
        return PretrainingBatch(**columns, next_sentence_label=None if None in following else torch.tensor(following))


ROUNDS = 4
_MIX = 0x9E3779B97F4A7C15  # 2⁶⁴ / golden ratio: spreads neighbours far apart
_MASK = (1 << 64) - 1


def shuffled(index: int, size: int, key: int) -> int:
    """The position of `index` in the shuffled order of 0 … size − 1 that belongs to `key`, computed without a list.

    A Feistel network maps pairs of half-numbers (left, right) → (right, left ⊕ f(right)). Whatever f is, that can be undone, so it
    is a permutation of the numbers below 2²ᵏ. Those that land beyond `size` are sent through again until they do not ("cycle
    walking"). Source: Luby & Rackoff 1988; Black & Rogaway 2002.
    """
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    low = (1 << half) - 1
    while True:
        left, right = index >> half, index & low
        for turn in range(ROUNDS):
            left, right = right, left ^ (_hash(right, key + turn) & low)
        index = left << half | right
        if index < size:
            return index


def _hash(value: int, key: int) -> int:
    """64 well-mixed bits of two numbers (the finalizer of SplitMix64). Source: Steele, Lea & Flood 2014."""
    z = (value + key * _MIX + _MIX) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
