"""Exercises of chapter 13, multiple choice. Check them with `minibert check 13`."""

import torch
from torch import Tensor


def pairs_of(context: str, beginning: str, endings: list[str]) -> list[tuple[str, str]]:
    """The text pairs that the model reads for one question: (context, "beginning ending"), one for each ending, in order.

    Between beginning and ending stands one space. The beginning may be empty; then the second text is the ending alone.

    5 minutes, easy.
    """
    return [(context, f"{beginning} {ending}".strip()) for ending in endings]


def flatten(ids: Tensor) -> Tensor:
    """(batch, choices, seq) → (batch · choices, seq), the choices of one question next to each other.

    5 minutes, easy.
    """
    return ids.reshape(-1, ids.shape[-1])


def logits_of(scores: Tensor, choices: int) -> Tensor:
    """(batch · choices, 1) scores, in the order that `flatten` gives → (batch, choices).

    5 minutes, easy.
    """
    return scores.view(-1, choices)


def choice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean over the questions of −log p(right choice), p = softmax over the choices of a question.

    logits: (batch, choices). labels: (batch) int64. Returns a tensor of one number. The logits may be hundreds
    apart. Without `F.cross_entropy` and PyTorch's other losses.

    10 minutes, medium.
    """
    log_probabilities = torch.log_softmax(logits, dim=-1)
    return -log_probabilities.gather(-1, labels[:, None]).mean()
