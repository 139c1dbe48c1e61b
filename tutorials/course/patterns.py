"""Mistakes that look the same in every exercise: the wrong sign, a factor, a shift, a missing item, another order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

Pairs = Sequence[tuple[Any, Any]]  # (result, expected) of every input tried
ENOUGH = 3  # numbers; fewer are a coincidence


def pattern_in(pairs: Pairs, same: Callable[[Any, Any], bool]) -> str | None:
    """A hint that explains all results by one pattern, or None. A single input shows no pattern."""
    if len(pairs) < 2:
        return None
    for hint, mistaken in (*_of_numbers(pairs), *_OF_ITEMS.items()):
        try:
            if all(same(result, mistaken(expected)) for result, expected in pairs):
                return hint
        except (TypeError, ValueError, LookupError, AttributeError, RuntimeError):
            continue  # a pattern of another kind of result
    if all(
        isinstance(result, list) and same([item for item in result if item != ""], right) for result, right in pairs
    ):
        return "There are empty words in it."
    if _same_items(pairs):
        return "The right items, in the wrong order."
    first = pairs[0][0]
    differ = any(not same(expected, pairs[0][1]) for _, expected in pairs)
    if differ and first is not None and all(same(result, first) for result, _ in pairs):
        return "The result is the same for all inputs tried. Are all arguments used?"
    return _in_one_place(pairs, same)


def _in_one_place(pairs: Pairs, same: Callable[[Any, Any], bool]) -> str | None:
    """The pattern of the one place in a tuple that is wrong."""
    lengths = {len(both) if isinstance(both, tuple) else 0 for pair in pairs for both in pair}
    if len(lengths) > 1 or 0 in lengths:
        return None
    places = range(lengths.pop())
    wrong = [place for place in places if not all(same(mine[place], right[place]) for mine, right in pairs)]
    if len(wrong) != 1:
        return None
    hint = pattern_in([(mine[wrong[0]], right[wrong[0]]) for mine, right in pairs], same)
    return hint and f"Item {wrong[0]} (counting from 0) alone is wrong. {hint}"


_NO_PATTERN = object()  # equal to no result
_OF_ITEMS: dict[str, Callable[[Any], Any]] = {
    "It is the wrong way round: True where False is asked for.": lambda yes: not yes if isinstance(yes, bool) else _NO_PATTERN,
    "The two are in the wrong order.": lambda pair: pair[::-1] if isinstance(pair, tuple) and len(pair) == 2 else _NO_PATTERN,
    "The items are in reverse order.": lambda items: items[::-1],
    "The first item is missing.": lambda items: items[1:],
    "The last item is missing.": lambda items: items[:-1],
    "The last two axes are swapped.": lambda tensor: tensor.transpose(-1, -2),
    "The first two axes are swapped.": lambda tensor: tensor.transpose(0, 1),
    "It gives back nothing but an empty result.": (
        lambda items: type(items)() if isinstance(items, (list, tuple, str, dict)) else _NO_PATTERN
    ),
}  # fmt: skip


def _of_numbers(pairs: Pairs) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """The factor, or the shift, between the numbers of all results and those that were expected."""
    mine: list[float] = []
    right: list[float] = []
    for result, expected in pairs:
        found, asked = _numbers(result), _numbers(expected)
        if found is None or asked is None or len(found) != len(asked):
            return
        mine += found
        right += asked
    known = [(a, b) for a, b in zip(mine, right, strict=True) if math.isfinite(a) and math.isfinite(b)]
    if len(known) < ENOUGH or len({round(b, 6) for _, b in known}) < 2:
        return
    a, b = max(known, key=lambda pair: abs(pair[1]))
    if b and a:
        yield _factor(a / b), lambda expected: _mapped(expected, lambda number: number * (a / b))
        yield (
            "It is upside down: 1 divided by what is asked for.",
            lambda expected: _mapped(expected, lambda number: 1 / number if number else math.inf),
        )
    size = f"{abs(a - b):.4g}"
    large_or_small = "large" if a > b else "small"
    yield (
        f"Everything is {size} too {large_or_small}.",
        lambda expected: _mapped(expected, lambda number: number + (a - b)),
    )


def _factor(ratio: float) -> str:
    if math.isclose(ratio, -1, rel_tol=1e-4):
        return "The sign is the wrong one."
    return f"Everything is multiplied by {ratio:.4g}: a factor too many, or one is missing."


def _numbers(value: Any) -> list[float] | None:
    """All numbers of a result in order; None for a result that holds anything else."""
    if isinstance(value, Tensor):
        return [float(number) for number in value.detach().flatten().tolist()] if not value.is_complex() else None
    if isinstance(value, (list, tuple)):
        inner = [_numbers(item) for item in value]
        return None if any(part is None for part in inner) else [number for part in inner for number in part or []]
    return [float(value)] if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _mapped(value: Any, change: Callable[[float], float]) -> Any:
    """The same structure with other numbers, whole ones where they were."""
    if isinstance(value, Tensor):
        changed = torch.tensor([change(float(number)) for number in value.flatten().tolist()], dtype=torch.float64)
        return (changed.round().long() if not value.is_floating_point() else changed).reshape(value.shape)
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(item, change) for item in value)
    changed_number = change(value)
    return round(changed_number) if isinstance(value, int) and math.isfinite(changed_number) else changed_number


def _same_items(pairs: Pairs) -> bool:
    """Whether all results are lists that hold what they should, in whatever order."""
    return all(
        isinstance(result, list) and isinstance(expected, list) and sorted(map(repr, result)) == sorted(map(repr, expected))
        for result, expected in pairs
    )  # fmt: skip
