"""Dropout masks drawn four values at a time: PyTorch's take up to a sixth of a small model's training step on a CPU.

    kept(x) ~ Bernoulli(1 - p)        dropout(x) = x · kept / (1 - p)

PyTorch draws a number of 53 random bits for every value, one after the other. Here a draw of 64 bits decides for four values,
each by 16 bits of its own. So p is rounded to the nearest of 65,536ths, and x divided by the share that is then kept: the
expected value is exactly x. Other masks than PyTorch's, of the same distribution.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from ..model.checks import values_unknown
from .linear_layers import on_cpu

LEVELS = 1 << 16


@contextmanager
def fast_dropout(model: nn.Module) -> Iterator[None]:
    """Within, every `nn.Dropout` of a model in training mode draws in this way. On other devices than a CPU nothing changes."""
    found = [module for module in model.modules() if type(module) is nn.Dropout] if on_cpu(model) else []
    modules = [module for module in found if "forward" not in vars(module)]
    for module in modules:
        module.forward = partial(dropout, module)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for module in modules:
            del module.forward


def dropout(module: nn.Dropout, x: Tensor) -> Tensor:
    """What `module(x)` gives."""
    kept = LEVELS - round(module.p * LEVELS)
    if not module.training or kept == LEVELS or kept == 0 or x.device.type != "cpu" or values_unknown(x):
        return nn.Dropout.forward(module, x)
    keep = random_16_bits(x.shape) < kept - LEVELS // 2
    return x * keep.to(x.dtype).mul_(LEVELS / kept)


def random_16_bits(shape: torch.Size) -> Tensor:
    """Whole numbers from -32,768 to 32,767, int16, from the default generator."""
    count = shape.numel()
    drawn = torch.empty(-(-count // 4), dtype=torch.int64, device="cpu").random_(-(1 << 63), None)
    return drawn.view(torch.int16)[:count].view(shape)
