"""The two losses of pre-training, scored where there is something to predict and nowhere else.

    loss = Σ −log p(hidden word)  / number of hidden words   +   Σ −log p(next or not) / number of pairs

The loss of `BertForPreTraining.forward`, which scores the whole vocabulary at every position and then ignores 85% of it. Here, as in
Google's `run_pretraining.py` (`gather_indexes`), only the states of hidden words reach the decoder. The losses are sums, so that
pieces of a batch, in one process or several, add up to it.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.pretraining_batches import PretrainingBatches
from ..fast.last_layer import last_layer_at_labels
from ..fast.linear_layers import linear
from ..heads.pretraining import BertForPreTraining
from ..model.checks import IGNORED
from ..model.modes import evaluation_mode
from .distributed import Processes

NEVER_TRAINED = 1 << 40  # a step that no run reaches, so that an evaluation's random numbers are its own


class Losses(NamedTuple):
    """Sums over a batch, each a scalar tensor: the losses, and the number of right predictions."""

    words: Tensor
    words_right: Tensor
    next_sentence: Tensor
    next_sentence_right: Tensor

    def mean(self, words: float, pairs: float) -> Tensor:
        """The loss, of a whole batch with so many hidden words and pairs or of a piece of it."""
        return self.words / max(words, 1) + self.next_sentence / max(pairs, 1)


class PretrainingLoss(nn.Module):
    """A `BertForPreTraining` together with its losses: what is trained."""

    def __init__(self, model: BertForPreTraining):
        super().__init__()
        self.model = model

    def forward(self, labels: Tensor, next_sentence_label: Tensor | None = None, **inputs: Tensor) -> Losses:
        """The losses of a batch (`data/pretraining_batches.py`)."""
        outputs = self.model.bert(**inputs, return_dict=True)
        heads: Any = self.model.cls
        is_hidden = labels != IGNORED  # (batch, seq)
        word_scores = heads.predictions(outputs.last_hidden_state[is_hidden])  # (hidden words, vocab)
        words = summed(word_scores, labels[is_hidden])
        next_scores = heads.seq_relationship(outputs.pooler_output)  # (batch, 2)
        if next_sentence_label is None:
            # Zero, but of the pooler: several processes must all have a gradient for every parameter.
            return Losses(*words, 0.0 * next_scores.sum(), torch.zeros_like(words[1]))
        return Losses(*words, *summed(next_scores, next_sentence_label))


def summed(scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The sum of −log softmax(scores)[label], and for how many rows no score is above the label's.

    scores: (rows, classes). labels: (rows,). (The maximum is found several times faster than its position.)
    """
    loss = F.cross_entropy(scores.float(), labels, reduction="sum")
    scores = scores.detach()
    return loss, (scores.gather(1, labels[:, None]).squeeze(1) >= scores.amax(dim=1)).sum()


def count_labels(batch: dict[str, Tensor]) -> tuple[int, int]:
    """How many hidden words and pairs a batch has to predict."""
    return int((batch["labels"] != IGNORED).sum()), len(batch.get("next_sentence_label", ()))


def pretraining_metrics(losses: list[float], words: float, pairs: float) -> dict[str, float]:
    """Means of `Losses` over all hidden words and pairs:

    loss: the sum of the two; words_loss, words_accuracy: of hidden words, nats and share; next_loss, next_accuracy: of pairs, if any.
    """
    words_loss, words_right, next_loss, next_right = losses
    means = {"words_loss": words_loss / max(words, 1), "words_accuracy": words_right / max(words, 1)}
    if pairs:
        means |= {"next_loss": next_loss / pairs, "next_accuracy": next_right / pairs}
    return {"loss": means["words_loss"] + means.get("next_loss", 0.0), **means}


def evaluate_pretraining(
    losses: PretrainingLoss,
    batches: PretrainingBatches,
    processes: Processes,
    *,
    number: int,
    rows: int,
    length: int,
    fast: bool,
    pairs: bool = True,
) -> dict[str, float]:
    """The metrics of `pretraining_metrics` over `number` batches of `rows` pairs (or single texts), the same ones every time.

    fast: the last layer only where it is read, and matrix products by the faster library.
    """
    total = torch.zeros(6, dtype=torch.float64)
    share = processes.share(rows)
    sampler = [batches.keys(NEVER_TRAINED + i, i * rows, share, length=length, pairs=pairs) for i in range(number)]
    with evaluation_mode(losses), torch.no_grad():
        for batch in batches.loader(sampler):
            batch = {name: column.to(processes.device) for name, column in batch.items()}
            products: AbstractContextManager[None] = linear(losses) if fast else nullcontext()
            read = last_layer_at_labels(losses.model.bert, batch) if fast else nullcontext(batch)
            with products, read as inputs:
                sums = losses(**inputs)
            total += torch.tensor([*map(float, sums), *count_labels(batch)], dtype=torch.float64)
    *sums, words, next_sentences = processes.sum(*total.tolist())
    return pretraining_metrics(sums, words, next_sentences)
