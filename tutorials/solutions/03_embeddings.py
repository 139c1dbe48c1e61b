"""Exercises of chapter 3, embeddings. Check them with `minibert check 3`."""

import torch.nn.functional as F
from torch import Tensor


def embed(ids: Tensor, segments: Tensor, word_table: Tensor, segment_table: Tensor, position_table: Tensor) -> Tensor:
    """The sum of three embeddings, before LayerNorm: what the word is, which segment it is in, where it stands.

    ids, segments: (batch, seq) int64. Tables: (vocab, hidden), (2, hidden), (longest, hidden). Positions count from 0.
    Returns (batch, seq, hidden).

    5 minutes, easy.
    """
    return word_table[ids] + segment_table[segments] + position_table[: ids.size(1)]


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """(x − mean) / √(variance + eps) · weight + bias, over the last axis. The variance is the mean squared deviation.

    x: (batch, seq, hidden). weight, bias: (hidden). Without `F.layer_norm`: the point is to write it out.

    10 minutes, medium.
    """
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred * centred).mean(-1, keepdim=True)
    return centred / (variance + eps) ** 0.5 * weight + bias


def nearest(table: Tensor, word: int, count: int) -> list[int]:
    """The `count` other words whose vectors point most nearly the same way as word's, by cosine, the nearest first.

    table: (vocab, hidden). The word itself is not among them.

    10 minutes, medium.
    """
    directions = F.normalize(table, dim=-1)
    cosines = directions @ directions[word]
    cosines[word] = -2.0
    return cosines.topk(count).indices.tolist()
