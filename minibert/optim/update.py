"""The AdamW update, written out: the definition that every faster path must equal to the bit.

With the gradient g of a parameter θ at step t:

    m ← β₁ m + (1 − β₁) g                     running mean of the gradient
    v ← β₂ v + (1 − β₂) g²                    running mean of its square
    θ ← θ − s · m / (√v + ε)                  s = lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ),  or s = lr without bias correction
    θ ← θ − lr · λ · θ                        weight decay, on the parameter that was just updated

Two details set this apart from `torch.optim.AdamW`: ε is added to √v before the bias correction reaches it (it stands in s),
and the decay comes after the update, not before.

Source: Kingma & Ba 2015, algorithm 1 (the form of s: end of section 2); Loshchilov & Hutter 2019, algorithm 2.
Reference: the body of `AdamW.step`.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from torch import Tensor


class PendingUpdate(NamedTuple):
    """One parameter with all that its update needs. The four tensors have one shape; the step size is a number."""

    param: Tensor
    grad: Tensor
    exp_avg: Tensor  # m
    exp_avg_sq: Tensor  # v
    step_size: float  # s


def step_size(lr: float, beta1: float, beta2: float, step: int, correct_bias: bool) -> float:
    """s in the equations above. m and v start at 0, so early on they are too small: the correction undoes that.

    `correct_bias=False` is original BERT, which relies on its warm-up instead. `step` counts from 1.
    """
    if not correct_bias:
        return lr
    return lr * math.sqrt(1.0 - beta2**step) / (1.0 - beta1**step)


def plain_update(pending: Iterable[PendingUpdate], beta1: float, beta2: float, eps: float, decay: float) -> None:
    """Update each parameter and its two averages in place, one after the other. `decay` is lr · λ."""
    for param, grad, exp_avg, exp_avg_sq, size in pending:
        exp_avg.mul_(beta1).add_(grad, alpha=1.0 - beta1)
        exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1.0 - beta2)
        denominator = exp_avg_sq.sqrt().add_(eps)
        param.addcdiv_(exp_avg, denominator, value=-size)
        if decay > 0.0:
            param.add_(param, alpha=-decay)
