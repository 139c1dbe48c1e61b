"""Dropout that is noted instead of drawn, so that two programs which drop out the same compute the same in training mode.

While dropout is noted, a number that would be dropped with probability p is multiplied by 1 + p: no chance, no matter in which order
the numbers lie. How many numbers were dropped, and with which p, is counted.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Drops = Counter[float]  # p → how many numbers
_noted: list[Drops] = []
_plain_dropout, _plain_attention = F.dropout, F.scaled_dot_product_attention


@contextlib.contextmanager
def dropout_noted() -> Iterator[Drops]:
    """Inside, no dropout is random; gives what is dropped."""
    drops: Drops = Counter()
    _noted.append(drops)
    try:
        yield drops
    finally:
        _noted.pop()


def install() -> None:
    """Put the functions below in PyTorch's place, before a student's file imports them. They do nothing until dropout is noted."""
    torch.nn.functional.dropout = torch.dropout = _dropout  # type: ignore[assignment]
    torch.nn.functional.scaled_dot_product_attention = _attention


def _dropout(
    input: Tensor,  # PyTorch's own names
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    train: bool | None = None,
) -> Tensor:
    training = training if train is None else train  # what torch.dropout calls it
    if not _noted:
        return _plain_dropout(input, p, training, inplace)
    if not training or p == 0:
        return input
    _noted[-1][round(float(p), 6)] += input.numel()
    return input * (1.0 + p)


def _attention(query: Tensor, key: Tensor, value: Tensor, *more: Any, **named: Any) -> Tensor:
    options = {**dict(zip(("attn_mask", "dropout_p", "is_causal"), more, strict=False)), **named}
    p = options.get("dropout_p", 0.0)
    if not _noted or p == 0:
        return _plain_attention(query, key, value, *more, **named)
    scale = options.get("scale") or 1.0 / math.sqrt(query.size(-1))
    scores = query @ key.transpose(-1, -2) * scale
    mask = options.get("attn_mask")
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    return _dropout(torch.softmax(scores, dim=-1), p) @ value
