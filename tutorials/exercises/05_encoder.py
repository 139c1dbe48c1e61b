"""Exercises of chapter 5, the encoder layer. Check them with `minibert check 5`."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def gelu(x: Tensor) -> Tensor:
    """x · Φ(x), Φ(x) = ½ (1 + erf(x / √2)): the exact form, elementwise. Without `F.gelu`.

    5 minutes, easy.
    """
    raise NotImplementedError


def feed_forward(x: Tensor, up: nn.Linear, down: nn.Linear) -> Tensor:
    """W₂ gelu(W₁ x + b₁) + b₂: out to four times the width and back, without add & norm.

    x: (batch, seq, hidden). up: hidden → intermediate. down: intermediate → hidden. Use `gelu` from above.

    5 minutes, easy.
    """
    raise NotImplementedError


def add_and_norm(x: Tensor, stage: Callable[[Tensor], Tensor], norm: nn.LayerNorm) -> Tensor:
    """What BERT puts around both halves of a layer: run the stage on x, add x to its result, normalise the sum.

    5 minutes, easy.
    """
    raise NotImplementedError


def layer_parameters(hidden: int, intermediate: int) -> int:
    """How many numbers one encoder layer learns.

    Query, key, value and the attention's output projection (hidden → hidden), up and down of the feed-forward network,
    each with a bias; and two LayerNorms, each with a weight and a bias of width hidden.

    10 minutes, medium.
    """
    raise NotImplementedError
