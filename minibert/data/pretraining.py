"""Batches for pre-training: any batch of a run, made from the corpus, the seed and the step alone.

    [CLS] A [SEP] B [SEP]        segments 0 … 0 1 … 1

Row r of step s has random numbers of its own, seeded with (seed, s, r). So a run that was killed goes on with the batches it would
have had, and several processes that share a batch make its rows as one process would. Each pass over the corpus
visits every stretch of it once, in an order of its own, with masks of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .corpus import Corpus
from .masking import IGNORED, Vocabulary, mask
from .pairs import Pair, draw_pair, draw_span
from .shuffle import shuffled


@dataclass(frozen=True)
class PretrainingBatch:
    """Rows of token ids with what is to be guessed.

    input_ids, token_type_ids, attention_mask, labels: (rows, seq) int64, labels −100 where nothing was hidden.
    next_sentence_label: (rows,) int64, 0 where B follows A, 1 where not; None where there are no pairs.
    """

    input_ids: Tensor
    token_type_ids: Tensor
    attention_mask: Tensor
    labels: Tensor
    next_sentence_label: Tensor | None

    def to(self, device: torch.device) -> PretrainingBatch:
        """The same on another device."""
        return PretrainingBatch(*(None if t is None else t.to(device) for t in vars(self).values()))  # type: ignore[arg-type]

    def rows(self, rows: slice) -> PretrainingBatch:
        """Some of the rows."""
        return PretrainingBatch(*(None if t is None else t[rows] for t in vars(self).values()))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Framing:
    """The ids that frame a text: [CLS], [SEP], [PAD]."""

    cls_id: int
    sep_id: int
    pad_id: int

    @classmethod
    def of(cls, tokenizer: Any) -> Framing:
        """Read them off a `BertTokenizer`."""
        return cls(tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id)


@dataclass(frozen=True)
class PretrainingBatches:
    """The batches of a run.

    corpus, vocabulary, framing: what to read and how to hide and frame it. seed: of all random numbers.
    whole_words: hide whole words instead of pieces.
    """

    corpus: Corpus
    vocabulary: Vocabulary
    framing: Framing
    seed: int
    whole_words: bool = False

    @classmethod
    def of(cls, corpus: Corpus, tokenizer: Any, seed: int, whole_words: bool = False) -> PretrainingBatches:
        """Read what is needed off a `BertTokenizer`."""
        return cls(corpus, Vocabulary.of(tokenizer), Framing.of(tokenizer), seed, whole_words)

    def batch(self, step: int, first: int, rows: range, length: int, pairs: bool = True) -> PretrainingBatch:
        """Some rows of the batch of a step.

        first: how many rows of this length came before this step. rows: which rows of the batch. length: positions a row.
        pairs: two segments with a next-sentence label, or one.
        """
        examples = [self._example(step, first, row, length, pairs) for row in rows]
        width = max(len(ids) for ids, *_ in examples)
        shape = (len(examples), width)
        input_ids = torch.full(shape, self.framing.pad_id)
        segments, seen = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
        labels = torch.full(shape, IGNORED)
        for i, (ids, boundary, hidden, _) in enumerate(examples):
            input_ids[i, : len(ids)] = torch.from_numpy(ids)
            segments[i, boundary : len(ids)] = 1
            seen[i, : len(ids)] = 1
            labels[i, : len(ids)] = torch.from_numpy(hidden)
        follows = torch.tensor([int(not is_next) for *_, is_next in examples]) if pairs else None
        return PretrainingBatch(input_ids, segments, seen, labels, follows)

    def _example(
        self, step: int, first: int, row: int, length: int, pairs: bool
    ) -> tuple[NDArray[np.int64], int, NDArray[np.int64], bool]:
        """One row: ids, where segment 1 begins, labels, and whether B follows A."""
        noise = np.random.default_rng([self.seed, step, row])
        room = length - (3 if pairs else 2)
        token = self._place(first + row, room, noise)
        pair = draw_pair(self.corpus, token, room, noise) if pairs else draw_span(self.corpus, token, room)
        ids, boundary = self._framed(pair)
        read, labels = mask(ids, self.vocabulary, noise, self.whole_words)
        return read, boundary, labels, pair.is_next

    def _place(self, index: int, room: int, noise: np.random.Generator) -> int:
        """Where example `index` of a run begins: the corpus is cut into stretches as long as there is room."""
        total = len(self.corpus.tokens)
        stretches = -(-total // room)
        epoch, place = divmod(index, stretches)
        stretch = shuffled(place, stretches, key=self.seed * 1_000_003 + epoch)
        return min(stretch * room + int(noise.integers(room)), total - 1)

    def _framed(self, pair: Pair) -> tuple[NDArray[np.int64], int]:
        """[CLS] A [SEP] B [SEP], and where B begins."""
        ids = [self.framing.cls_id, *pair.first.tolist(), self.framing.sep_id]
        boundary = len(ids)
        if pair.second is not None:
            ids += [*pair.second.tolist(), self.framing.sep_id]
        return np.array(ids, dtype=np.int64), boundary
