"""Exercises of chapter 6, pooler and prediction heads. Check them with `minibert check 6`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def pool(hidden_states: Tensor, dense: nn.Linear) -> Tensor:
    """tanh(W h + b) of the first position, [CLS].

    hidden_states: (batch, seq, hidden). Returns (batch, hidden).

    5 minutes, easy.
    """
    return torch.tanh(dense(hidden_states[:, 0]))


def transform(hidden_states: Tensor, dense: nn.Linear, norm: nn.LayerNorm) -> Tensor:
    """LayerNorm(gelu(W h + b)): what every position goes through before it is compared with the words.

    5 minutes, easy.
    """
    return norm(F.gelu(dense(hidden_states)))


def word_scores(transformed: Tensor, word_embeddings: Tensor, bias: Tensor) -> Tensor:
    """A score for every word at every place: transformed · embedding of the word + the word's bias.

    transformed: (batch, seq, hidden). word_embeddings: (vocab, hidden). bias: (vocab). Returns (batch, seq, vocab).

    5 minutes, easy.
    """
    return transformed @ word_embeddings.T + bias


def count_parameters(named: dict[str, Tensor]) -> int:
    """How many numbers a model learns. A tensor that stands under two names is one tensor: count it once.

    10 minutes, medium.
    """
    distinct = {id(tensor): tensor.numel() for tensor in named.values()}
    return sum(distinct.values())
