"""Watch a forward: what each stage took, what it gave, and how long it needed. No reference class: ours.

    with trace(model) as t:
        model(**inputs)
    t["encoder.layer.0.attention.self"].outputs["0"].std

Hooks only read, so no bit of any result changes.
"""

import functools
import inspect
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary


@dataclass(frozen=True)
class TensorFacts:
    """What a tensor is like, with a copy of it where asked for: mean = Σ x / n, std = √(Σ (x − mean)² / n).

    All four numbers are NaN for a tensor that is empty, complex or without data.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    mean: float
    std: float
    minimum: float
    maximum: float
    tensor: Tensor | None = None


@dataclass(eq=False)
class Stage:
    """One call of one module.

    path: the module's name in the model, "" for the model itself. call: 0 for the first call of that path, then 1, 2, …
    depth: how many stages are running around it. inputs: by the names of forward's parameters; outputs: by key or
    position. seconds: the time it took with the stages in it, the tracing left out; None while it runs.
    """

    path: str
    call: int
    depth: int
    module: nn.Module
    inputs: dict[str, TensorFacts]
    outputs: dict[str, TensorFacts] = field(default_factory=dict)
    seconds: float | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Path and call, which no two stages of a trace share."""
        return self.path, self.call


class Trace:
    """The stages of every forward under `trace`, in the order in which they began; `finished`: in that in which they ended.

    stopped_in: the innermost stage that raised, where an exception ended the block.
    """

    def __init__(self, model: nn.Module, keep_tensors: bool = False):
        self.stages: list[Stage] = []
        self.finished: list[Stage] = []
        self.stopped_in: Stage | None = None
        self.keep_tensors = keep_tensors
        self._names: dict[nn.Module, list[str]] = {}
        for name, module in model.named_modules(remove_duplicate=False):
            self._names.setdefault(module, []).append(name)
        self._calls: Counter[str] = Counter()
        self._raised: tuple[BaseException, Stage] | None = None
        self._running: list[tuple[Stage, float]] = []  # with the time at which it began
        self._overhead = 0.0  # the seconds spent in `begin` and `end`, in which the stages' clock stands still
        self._measured: Any = WeakTensorKeyDictionary()  # the version and the facts of each tensor that still exists

    def __getitem__(self, path: str) -> Stage:
        """The latest call of the module at a path. Raises KeyError where there was none."""
        for stage in reversed(self.stages):
            if stage.path == path:
                return stage
        near = get_close_matches(path, {stage.path for stage in self.stages}, n=3, cutoff=0.4)
        hint = f"Close to it: {', '.join(near)}." if near else "See [stage.path for stage in t.stages]."
        raise KeyError(f"No module {path!r} was called under this trace. {hint}")

    @property
    def current(self) -> Stage | None:
        """The innermost stage that is running."""
        return self._running[-1][0] if self._running else None

    def stage_that_raised(self, error: BaseException) -> Stage | None:
        """The innermost stage that an exception came from, if it is the latest exception."""
        return self._raised[1] if self._raised is not None and self._raised[0] is error else None

    def begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Called before a module's forward."""
        now = time.perf_counter() - self._overhead
        path, names = self._path_of(module), parameter_names(type(module).forward)
        given = {names[i] if i < len(names) else str(i): value for i, value in enumerate(args)} | kwargs
        stage = Stage(path, self._calls[path], len(self._running), module=module, inputs=self._facts_of(given))
        self._calls[path] += 1
        self.stages.append(stage)
        self._running.append((stage, now))
        self._overhead = time.perf_counter() - now

    def end(self, module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        """Called after a module's forward, also one that raised."""
        if self.current is None or self.current.module is not module:
            return  # another hook raised before `begin` was called
        if any(tensor.is_cuda for tensor in named_tensors(output).values()):
            torch.cuda.synchronize()  # a GPU works on after a call returns
        now = time.perf_counter() - self._overhead
        stage, began = self._running.pop()
        stage.seconds = now - began
        stage.outputs = self._facts_of(output)
        error = sys.exc_info()[1]
        if output is not None or error is None:
            self.finished.append(stage)
        elif self.stage_that_raised(error) is None:
            self._raised = error, stage
        self._overhead = time.perf_counter() - now

    def rename(self, names: Mapping[str, str]) -> None:
        """Call modules by other names, {own: other}."""
        self._names = {module: [names.get(name, name) for name in own] for module, own in self._names.items()}

    def alias(self, tensor: Tensor) -> Tensor:
        """Another name for a tensor that was measured, with the same facts."""
        other = tensor.view_as(tensor)
        self._measured[other] = other._version, self._measured[tensor][1]
        return other

    def _path_of(self, module: nn.Module) -> str:
        """The module's name. One with several is called by a name inside the running stage, in turn where it has more."""
        names, around = self._names[module], f"{self.current.path}." if self.current and self.current.path else ""
        return min([name for name in names if name.startswith(around)] or names, key=lambda name: self._calls[name])

    def _facts_of(self, value: Any) -> dict[str, TensorFacts]:
        """What one stage returns the next one takes: measure it once, unless it was written to in between."""
        found = {}
        for name, tensor in named_tensors(value).items():
            version = None if tensor.is_inference() else tensor._version  # inference tensors do not count their writes
            if version is None or self._measured.get(tensor, (None,))[0] != version:
                self._measured[tensor] = version, measure(tensor, self.keep_tensors)
            found[name] = self._measured[tensor][1]
        return found


@contextmanager
def trace(model: nn.Module, keep_tensors: bool = False) -> Iterator[Trace]:
    """Record every stage of `model` until the block ends; then the hooks are gone, also after an exception.

    keep_tensors: keep a copy of every tensor too, as `t[path].outputs["0"].tensor`.
    """
    record = Trace(model, keep_tensors)
    hooks = [module.register_forward_pre_hook(record.begin, with_kwargs=True) for module in record._names]
    hooks += [module.register_forward_hook(record.end, always_call=True) for module in record._names]
    try:
        yield record
    except BaseException as error:
        record.stopped_in = record.stage_that_raised(error)
        raise
    finally:
        for hook in hooks:
            hook.remove()
        record._raised = None


@torch.no_grad()
def measure(tensor: Tensor, keep: bool = False) -> TensorFacts:
    """The facts of a tensor of any shape, dtype and device; `keep` adds a copy that later writes cannot change."""
    mean = std = low = high = math.nan
    if tensor.numel() > 0 and not tensor.is_meta and not tensor.is_complex():
        x = tensor.detach()
        if x.dtype not in (torch.float32, torch.float64):  # sums in half precision overflow, and integers have no mean
            x = x.to(torch.float32 if x.is_floating_point() else torch.float64)
        average = x.mean()
        spread = torch.linalg.vector_norm(x - average) / math.sqrt(x.numel())  # in a tenth of the time of torch.std
        mean, std, low, high = (number.item() for number in (average, spread, *torch.aminmax(x)))
    kept, shape = tensor.detach().clone() if keep else None, tuple(tensor.shape)
    return TensorFacts(shape, tensor.dtype, mean=mean, std=std, minimum=low, maximum=high, tensor=kept)


def named_tensors(value: Any, name: str = "") -> dict[str, Tensor]:
    """Every tensor in what a module takes or returns: {"logits": …}, {"0": …, "2.1": …}; a lone one is "0".

    Names are keys and positions, joined by dots. Anything but tensors, mappings, tuples and lists is left out.
    """
    if isinstance(value, Tensor):
        return {name or "0": value}
    if isinstance(value, (tuple, list)):
        value = dict(enumerate(value))
    inner = value.items() if isinstance(value, Mapping) else ()
    found = (named_tensors(item, f"{name}.{key}" if name else str(key)) for key, item in inner)
    return {key: tensor for tensors in found for key, tensor in tensors.items()}


@functools.cache
def parameter_names(forward: Any) -> tuple[str, ...]:
    """What forward calls its positional arguments, `self` and `*args` left out."""
    parameters = list(inspect.signature(forward).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY))
