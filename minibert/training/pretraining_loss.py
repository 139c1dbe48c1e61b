"""The two losses of pre-training, scored where there is something to predict and nowhere else.

    loss = Σ −log p(hidden word)  / number of hidden words   +   Σ −log p(next or not) / number of pairs

The loss of `BertForPreTraining.forward`, which scores the whole vocabulary at every position and then ignores 85% of it. Here, as in
Google's `run_pretraining.py` (`gather_indexes`), only the states of hidden words reach the decoder. The losses are sums, so that
pieces of a batch, in one process or several, add up to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.pretraining_batches import PretrainingBatch, PretrainingBatches
from ..fast.last_layer import last_layer_at_labels
from ..heads.pretraining import BertForPreTraining
from ..model.checks import IGNORED
from .distributed import Processes

NEVER_TRAINED = 1 << 40  # a step that no run reaches, so that an evaluation's random numbers are its own


@dataclass(frozen=True)
class Counts:
    """The number of hidden words and of pairs that a loss is the mean over."""

    words: int
    pairs: int

    @classmethod
    def of(cls, batch: PretrainingBatch) -> Counts:
        """Count a batch's."""
        pairs = 0 if batch.next_sentence_label is None else batch.next_sentence_label.numel()
        return cls(int((batch.labels != IGNORED).sum()), pairs)


class Losses(NamedTuple):
    """Sums over a batch, each a scalar tensor: the losses, and the number of right predictions."""

    words: Tensor
    next_sentence: Tensor
    words_right: Tensor
    next_sentence_right: Tensor

    def mean(self, counts: Counts) -> Tensor:
        """The loss, of a whole batch with these counts or of a piece of it."""
        return self.words / max(counts.words, 1) + self.next_sentence / max(counts.pairs, 1)


class PretrainingLoss(nn.Module):
    """A `BertForPreTraining` together with its losses: what is trained."""

    def __init__(self, model: BertForPreTraining):
        super().__init__()
        self.model = model

    def forward(self, batch: PretrainingBatch) -> Losses:
        """The losses of a batch."""
        outputs = self.model.bert(batch.input_ids, batch.attention_mask, batch.token_type_ids)
        heads: Any = self.model.cls
        is_hidden = batch.labels != IGNORED  # (batch, seq)
        labels = batch.labels[is_hidden]  # (hidden words,)
        word_scores = heads.predictions(outputs.last_hidden_state[is_hidden])  # (hidden words, vocab)
        words = F.cross_entropy(word_scores.float(), labels, reduction="sum")

        next_scores = heads.seq_relationship(outputs.pooler_output)  # (batch, 2)
        if batch.next_sentence_label is None:
            # Zero, but of the pooler: several processes must all have a gradient for every parameter.
            right, none = number_right(word_scores, labels), labels.new_zeros(())
            return Losses(words, 0.0 * next_scores.sum(), words_right=right, next_sentence_right=none)
        following = batch.next_sentence_label
        next_sentence = F.cross_entropy(next_scores.float(), following, reduction="sum")
        right, next_right = number_right(word_scores, labels), number_right(next_scores, following)
        return Losses(words, next_sentence, words_right=right, next_sentence_right=next_right)


@contextmanager
def read_at_labels(model: BertForPreTraining, batch: PretrainingBatch) -> Iterator[PretrainingBatch]:
    """For the forward and backward of a batch: a last layer computed only at [CLS] and hidden words (`fast/last_layer.py`).

    Yields the batch that `PretrainingLoss` takes, with the labels of those positions.
    """
    with last_layer_at_labels(model.bert, batch.labels) as labels:
        yield replace(batch, labels=labels)


def number_right(scores: Tensor, labels: Tensor) -> Tensor:
    """How many rows of scores have none above the label's. (The maximum is found several times faster than its position.)"""
    scores = scores.detach()
    return (scores.gather(1, labels[:, None]).squeeze(1) >= scores.amax(dim=1)).sum()


def evaluate_pretraining(
    losses: PretrainingLoss,
    batches: PretrainingBatches,
    processes: Processes,
    *,
    number: int = 60,
    rows: int = 64,
    length: int = 128,
    precision: torch.dtype = torch.float32,
    fast: bool = False,
) -> dict[str, float]:
    """Metrics over `number` batches of `rows` pairs, the same ones every time:

    loss: the sum of the two; words_loss, words_accuracy: of hidden words, nats and share; next_loss, next_accuracy: of pairs.
    fast: with `read_at_labels`.
    """
    was_training = losses.training
    losses.eval()
    total = torch.zeros(6, dtype=torch.float64)
    share = processes.share(rows)
    sampler = [batches.keys(NEVER_TRAINED + i, i * rows, share, length=length) for i in range(number)]
    for whole in batches.loader(sampler):
        batch = whole.to(processes.device)
        counts = Counts.of(batch)
        with (
            torch.no_grad(),
            processes.autocast(precision),
            read_at_labels(losses.model, batch) if fast else nullcontext(batch) as read,
        ):
            sums = losses(read)
        total += torch.tensor([*(float(value) for value in sums), counts.words, counts.pairs], dtype=torch.float64)
    losses.train(was_training)
    words, following, words_right, following_right, all_words, all_pairs = processes.sum(*total.tolist())
    means = {"words_loss": words / all_words, "words_accuracy": words_right / all_words}
    means |= {"next_loss": following / all_pairs, "next_accuracy": following_right / all_pairs}
    return {"loss": means["words_loss"] + means["next_loss"], **means}
