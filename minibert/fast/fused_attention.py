"""On a GPU, attention by PyTorch's fused kernel: with it a step of BERT-large over rows of 512 is twice as fast as the plain one, in half the memory.

Written out, attention holds a (seq × keys) matrix for every head, which a step writes to the GPU's memory and reads again, several times;
the kernel never holds it. On a CPU, where it gains little, nothing changes. Source: Dao et al. 2022. No reference class: ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from .linear_layers import on_cpu


@contextmanager
def fused_on_gpu(model: nn.Module) -> Iterator[None]:
    """Within, a model on a GPU that attends step by step attends by the kernel. Where probabilities are asked for, it does so as before."""
    config: Any = getattr(model, "config", None)
    if getattr(config, "attn_implementation", None) != "eager" or on_cpu(model):
        yield
        return
    whole: Any = model
    whole.set_attn_implementation("sdpa")
    try:
        yield
    finally:
        whole.set_attn_implementation("eager")
