"""Judge a function by its check: tries every input, and watches what the function does on the way.

A check yields a `Case` for every input that it tries, and may return a hint of its own. What holds for all exercises is seen to here:
what a function is given stays as it is, and what its text forbids is not called.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from .hints import Case, hint_for_all

LOSSES = ("PyTorch's own losses", ("cross_entropy", "_loss"))
# Function → what its text forbids, and parts of the names that PyTorch has for it.
WITHOUT = {
    "layer_norm": ("`F.layer_norm`, `nn.LayerNorm` and the like", ("layer_norm",)),
    "attention": ("PyTorch's fused attention", ("scaled_dot_product", "multi_head_attention", "multihead_attention")),
    "gelu": ("`F.gelu`, `nn.GELU` and the like", ("gelu",)),
    "masked_loss": LOSSES,
    "many_labels_loss": LOSSES,
    "choice_loss": LOSSES,
}


def hint_of(check: Callable[[Callable[..., Any]], Any], function: Callable[..., Any]) -> str | None:
    """What a check says to a function: None when it is right, otherwise a hint. What the function raises is raised."""
    watched = Watched(function, WITHOUT.get(check.__name__.removeprefix("check_")))
    cases: list[Case] = []
    verdict: Any = check(watched)
    if inspect.isgenerator(verdict):
        tried: Any = verdict
        try:
            while True:
                cases.append(next(tried))
        except StopIteration as stop:
            verdict = stop.value
        except NotImplementedError:
            raise
        except BaseException:
            if hint := watched.changed or hint_for_all(cases, watched.called):  # what went wrong before tells more
                return hint
            raise
    return watched.changed or hint_for_all(cases, watched.called) or verdict


class Watched:
    """A student's function, with an eye on what it changes and what it calls."""

    def __init__(self, function: Callable[..., Any], without: tuple[str, tuple[str, ...]] | None = None):
        self._function = function
        self._forbidden, parts = without or ("", ())
        self._called: list[str] = []
        self._watches: list[Any] = [_Functions(parts, self._called), _Operations(parts, self._called)] if parts else []
        self._changed = ""

    def __call__(self, *given: Any) -> Any:
        before = copy.deepcopy(given)
        with contextlib.ExitStack() as stack:
            for watch in self._watches:
                stack.enter_context(watch)
            result = self._function(*given)
        for place, (now, then) in enumerate(zip(given, before, strict=True)):
            if not self._changed and not _unchanged(now, then):
                self._changed = _name_of(self._function, place)
        return result

    @property
    def called(self) -> str | None:
        """What to say of a call that the exercise forbids."""
        if not self._called:
            return None
        return f"It calls {self._called[0]}. The exercise is to do without {self._forbidden}: to write it out."

    @property
    def changed(self) -> str | None:
        """What to say of something given that is no longer what it was."""
        if not self._changed:
            return None
        return (
            f"`{self._changed}` itself was changed (by +=, append, sort, [...] = or a method that ends in _). "
            "What a function is given stays as it is: make a copy first, or something new."
        )


class _Functions(TorchFunctionMode):
    """Notes the functions of PyTorch that are called and have one of these parts in their names."""

    def __init__(self, parts: tuple[str, ...], called: list[str]):
        super().__init__()
        self._parts, self._called = parts, called

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", str(func))
        if any(part in name for part in self._parts):
            self._called.append(name)
        return func(*args, **(kwargs or {}))


class _Operations(TorchDispatchMode):
    """The same for what these functions come down to, from wherever it is called: `torch.ops`, a module, a compiled script."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to skip PyTorch's compiler, PyTorch would import it, which takes a second

    def __init__(self, parts: tuple[str, ...], called: list[str]):
        super().__init__()
        self._parts, self._called = parts, called

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func)  # such as aten.gelu.default
        if any(part in name for part in self._parts):
            self._called.append(f"torch.ops.{name}")
        return func(*args, **(kwargs or {}))


def _unchanged(now: Any, then: Any) -> bool:
    """Whether something still is what its copy is."""
    if isinstance(then, Tensor):
        return (
            now.shape == then.shape
            and now.dtype == then.dtype
            and (torch.equal(now, then) or torch.allclose(now, then, 0.0, 0.0, equal_nan=True))
        )
    if isinstance(then, nn.Module):
        return isinstance(now, nn.Module) and _unchanged(now.state_dict(), then.state_dict())
    if isinstance(then, dict):
        return list(now) == list(then) and all(_unchanged(now[key], then[key]) for key in then)
    if isinstance(then, (list, tuple)):
        return len(now) == len(then) and all(_unchanged(mine, its) for mine, its in zip(now, then, strict=True))
    return now is then or bool(now == then)


def _name_of(function: Callable[..., Any], place: int) -> str:
    """The name that a function has for what it is given at a place."""
    with contextlib.suppress(TypeError, ValueError, IndexError):
        return list(inspect.signature(function).parameters)[place]
    return f"argument {place + 1}"
