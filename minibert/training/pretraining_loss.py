"""The two losses of pre-training, computed where there is something to guess and nowhere else.

    loss = Σ −log p(hidden word)  / number of hidden words   +   Σ −log p(next or not) / number of pairs

`BertForPreTraining.forward` scores every word of the vocabulary at every position and then leaves out 85% of them. Here only the hidden
positions are scored: the same loss, from a seventh of the largest matrix product in the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.masking import IGNORED
from ..data.pretraining import PretrainingBatch
from ..heads.pretraining import BertForPreTraining


@dataclass(frozen=True)
class Counts:
    """How many hidden words and how many pairs a loss is the mean over."""

    words: int
    pairs: int

    @classmethod
    def of(cls, batch: PretrainingBatch) -> Counts:
        """Count a batch's."""
        pairs = 0 if batch.next_sentence_label is None else batch.next_sentence_label.numel()
        return cls(int((batch.labels != IGNORED).sum()), pairs)


class Losses(NamedTuple):
    """Sums over a batch, each a scalar tensor: the losses, and how many guesses were right."""

    words: Tensor
    next_sentence: Tensor
    words_right: Tensor
    next_sentence_right: Tensor

    def mean(self, counts: Counts) -> Tensor:
        """The loss of a batch of which these are a part."""
        return self.words / max(counts.words, 1) + self.next_sentence / max(counts.pairs, 1)


class PretrainingLoss(nn.Module):
    """A `BertForPreTraining` together with its losses: what is trained."""

    def __init__(self, model: BertForPreTraining):
        super().__init__()
        self.model = model

    def forward(self, batch: PretrainingBatch) -> Losses:
        """The losses of a batch."""
        model = self.model
        outputs = model.bert(batch.input_ids, batch.attention_mask, batch.token_type_ids)
        hidden = batch.labels != IGNORED  # (batch, seq)
        labels = batch.labels[hidden]  # (hidden words,)
        heads: Any = model.cls
        word_scores = heads.predictions(outputs.last_hidden_state[hidden])  # (hidden words, vocab)
        words = F.cross_entropy(word_scores.float(), labels, reduction="sum")
        words_right = (word_scores.detach().argmax(dim=-1) == labels).sum()

        if batch.next_sentence_label is None:
            # Zero, but of the pooler: several processes must all have a gradient for every parameter.
            nothing = 0.0 * heads.seq_relationship(outputs.pooler_output).sum()
            return Losses(words, nothing, words_right, torch.zeros_like(words_right))
        next_scores = heads.seq_relationship(outputs.pooler_output)  # (batch, 2)
        next_sentence = F.cross_entropy(next_scores.float(), batch.next_sentence_label, reduction="sum")
        next_right = (next_scores.detach().argmax(dim=-1) == batch.next_sentence_label).sum()
        return Losses(words, next_sentence, words_right, next_right)
