"""Exercises of chapter 9, AdamW. Check them with `minibert check 9`."""

import math

from torch import Tensor


def averages(grad: Tensor, m: Tensor, v: Tensor, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    """The running averages after one more gradient: m of the gradient, v of its square.

    m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²        All tensors have one shape.

    5 minutes, easy.
    """
    raise NotImplementedError


def step_size(lr: float, beta1: float, beta2: float, step: int) -> float:
    """lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ), t being the number of this step, counted from 1.

    5 minutes, medium.
    """
    raise NotImplementedError


def update(param: Tensor, m: Tensor, v: Tensor, size: float, eps: float, lr: float, weight_decay: float) -> Tensor:
    """The new parameter, as the AdamW of `transformers` computes it: first the step, then the decay of what it left.

    θ ← θ − size · m / (√v + ε)        θ ← θ − lr · λ · θ        λ is weight_decay. `param` itself stays unchanged.

    (Google's BERT, the paper's algorithm 2 and torch.optim.AdamW let the *old* θ decay. Here the new one does.)

    10 minutes, medium.
    """
    raise NotImplementedError


def is_decayed(name: str) -> bool:
    """Whether weight decay applies to a parameter: not to any bias, and not to LayerNorm's weight.

    5 minutes, easy.
    """
    raise NotImplementedError
