"""From wrong results to a hint that names the mistake.

A check tries a function on several inputs. For each it knows what the right answer gives, and what each likely mistake would give
(`Case`). A mistake is named where it explains the results of all inputs tried; any other is described by how it differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .patterns import pattern_in

RELATIVE, ABSOLUTE = 1e-4, 1e-5  # far above float32's rounding, far below any mistake


@dataclass(frozen=True)
class Case:
    """One input that a check has tried.

    expected: a tensor, a number, a text, None, or a list, tuple or dict of these. mistakes: hint → what that mistake gives for this
    input, which is the right result where it makes no difference. given: the input in words, to begin the hint with.
    """

    result: Any
    expected: Any
    mistakes: Mapping[str, Any] = field(default_factory=dict)
    given: str = ""


Checked = Generator[Case, None, "str | None"]  # what a check yields, and a hint of its own that it may return


def hint_for(result: Any, expected: Any, mistakes: Mapping[str, Any] | None = None, given: str = "") -> str | None:
    """`hint_for_all` of a single input."""
    return hint_for_all([Case(result, expected, mistakes or {}, given)])


def hint_for_all(cases: Sequence[Case], complaint: str | None = None) -> str | None:
    """None when every result is right and there is no complaint about how it was made; otherwise a hint.

    It begins with the first input whose result is wrong. It never shows what was expected.
    """
    wrong = [case for case in cases if not same(case.result, case.expected)]
    if not wrong:
        return complaint
    hint = _recognised(cases) or complaint or pattern_in([(case.result, case.expected) for case in cases], same)
    hint = hint or _nothing_or_difference(cases, wrong[0])
    return f"{wrong[0].given}: {hint}" if wrong[0].given else hint


def same(result: Any, other: Any) -> bool:
    """Equal, numbers and tensors up to rounding. True and 1 differ, and so do a list and a tuple; NumPy's numbers are numbers."""
    result = _plain(result)
    if isinstance(other, Tensor):
        return (
            isinstance(result, Tensor)
            and (result.shape == other.shape or (result.numel() == 1 == other.numel() and not other.dim()))
            and _kind(result) == _kind(other)
            and torch.allclose(result.double().reshape(other.shape), other.double(), RELATIVE, ABSOLUTE, equal_nan=True)
        )
    if isinstance(other, (list, tuple)):
        return (
            type(result) is type(other)
            and len(result) == len(other)
            and all(same(mine, theirs) for mine, theirs in zip(result, other, strict=True))
        )
    if isinstance(other, dict):
        return (
            isinstance(result, dict)
            and result.keys() == other.keys()
            and all(same(result[key], other[key]) for key in other)
        )
    if isinstance(other, float):
        return _is_number(result) and (
            math.isclose(result, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE) or (result != result and other != other)
        )
    return type(result) is type(other) and bool(result == other)


NO_GRADIENT = (
    "The loss is right, but nothing can be learned from it: it has no gradient. Stay with PyTorch's tensors, without "
    "detach, .data, .item(), torch.tensor(…) and no_grad."
)


def gradient_of(loss: Callable[[Tensor], Any], at: Tensor) -> Tensor | None:
    """d loss / d at; None for a loss that does not know of it. A loss may come first in a tuple."""
    at = at.clone().requires_grad_()
    result = loss(at)
    result = result[0] if isinstance(result, tuple) else result
    if not isinstance(result, Tensor) or not result.requires_grad:
        return None
    return torch.autograd.grad(result.sum(), at, allow_unused=True)[0]


def _recognised(cases: Sequence[Case]) -> str | None:
    """The first mistake that gives the result of every case for which it is known what it gives, the first wrong one among them."""
    wrong = next(case for case in cases if not same(case.result, case.expected))
    for hint in wrong.mistakes:
        if all(same(case.result, case.mistakes[hint]) for case in cases if hint in case.mistakes):
            return hint
    return None


def _nothing_or_difference(cases: Sequence[Case], case: Case) -> str:
    """What is wrong with a case, told from how the function does elsewhere."""
    if case.result is None and not any(other.result is not None or other.expected is None for other in cases):
        return "It returns nothing. Is the `return` missing?"
    right = sum(same(other.result, other.expected) for other in cases)
    elsewhere = f" ({right} of the {len(cases)} inputs tried come out right.)" if right else ""
    return _difference(case.result, case.expected) + elsewhere


def _difference(result: Any, expected: Any) -> str:
    """How a result differs from what was expected, from the outside in: kind, shape, numbers."""
    result = _plain(result)
    if expected is None:
        return f"It returns {_short(result)}; None is asked for."
    wrong_kind = not _is_number(result) if isinstance(expected, float) else type(result) is not type(expected)
    if wrong_kind and not (isinstance(expected, Tensor) and isinstance(result, Tensor)):
        kind = "None" if result is None else f"a value of type {type(result).__name__}"
        return f"It returns {kind}; {type(expected).__name__} is asked for."
    if isinstance(expected, Tensor):
        return _tensor_difference(result, expected)
    if isinstance(expected, (list, tuple)):
        if len(result) != len(expected):
            return f"It returns {len(result)} items where there should be {len(expected)}: {_short(result)}."
        for position, (mine, theirs) in enumerate(zip(result, expected, strict=True)):
            if not same(mine, theirs):
                inner = _difference(mine, theirs)
                return f"Item {position} (counting from 0) is wrong. {inner}"
    if isinstance(result, float) and isinstance(expected, float) and math.isfinite(expected) > math.isfinite(result):
        return "The result is infinite or not a number (NaN)."
    return f"It returns {_short(result)}, which is not right."


def _tensor_difference(result: Tensor, expected: Tensor) -> str:
    if result.shape != expected.shape:
        return f"The result has shape {tuple(result.shape)}; it should be {tuple(expected.shape)}."
    if _kind(result) != _kind(expected):
        return f"The result has dtype {result.dtype}; it should be {expected.dtype}."
    if not torch.isfinite(result).all() and torch.isfinite(expected).all():
        return "The result holds numbers that are infinite or not a number (NaN)."
    apart = (result.double() - expected.double()).abs()
    wrong = int((apart > ABSOLUTE + RELATIVE * expected.double().abs()).sum())
    return (
        f"The shape is right, but {wrong} of {apart.numel()} numbers are not: the largest is off by {apart.max():.2g}."
    )


def _plain(value: Any) -> Any:
    """A number of NumPy's as one of Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _kind(numbers: Tensor) -> str:
    if numbers.dtype == torch.bool:
        return "bool"
    return "float" if numbers.is_floating_point() else "complex" if numbers.is_complex() else "int"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
