"""One part on one case: shapes, numbers within 1e-5, gradients, dropout; and whether the bits are the library's."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .cases import Case
from .dropping import Drops, dropout_noted
from .reference import Function, reference

CLOSE = 1e-5  # of numbers; of gradients, which add up more roundings, twice that, and both of the largest where that is above 1
Maker = Callable[..., Function]  # an adapter: (config, weights) → a function


@dataclass(frozen=True)
class Finding:
    """wrong: what is wrong, empty where nothing is. apart: of the numbers; gradient_apart; bits: whether there is no difference."""

    wrong: str = ""
    apart: float = 0.0
    gradient_apart: float = 0.0
    bits: bool = True
    numbers: bool = False  # whether it is the numbers that are wrong


class StudentError(Exception):
    """The student's code stops with an error, or gives what cannot be used; the message says what."""


def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call what a student wrote. Raises StudentError, with the line of their file; a blank's NotImplementedError goes through."""
    try:
        return function(*arguments, **named)
    except NotImplementedError as error:
        if error.args:
            raise StudentError(what_and_where(error)) from None
        raise
    except Exception as error:
        raise StudentError(what_and_where(error)) from None


def make_function(make: Callable[..., Any], *arguments: Any) -> Function:
    """What an adapter gives for these arguments, which is to be called. Raises StudentError where it cannot be."""
    made = call(make, *arguments)
    if not callable(made):
        missing = " Is a `return` missing?" if made is None else ""
        raise StudentError(f"`{make.__name__}` in adapters.py gives {kind_of(made)}; a function is asked for.{missing}")
    return made


def what_and_where(error: BaseException) -> str:
    """The error in a sentence, with the last line that is neither PyTorch's nor the course's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError in line {error.lineno} of {Path(error.filename).name}: {error.msg}"
    ours = (str(Path(torch.__file__).parent), str(Path(__file__).parent))
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith((*ours, "<"))]
    where = f" in line {theirs[-1].lineno} of {Path(theirs[-1].filename).name}" if theirs else ""
    message = str(error).strip().splitlines()
    return f"It stops with {type(error).__name__}{where}" + (f": {message[0]}" if message else ".")


def judge(case: Case, make: Maker) -> Finding:
    """Compare a student's part with the library's. Raises NotImplementedError where it is blank."""
    try:
        mine = _run(case, lambda *given: call(make_function(make, *given[:2]), *given[2:]))
    except StudentError as error:
        return Finding(str(error))
    theirs = _run(case, lambda config, weights, *inputs: reference(case.part, config, weights)(*inputs))
    return _compare(mine, theirs)


@dataclass(frozen=True)
class _Run:
    """Outputs, gradients by the names of what they are of, what was dropped, and what was changed in place."""

    outputs: Any
    gradients: Mapping[str, Tensor | None]
    drops: Drops
    changed: Sequence[str]


def _run(case: Case, function: Callable[..., Any]) -> _Run:
    weights = {name: tensor.clone().requires_grad_() for name, tensor in case.weights.items()}
    leaves = [each.clone().requires_grad_() if each.is_floating_point() else each.clone() for each in case.inputs]
    inputs = [each * 1.0 if each.is_floating_point() else each for each in leaves]  # which may be changed in place
    with dropout_noted() as drops:
        outputs = function(case.config, weights, *inputs)
    tracked = {**weights, **dict(zip(["its input"], [each for each in leaves if each.requires_grad], strict=False))}
    changed = ["its input" for given, each in zip(case.inputs, inputs, strict=True) if not torch.equal(given, each)]
    changed += [name for name, tensor in case.weights.items() if not torch.equal(tensor, weights[name])]
    gradients = {} if changed else call(_gradients, _listed(outputs), tracked)  # of what was changed there may be none
    return _Run(outputs, gradients, drops, changed)


def _gradients(outputs: Sequence[Any], tracked: Mapping[str, Tensor]) -> dict[str, Tensor | None]:
    """The gradients of a sum of the outputs, each number weighted in its own way."""
    total: Any = 0.0
    for output in outputs:
        if isinstance(output, Tensor) and output.requires_grad:
            ways = torch.sin(1.0 + torch.arange(output.numel(), dtype=torch.float32)).view(output.shape)
            total = total + (output * ways).sum()
    if not isinstance(total, Tensor):
        return dict.fromkeys(tracked)
    found = torch.autograd.grad(total, list(tracked.values()), allow_unused=True)
    return dict(zip(tracked, found, strict=True))


def _listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]


def _compare(mine: _Run, theirs: _Run) -> Finding:
    outputs, expected = _listed(mine.outputs), _listed(theirs.outputs)
    if wrong := shape_mistake(mine.outputs, theirs.outputs):
        return Finding(wrong)
    apart = max(distance(x, y) for x, y in zip(outputs, expected, strict=True))
    bits = all(torch.equal(x, y) for x, y in zip(outputs, expected, strict=True))
    if mine.changed:
        return Finding(f"It changes {mine.changed[0]} in place, which whoever gave it may still need.", apart)
    if wrong := dropout_mistake(mine.drops, theirs.drops):
        return Finding(wrong, apart)
    if not apart <= CLOSE:
        return Finding(f"The shapes are right; the numbers are up to {apart:.1g} away.", apart, numbers=True)
    gradient_apart, worst = 0.0, ""
    for name, gradient in theirs.gradients.items():
        own = mine.gradients[name]
        if gradient is None or (own is None and not gradient.any()):
            continue
        if own is None:
            return Finding(f"The numbers are right, but no gradient reaches {name}. Was it copied, detached, or left out? `fill` in adapters.py gives a module these very tensors.", apart)  # fmt: skip
        bits = bits and torch.equal(own, gradient)
        if (far := distance(own, gradient)) > gradient_apart:
            gradient_apart, worst = far, name
    if not gradient_apart <= 2 * CLOSE:
        said = f"The numbers are right, but the gradient of {worst} is not: it is up to {gradient_apart:.1g} away."
        return Finding(said, apart, gradient_apart)
    return Finding("", apart, gradient_apart, bits)


def distance(mine: Tensor, theirs: Tensor) -> float:
    """The largest difference, in units of the largest number where that is above 1. NaN is infinitely far."""
    if not theirs.numel():
        return 0.0
    mine, theirs = mine.detach().double(), theirs.detach().double()
    found = (mine - theirs).abs().max() / theirs.abs().max().clamp(min=1.0)
    return float(torch.nan_to_num(found, nan=float("inf")))


def shape_mistake(mine: Any, theirs: Any, what: str = "It gives") -> str:
    """What is wrong with the kind or the shape of a result, or of several."""
    if isinstance(theirs, (tuple, list)):
        if not isinstance(mine, (tuple, list)) or len(mine) != len(theirs):
            return f"{what} {kind_of(mine)}; {len(theirs)} results are asked for."
        each = (
            shape_mistake(x, y, f"{what} as result {n}")
            for n, (x, y) in enumerate(zip(mine, theirs, strict=True), start=1)
        )
        return next(filter(None, each), "")
    if theirs is None:
        return "" if mine is None else f"{what} {kind_of(mine)}; None is asked for."
    if mine is None:
        return f"{what} None. Is a `return` missing?"
    if not isinstance(mine, Tensor):
        return f"{what} {kind_of(mine)}; a tensor is asked for."
    if mine.shape != theirs.shape:
        return f"{what} the shape {tuple(mine.shape)}; it should be {tuple(theirs.shape)}."
    if mine.dtype != theirs.dtype:
        return f"{what} numbers of {mine.dtype}; they should be {theirs.dtype}."
    return ""


def kind_of(value: Any) -> str:
    """A value's kind, and how many things are in it."""
    if value is None:
        return "None"
    return (
        f"a {type(value).__name__} of {len(value)}" if isinstance(value, (tuple, list)) else f"a {type(value).__name__}"
    )


def dropout_mistake(mine: Drops, theirs: Drops) -> str:
    """What is wrong with the rates and the number of numbers that are dropped."""
    if theirs and not mine:
        return "Nothing is dropped out in training. Use torch.nn.functional.dropout or nn.Dropout: that is where it is seen."
    if strange := sorted(set(mine) - set(theirs)):
        return f"It drops out with p = {strange[0]:g}, which is none of the config's probabilities for this part."
    for p, numbers in sorted(theirs.items()):
        if mine[p] != numbers:
            return f"With p = {p:g} it drops {mine[p]} numbers; there should be {numbers}: dropout stands at the wrong place, or not often enough."
    return ""
