"""The non-linear functions a BERT config can name.

Each is elementwise: any shape in, the same shape and dtype out. Reference: `transformers.activations.ACT2FN`, to the
bit: gelu and its approximations round differently, so a checkpoint must be run with the one it was trained with.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Activation = Callable[[Tensor], Tensor]


def gelu(x: Tensor) -> Tensor:
    """x · Φ(x), Φ the normal distribution function, through the exact erf. Source: Hendrycks & Gimpel 2016, eq. 1."""
    return F.gelu(x)


def gelu_python(x: Tensor) -> Tensor:
    """x · ½ (1 + erf(x / √2)): `gelu` written out, which rounds a little differently from the built-in."""
    return x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))


def gelu_new(x: Tensor) -> Tensor:
    """½ x (1 + tanh(√(2/π) (x + 0.044715 x³))): the approximation in Google's BERT and OpenAI's GPT code."""
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


def gelu_fast(x: Tensor) -> Tensor:
    """`gelu_new` with x factored out and √(2/π) rounded to ten digits."""
    return 0.5 * x * (1.0 + torch.tanh(x * 0.7978845608 * (1.0 + 0.044715 * x * x)))


def quick_gelu(x: Tensor) -> Tensor:
    """x · σ(1.702 x). Source: Hendrycks & Gimpel 2016, §2."""
    return x * torch.sigmoid(1.702 * x)


ACT2FN: dict[str, Activation] = {
    "relu": F.relu,
    "silu": F.silu,  # x · σ(x), Elfwing et al. 2017
    "swish": F.silu,
    "gelu": gelu,
    "tanh": torch.tanh,
    "gelu_python": gelu_python,
    "gelu_new": gelu_new,
    "gelu_fast": gelu_fast,
    "quick_gelu": quick_gelu,
    "mish": F.mish,  # x · tanh(ln(1 + eˣ)), Misra 2019
    "linear": torch.positive,  # x
    "sigmoid": torch.sigmoid,
}


class UnknownActivationError(ValueError, KeyError):
    """A name that `ACT2FN` does not have; a KeyError too, since that is what the reference raises."""

    __str__ = Exception.__str__  # a KeyError would show its message in quotation marks


def get_activation(hidden_act: str | Activation) -> Activation:
    """The function a config's `hidden_act` names, or the function itself where it is one.

    Raises UnknownActivationError for an unknown name.
    """
    if callable(hidden_act):
        return hidden_act
    if hidden_act not in ACT2FN:
        raise UnknownActivationError(
            f"hidden_act = {hidden_act!r} is no activation known here. Use one of {sorted(ACT2FN)}."
        )
    return ACT2FN[hidden_act]
