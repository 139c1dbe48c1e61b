"""Exercises of chapter 1, BERT in one page. Check them with `minibert check 1`."""

import math

import torch
from torch import Tensor


def blanks(ids: list[int], mask_id: int) -> list[int]:
    """The places of all blanks in a text: where `ids` is `mask_id`, counting from 0, in order.

    3 minutes, easy.
    """
    return [place for place, piece in enumerate(ids) if piece == mask_id]


def likeliest(scores: Tensor, place: int, count: int) -> list[int]:
    """The ids of the `count` words with the highest scores at one place, the likeliest first.

    scores: (seq, vocab), one row for each place of the text.

    5 minutes, easy.
    """
    return scores[place].topk(count).indices.tolist()


def surprise(scores: Tensor, word: int) -> float:
    """How surprised the model is by a word: −log p(word), p = softmax(scores), log to the base e. At least 0.

    scores: (vocab), the scores at one place, before any softmax; they may be hundreds apart.

    10 minutes, medium.
    """
    return -torch.log_softmax(scores, dim=-1)[word].item()


def perplexity(surprises: list[float]) -> float:
    """Between how many equally likely words the model wavered: e to the power of the mean surprise.

    5 minutes, easy.
    """
    return math.exp(sum(surprises) / len(surprises))
