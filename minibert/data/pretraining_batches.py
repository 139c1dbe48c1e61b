"""Batches for pre-training: any row of any batch, made from the corpus, the seed and the step alone.

    [CLS] A [SEP] B [SEP]        segments 0 … 0 1 … 1

A batch is what `BertForPreTraining` takes: input_ids, token_type_ids, attention_mask, labels, (rows, seq) int64, labels −100 where
nothing was hidden; and, if rows are pairs, next_sentence_label, (rows,) int64, 0 where B follows A, 1 where not.

Row r of step s has random numbers of its own, seeded with (seed, s, r). So a run that was killed goes on with the batches it would have
had, and several processes that share a batch make its rows as one process would. Each pass over the corpus visits every stretch of it
once, in an order of its own, with masks of its own; a document of n tokens has ⌈n / max_tokens⌉ of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

from ..model.checks import IGNORED
from .corpus import Corpus
from .masking import Vocabulary, mask
from .pairs import draw_pair, draw_span

GOLDEN = 0.6180339887498949  # its multiples, modulo 1, spread evenly however many there are
MOVED = 16  # a document's stretches move by up to a 16th of it, even if its last words then wait for another pass


class RowKey(NamedTuple):
    """Which row: of which step, its position in the batch, its number among all rows of this length; positions; segments."""

    step: int
    row: int
    number: int
    length: int
    pairs: bool


class PretrainingBatches(Dataset[Any]):
    """The rows of a run, each under its key. tokenizer: a `BertTokenizer`. whole_words: hide whole words."""

    def __init__(self, corpus: Corpus, tokenizer: Any, seed: int, whole_words: bool = False):
        self.corpus = corpus
        self.vocabulary = Vocabulary.of(tokenizer)
        self.cls_id, self.sep_id, self.pad_id = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id
        self.seed = seed
        self.whole_words = whole_words
        self.stretches: dict[int, NDArray[np.int64]] = {}  # how many up to the end of each document, by `max_tokens`

    @staticmethod
    def keys(step: int, first: int, rows: range, length: int, pairs: bool = True) -> list[RowKey]:
        """The keys of some rows of a step's batch. first: how many rows of this length came before this step."""
        return [RowKey(step, row, first + row, length=length, pairs=pairs) for row in rows]

    def batch(self, step: int, first: int, rows: range, length: int, pairs: bool = True) -> dict[str, Tensor]:
        """Some rows of a step's batch, as `keys` names them."""
        return self.collate([self[key] for key in self.keys(step, first, rows, length=length, pairs=pairs)])

    def loader(self, batch_sampler: Iterable[list[RowKey]]) -> DataLoader[dict[str, Tensor]]:
        """Batches of the rows that a batch sampler names."""
        # A loader draws a seed for its workers: from a generator of its own, so that dropout's numbers do not depend on it.
        own = torch.Generator(torch.get_default_device())
        return DataLoader(self, batch_sampler=batch_sampler, collate_fn=self.collate, generator=own)

    def __getitem__(self, key: RowKey) -> dict[str, Tensor]:
        """The columns of a batch for one row, not yet padded."""
        noise = np.random.default_rng([self.seed, key.step, key.row])
        max_tokens = key.length - (3 if key.pairs else 2)
        token = self.first_token(key.number, max_tokens)
        if key.pairs:
            pair = draw_pair(self.corpus, token, max_tokens, noise=noise)
        else:
            pair = draw_span(self.corpus, token, max_tokens)
        first = [self.cls_id, *pair.first.tolist(), self.sep_id]
        second = [] if pair.second is None else [*pair.second.tolist(), self.sep_id]
        ids = np.array(first + second, dtype=np.int64)
        if (top := int(ids.max())) >= (size := len(self.vocabulary.special)):
            raise ValueError(f"The corpus has the token id {top}, the vocabulary {size} ids. Prepare the corpus again.")
        input_ids, labels = mask(ids, self.vocabulary, noise, whole_words=self.whole_words)
        row = {
            "input_ids": torch.from_numpy(input_ids),
            "token_type_ids": torch.from_numpy((np.arange(len(ids)) >= len(first)).astype(np.int64)),
            "attention_mask": torch.ones(len(ids), dtype=torch.long),
            "labels": torch.from_numpy(labels),
        }
        return {**row, "next_sentence_label": torch.tensor(int(not pair.is_next))} if key.pairs else row

    def count_stretches(self, max_tokens: int) -> int:
        """How many rows of so many tokens a pass over the corpus has."""
        if max_tokens not in self.stretches:
            sizes = np.diff(self.corpus.sentences[self.corpus.documents])
            self.stretches[max_tokens] = np.cumsum(-(-sizes // max_tokens))
        return int(self.stretches[max_tokens][-1])

    def first_token(self, number: int, max_tokens: int) -> int:
        """Where row `number` of a run begins. Stretches move a little from pass to pass, to have other words at their ends."""
        total = self.count_stretches(max_tokens)
        epoch, position = divmod(number, total)
        stretch, ends = shuffled(position, total, key=self.seed * 1_000_003 + epoch), self.stretches[max_tokens]
        document = int(np.searchsorted(ends, stretch, side="right"))
        begin, end = self.corpus.sentences[self.corpus.documents[document : document + 2]].tolist()
        spare = (begin - end) % max_tokens
        ahead = int(max(spare, min(max_tokens, (end - begin) // MOVED)) * (epoch * GOLDEN % 1))
        return max(begin, end + spare - (int(ends[document]) - stretch) * max_tokens - ahead)

    def share_shown(self, length: int, passes: int) -> float:
        """The share of the corpus's tokens that stand in a pair of so many passes over it, with rows of `length` positions."""
        marked = replace(self.corpus, tokens=np.arange(len(self.corpus.tokens)))
        shown, max_tokens = np.zeros(len(marked.tokens), dtype=bool), length - 3
        for number in range(passes * self.count_stretches(max_tokens)):
            token = self.first_token(number, max_tokens)
            pair = draw_pair(marked, token, max_tokens, noise=np.random.default_rng(number))
            shown[pair.first] = shown[pair.second] = True
        return float(shown.mean())

    def collate(self, rows: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Rows as a batch, padded to the longest."""
        batch = {name: [row[name] for row in rows] for name in rows[0]}
        padding = {"input_ids": self.pad_id, "token_type_ids": 0, "attention_mask": 0, "labels": IGNORED}
        padded = {name: pad_sequence(batch.pop(name), True, padding_value=padding[name]) for name in padding}
        return padded | {name: torch.stack(labels) for name, labels in batch.items()}


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
