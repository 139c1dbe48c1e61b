"""Exercises of chapter 4, self-attention. Check them with `minibert check 4`."""

import math

import torch
from torch import Tensor


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(batch, seq, heads · d) → (batch, heads, seq, d). Head 0 gets the first d numbers of each position, and so on.

    10 minutes, medium.
    """
    batch, seq, hidden = x.shape
    return x.view(batch, seq, heads, hidden // heads).transpose(1, 2)


def additive_mask(mask: Tensor) -> Tensor:
    """From 1 for "may be seen" and 0 for padding to numbers added to scores: 0.0 and −10000.0.

    mask: (batch, keys) int64. Returns float32 (batch, 1, 1, keys), to be broadcast over heads and queries.

    5 minutes, easy.
    """
    return (1.0 - mask[:, None, None, :].float()) * -10000.0


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """softmax(Q Kᵀ / √d + mask) V, d being the width of a head.

    query: (batch, heads, seq, d). key, value: (batch, heads, keys, d). mask: additive, (batch, 1, 1, keys).
    Returns (batch, heads, seq, d). Scores may be hundreds. Without PyTorch's fused function: the point is to write it out.

    15 minutes, medium.
    """
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.size(-1))
    return torch.softmax(scores + mask, dim=-1) @ value


def join_heads(x: Tensor) -> Tensor:
    """(batch, heads, seq, d) → (batch, seq, heads · d): undoes `split_heads`.

    10 minutes, medium.
    """
    batch, heads, seq, d = x.shape
    return x.transpose(1, 2).reshape(batch, seq, heads * d)
