"""One of the two models under comparison: run it, and keep every tensor of every stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .tensors import named_tensors
from .trace import Stage, Trace, trace

Inputs = Mapping[str, Any] | tuple[Any, ...] | Tensor
"""What a model is called with: by name, by position, or the one tensor it takes."""


@dataclass
class Softmax:
    """What went into and came out of a softmax, the innermost stage it ran in, and how many stages had begun by then."""

    stage: Stage
    begun: int
    scores: Tensor
    probabilities: Tensor


@dataclass
class Run:
    """A finished forward.

    outputs: what the model returned, still part of the graph. softmaxes: in the order of their calls. error: what stopped it,
    and stopped_in the stage that raised it, if it was stopped.
    """

    model: nn.Module
    trace: Trace
    outputs: dict[str, Tensor] = field(default_factory=dict)
    softmaxes: list[Softmax] = field(default_factory=list)
    error: Exception | None = None
    stopped_in: Stage | None = None


def run(model: nn.Module, inputs: Inputs, backward: bool, may_fail: bool) -> Run:
    """Run a model in evaluation mode on copies of the inputs, with gradients where `backward`.

    may_fail: note an exception instead of raising it.
    """
    with evaluation_mode(model), torch.set_grad_enabled(backward), trace(model, keep_tensors=True) as record:
        result = Run(model, record)
        try:
            with SoftmaxWatch(result):
                result.outputs = named_tensors(_call(model, inputs))
        except Exception as error:
            if not may_fail:
                raise
            result.error, result.stopped_in = error, record.stage_that_raised(error)
    return result


def _call(model: nn.Module, inputs: Inputs) -> Any:
    if isinstance(inputs, Mapping):
        return model(**{name: _copy(value) for name, value in inputs.items()})
    return model(*map(_copy, inputs if isinstance(inputs, tuple) else (inputs,)))


def _copy(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Dropout off; afterwards every module is in the mode it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


class SoftmaxWatch(TorchFunctionMode):
    """Notes what goes into and comes out of every softmax: torch.softmax, F.softmax and Tensor.softmax."""

    def __init__(self, result: Run):
        super().__init__()
        self.result = result

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        stage = self.result.trace.current
        if stage is not None and getattr(func, "__name__", "") == "softmax":
            scores = args[0] if args else (kwargs or {})["input"]
            begun = len(self.result.trace.stages)
            self.result.softmaxes.append(Softmax(stage, begun, _copy(scores), _copy(output)))
        return output


def gradients(model: nn.Module, outputs: list[Tensor]) -> dict[str, Tensor]:
    """The gradient of every trainable parameter, a tied one under each of its names; 0 where there is none.

    The loss weighs every number of the outputs differently, so that no two mistakes cancel. `.grad` is left alone.
    """
    named = {n: p for n, p in model.named_parameters(remove_duplicate=False) if p.requires_grad}
    parameters = list({id(p): p for p in named.values()}.values())
    terms = []
    for x in outputs:
        weights = torch.linspace(-1, 1, x.numel(), dtype=x.dtype, device=x.device).view_as(x)
        terms.append((x * weights).sum() / x.numel() ** 0.5)  # so that gradients keep their size, however many outputs
    found = torch.autograd.grad(torch.stack(terms).sum(), parameters, allow_unused=True)
    by_parameter = {id(p): torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)}
    return {name: by_parameter[id(parameter)] for name, parameter in named.items()}
