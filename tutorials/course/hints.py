"""From a wrong result to a hint that names the mistake.

A check computes what the right answer gives, and what each likely mistake would give. A result equal to one of the
latter is recognised; any other is described by how it differs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

RELATIVE, ABSOLUTE = 1e-4, 1e-5  # far above float32's rounding, far below any mistake


def hint_for(result: Any, expected: Any, mistakes: Mapping[str, Any] | None = None, given: str = "") -> str | None:
    """None when `result` is right; otherwise a hint.

    expected: a tensor, a number, a text, or a list or tuple of these. mistakes: hint → the result which that mistake
    gives. given: the case in words, to begin the hint with. The hint never shows what was expected.
    """
    if same(result, expected):
        return None
    recognised = (mistake for mistake, wrong in (mistakes or {}).items() if same(result, wrong))
    hint = next(recognised, None) or _difference(result, expected)
    return f"{given}: {hint}" if given else hint


def same(result: Any, other: Any) -> bool:
    """Equal, numbers and tensors up to rounding. True and 1 differ, and so do a list and a tuple."""
    if isinstance(other, Tensor):
        return (
            isinstance(result, Tensor)
            and result.shape == other.shape
            and result.is_floating_point() == other.is_floating_point()
            and torch.allclose(result.double(), other.double(), RELATIVE, ABSOLUTE)
        )
    if isinstance(other, (list, tuple)):
        return (
            type(result) is type(other)
            and len(result) == len(other)
            and all(same(mine, theirs) for mine, theirs in zip(result, other, strict=True))
        )
    if isinstance(other, float):
        return _is_number(result) and math.isclose(result, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(result) is type(other) and bool(result == other)


def _difference(result: Any, expected: Any) -> str:
    """How a result differs from what was expected, from the outside in: kind, shape, numbers."""
    if result is None:
        return "It returns nothing. Is the `return` missing?"
    wrong_kind = not _is_number(result) if isinstance(expected, float) else type(result) is not type(expected)
    if wrong_kind:
        return f"It returns a value of type {type(result).__name__}; {type(expected).__name__} is asked for."
    if isinstance(expected, Tensor):
        return _tensor_difference(result, expected)
    if isinstance(expected, (list, tuple)):
        if len(result) != len(expected):
            return f"It returns {len(result)} items where there should be {len(expected)}: {_short(result)}."
        for position, (mine, theirs) in enumerate(zip(result, expected, strict=True)):
            if not same(mine, theirs):
                inner = _difference(mine, theirs)
                return f"Item {position} (counting from 0) is wrong. {inner}"
    return f"It returns {_short(result)}, which is not right."


def _tensor_difference(result: Tensor, expected: Tensor) -> str:
    if result.shape != expected.shape:
        return f"The result has shape {tuple(result.shape)}; it should be {tuple(expected.shape)}."
    if result.is_floating_point() != expected.is_floating_point():
        return f"The result has dtype {result.dtype}; it should be {expected.dtype}."
    if not torch.isfinite(result).all() and torch.isfinite(expected).all():
        return "The result holds numbers that are infinite or not a number (NaN)."
    apart = (result.double() - expected.double()).abs()
    wrong = int((apart > ABSOLUTE + RELATIVE * expected.double().abs()).sum())
    return (
        f"The shape is right, but {wrong} of {apart.numel()} numbers are not: the largest is off by {apart.max():.2g}."
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
