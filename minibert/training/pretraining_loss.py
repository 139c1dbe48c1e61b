"""The two losses of pre-training, computed where there is something to guess and nowhere else.

    loss = Σ −log p(hidden word)  / number of hidden words   +   Σ −log p(next or not) / number of pairs

`BertForPreTraining.forward` carries every position to the end, scores the whole vocabulary there, and leaves out 85% of it. Here the
last layer, which nobody reads elsewhere, asks its questions at [CLS] and at the hidden words only, and only hidden words are
scored: the same loss, without a fifth of the work in BERT-base and without half of it in a small one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule

from ..data.masking import IGNORED
from ..data.pretraining import PretrainingBatch
from ..heads.pretraining import BertForPreTraining
from ..model.bert import BertModel
from .last_layer import at, can_look_at_places, last_layer_at, places_to_look


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
        heads: Any = model.cls
        places, hidden = places_to_look(batch.labels)
        states, pooled = outputs_at(model.bert, batch, places)  # (batch, places, hidden size), (batch, hidden size)

        labels = batch.labels.gather(1, places)[hidden]  # (hidden words,)
        word_scores = heads.predictions(states[hidden])  # (hidden words, vocab)
        words = F.cross_entropy(word_scores.float(), labels, reduction="sum")

        next_scores = heads.seq_relationship(pooled)  # (batch, 2)
        if batch.next_sentence_label is None:
            # Zero, but of the pooler: several processes must all have a gradient for every parameter.
            return Losses(words, 0.0 * next_scores.sum(), number_right(word_scores, labels), labels.new_zeros(()))
        following = batch.next_sentence_label
        next_sentence = F.cross_entropy(next_scores.float(), following, reduction="sum")
        return Losses(words, next_sentence, number_right(word_scores, labels), number_right(next_scores, following))


def outputs_at(bert: BertModel, batch: PretrainingBatch, places: Tensor) -> tuple[Tensor, Tensor]:
    """What `bert(…)` gives at `places`, (batch, places), and pooled: (batch, places, hidden size) and (batch, hidden size)."""
    inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
    layers: Any = bert.encoder.layer
    # A layer whose parameters are spread over processes puts them together when it is called as a whole.
    sharded = isinstance(layers[-1], FSDPModule)
    if sharded or bert.encoder.gradient_checkpointing or not can_look_at_places(bert):
        outputs = bert(*inputs)
        return at(outputs.last_hidden_state, places), outputs.pooler_output
    with last_layer_at(bert, places):
        outputs = bert(*inputs)
    return outputs.last_hidden_state, outputs.pooler_output


def number_right(scores: Tensor, labels: Tensor) -> Tensor:
    """How many rows of scores have none above the label's. (The maximum is found several times faster than its place.)"""
    scores = scores.detach()
    return (scores.gather(1, labels[:, None]).squeeze(1) >= scores.amax(dim=1)).sum()
