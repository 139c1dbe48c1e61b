"""Fresh weights, and when to skip making them.

    W ~ N(0, initializer_range²)      b = 0      LayerNorm: weight 1, bias 0      the padding word's vector: 0

Source: Devlin et al. 2019, §A.2 (there a truncated normal). Reference: `BertPreTrainedModel._init_weights`.

The same seed gives the same weights as the reference because the same draws happen in the same order: PyTorch's own
when a layer is made, then these over all layers, inner models before outer ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor, nn
from torch.nn import init
from torch.overrides import TorchFunctionMode

# Whether `init_weights` draws: not while a model is built that a checkpoint will fill.
initialization_enabled: ContextVar[bool] = ContextVar("initialization_enabled", default=True)
_DRAWS = (Tensor.normal_, Tensor.uniform_, init.normal_, init.uniform_, init.kaiming_uniform_, init.xavier_uniform_)


def initialize_module(module: nn.Module, initializer_range: float) -> None:
    """Give one layer its fresh weights, as the equations above say; modules of other kinds are left alone."""
    if isinstance(module, nn.Linear):
        module.weight.data.normal_(mean=0.0, std=initializer_range)
        if module.bias is not None:
            module.bias.data.zero_()
    elif isinstance(module, nn.Embedding):
        module.weight.data.normal_(mean=0.0, std=initializer_range)
        if module.padding_idx is not None:
            module.weight.data[module.padding_idx].zero_()
    elif isinstance(module, nn.LayerNorm):
        module.bias.data.zero_()
        module.weight.data.fill_(1.0)


@contextmanager
def without_init_weights() -> Iterator[None]:
    """Build models whose `init_weights` draws nothing; PyTorch's own draws still happen, as in the reference."""
    token = initialization_enabled.set(False)
    try:
        yield
    finally:
        initialization_enabled.reset(token)


class WithoutDraws(TorchFunctionMode):
    """Build layers without PyTorch's own draws: weights hold whatever the memory held, to be overwritten."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _DRAWS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))
