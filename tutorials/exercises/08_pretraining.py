"""Exercises of chapter 8, pre-training. Check them with `minibert check 8`."""

import torch
import torch.nn.functional as F
from torch import Tensor


def labels_for(ids: list[int], chosen: list[int]) -> list[int]:
    """What is to be guessed: at the chosen places the id that stands there, −100 at all others.

    3 minutes, easy.
    """
    raise NotImplementedError


def hide(ids: list[int], chosen: list[int], draws: list[float], mask_id: int, random_ids: list[int]) -> list[int]:
    """What the model gets to read. For the k-th chosen place, draws[k], a number from 0 up to 1, decides its fate:

    below 0.8: it becomes mask_id; from 0.8 to below 0.9: it becomes random_ids[k]; from 0.9 on: it stays.
    All other places stay as they are. Returns a new list.

    15 minutes, medium.
    """
    raise NotImplementedError


def masked_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """The mean of −log p(label), p = softmax of the scores over the vocabulary, over the places whose label is not −100.

    scores: (batch, seq, vocab). labels: (batch, seq) int64, at least one of them not −100. Returns a tensor of one number.
    The scores may be hundreds apart. Without `F.cross_entropy` and PyTorch's other losses: the point is to write it out.

    15 minutes, hard.
    """
    raise NotImplementedError


def pretraining_loss(word_scores: Tensor, labels: Tensor, next_scores: Tensor, next_label: Tensor) -> Tensor:
    """BERT's loss: that of the hidden words, plus that of the next sentence. `F.cross_entropy` is welcome: it skips −100.

    word_scores: (batch, seq, vocab). labels: (batch, seq). next_scores: (batch, 2). next_label: (batch).

    5 minutes, easy.
    """
    raise NotImplementedError
