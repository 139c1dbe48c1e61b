"""Checks of chapter 17: distances, the order of additions, and the stage at fault."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from course.hints import hint_for
from minibert import BertConfig, BertModel
from minibert.microscope import compare
from minibert.microscope.distance import distance

Stage = tuple[str, float, float]  # name, how far apart what it takes is, and what it gives


def check_how_far(how_far: Callable[[Tensor, Tensor], tuple[float, float]]) -> str | None:
    generator = torch.Generator().manual_seed(1)
    for shape, size in (((4,), 1.0), ((2, 3), 10.0), ((2, 3, 4), 0.5)):
        x = size * torch.randn(shape, generator=generator)
        y = x + 0.1 * torch.rand(shape, generator=generator)  # above x: x − y is negative
        apart = distance(x, y)
        expected = (apart.absolute, apart.relative)
        gaps = (x - y).abs()
        mistakes = {
            "The absolute value is missing: a large negative difference counts as well.": (
                ((x - y).max().item(), (x - y).max().item() / x.abs().max().item())
            ),
            "This is the mean difference; one wrong number among many would not be seen.": (
                (gaps.mean().item(), gaps.mean().item() / x.abs().max().item())
            ),
            "This is the sum of the differences; asked for is the largest.": (
                (gaps.sum().item(), gaps.sum().item() / x.abs().max().item())
            ),
            "The relative one is taken number by number: next to 0 any rounding is large beside the number itself.": (
                (apart.absolute, (gaps / x.abs()).max().item())
            ),
            "The relative one is divided by the largest |y|; x is the one to trust.": (
                (apart.absolute, apart.absolute / y.abs().max().item())
            ),
            "The relative one is divided by the largest x; take its absolute value first.": (
                (apart.absolute, apart.absolute / x.max().item())
            ),
            "The relative one is not divided by anything.": (apart.absolute, apart.absolute),
            "Relative and absolute have changed places.": expected[::-1],
        }  # fmt: skip
        given = f"x and y of shape {shape}"
        if hint := hint_for(how_far(x.clone(), y.clone()), expected, mistakes, given):
            return hint
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, math.nan, 3.0])
    result = how_far(x, y)
    if result != (math.inf, math.inf):
        return (
            f"y holds a NaN, and the result is {result}. NaN is neither above nor below any tolerance, and would slip through: "
            "both are to be infinite."
        )
    return None


def check_sum_in_pairs(sum_in_pairs: Callable[[list[float]], float]) -> str | None:
    big = 2.0**60  # what is added to it, if it is small, is lost
    cases = [
        [3.0],
        [1.0, 2.0, 4.0],
        [big, 1.0, -big, 1.0],
        [1.0, big, 5.0, -big, 2.0],
        [big, -big, 7.0, 3.0, big, 5.0, -big],
    ]
    mistakes: dict[str, Callable[[list[float]], float]] = {
        "The numbers are added from left to right; asked for are two halves, summed by themselves.": _from_left,
        "The numbers are added from right to left; asked for are two halves, summed by themselves.": (
            lambda numbers: _from_left(numbers[::-1])
        ),
        "Only the two halves are told apart; each half is to be summed in the same way again.": (
            lambda numbers: _from_left(numbers[: len(numbers) // 2]) + _from_left(numbers[len(numbers) // 2 :])
        ),
        "Neighbours are added; the first half comes together before it meets the second.": _neighbours,
        "Of an odd number of numbers the first half is the smaller one.": lambda numbers: _in_pairs(numbers, larger_first=1),
        "Every second number goes to one side; a half is what stands together.": _every_second,
        "This is the exact sum, rounded once; asked for is this order, with its rounding.": math.fsum,
        "Only one half is summed.": lambda numbers: _in_pairs(numbers[:1]),
    }  # fmt: skip
    given = [f"numbers {[number if abs(number) < big else f'{number:.0e}' for number in numbers]}" for numbers in cases]
    results: list[object] = []
    for numbers, case in zip(cases, given, strict=True):
        try:
            results.append(sum_in_pairs(list(numbers)))
        except RecursionError:
            return f"{case}: It calls itself without end. What is the sum of a single number?"
    return _explained(
        results, [_in_pairs(numbers) for numbers in cases], mistakes, [(numbers,) for numbers in cases], given
    )


def _explained(
    results: list[Any],
    expected: list[Any],
    mistakes: Mapping[str, Callable[..., Any]],
    cases: Sequence[tuple[Any, ...]],
    given: list[str],
) -> str | None:
    """The hint for many cases at once; a mistake, written as a function, is named where it explains every result."""
    wrong = [
        number for number, (mine, right) in enumerate(zip(results, expected, strict=True)) if hint_for(mine, right)
    ]
    if not wrong:
        return None
    for hint, mistake in mistakes.items():
        if all(result == mistake(*case) for result, case in zip(results, cases, strict=True)):
            return f"{given[wrong[0]]}: {hint}"
    return hint_for(results[wrong[0]], expected[wrong[0]], given=given[wrong[0]])


def _from_left(numbers: list[float]) -> float:
    total = 0.0
    for number in numbers:  # not sum(), which newer Pythons compute more exactly
        total += number
    return total


def _in_pairs(numbers: list[float], larger_first: int = 0) -> float:
    if len(numbers) == 1:
        return numbers[0]
    middle = (len(numbers) + larger_first) // 2
    return _in_pairs(numbers[:middle], larger_first) + _in_pairs(numbers[middle:], larger_first)


def _neighbours(numbers: list[float]) -> float:
    while len(numbers) > 1:
        numbers = [_from_left(numbers[at : at + 2]) for at in range(0, len(numbers), 2)]
    return numbers[0]


def _every_second(numbers: list[float]) -> float:
    return numbers[0] if len(numbers) == 1 else _every_second(numbers[::2]) + _every_second(numbers[1::2])


def check_stage_at_fault(
    stage_at_fault: Callable[[list[Stage], float], str | None],
) -> str | None:
    cases: list[tuple[list[Stage], float]] = [
        _planted(),
        ([("query", 0.0, 1e-7), ("scores", 1e-7, 0.4), ("softmax", 0.4, 0.2), ("layer", 0.4, 0.3)], 1e-5),
        ([("query", 0.0, 0.0), ("layer", 0.0, 1e-7), ("head", 1e-7, 3e-7)], 1e-5),
        ([("query", 0.0, 0.0), ("layer", 0.0, math.nan), ("head", math.nan, math.nan)], 1e-5),
        ([("query", 0.0, 1e-5), ("layer", 1e-5, 2e-5), ("head", 2e-5, 3e-5)], 1e-5),
        ([("mine", 0.5, 0.6), ("layer", 0.0, 0.0)], 1e-5),
        ([("query", 0.0, 0.2), ("key", 0.0, 0.9), ("layer", 0.9, 0.5)], 1e-5),
    ]

    def first(fits: Callable[[float, float, float], bool]) -> Callable[[list[Stage], float], str | None]:
        return lambda stages, tolerance: next((name for name, *far in stages if fits(*far, tolerance)), None)

    right = first(lambda taken, given, tolerance: taken <= tolerance and not given <= tolerance)
    mistakes = {
        "This is the last such stage; asked for is the first.": lambda stages, tolerance: right(stages[::-1], tolerance),
        "This stage is not at fault if it was given something else already: look at what it takes, too.": (
            first(lambda _, given, tolerance: not given <= tolerance)
        ),
        "A distance that is NaN counts as apart. (NaN > 0 is False.)": (
            first(lambda taken, given, tolerance: taken <= tolerance < given)
        ),
        "What a stage takes need not agree to the bit: within the tolerance will do.": (
            first(lambda taken, given, tolerance: taken == 0 and not given <= tolerance)
        ),
        "What a stage gives may be off within the tolerance: rounding is no fault.": (
            first(lambda taken, given, tolerance: taken <= tolerance and not given <= 0)
        ),
        "Off by the tolerance itself is not yet more than the tolerance.": (
            first(lambda taken, given, tolerance: taken < tolerance and not given < tolerance)
        ),
        "What a stage takes and what it gives have changed places.": (
            first(lambda taken, given, tolerance: given <= tolerance and not taken <= tolerance)
        ),
        "This stage is the furthest apart; it is at fault only if it is the first that fits.": (
            lambda stages, _: max(stages, key=lambda stage: stage[2])[0]
        ),
    }  # fmt: skip
    results = [stage_at_fault(list(stages), tolerance) for stages, tolerance in cases]
    given = [
        f"tolerance {tolerance:.0e}, {', '.join(f'{name}: {taken:.0e} → {far:.0e}' for name, taken, far in stages)}"
        for stages, tolerance in cases
    ]
    return _explained(results, [right(*case) for case in cases], mistakes, cases, given)


def _planted() -> tuple[list[Stage], float]:
    """A comparison by the library: the second of two models has a LayerNorm with another eps."""
    config = BertConfig(
        vocab_size=9,
        hidden_size=4,
        num_attention_heads=2,
        num_hidden_layers=1,
        intermediate_size=8,
        max_position_embeddings=8,
    )
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    right, wrong = BertModel(config).eval(), BertModel(config).eval()
    torch.random.set_rng_state(torch_state)
    wrong.embeddings.LayerNorm.eps = 0.1
    found = compare(right, wrong, torch.tensor([[1, 2, 3]]), copy_weights=True, backward=False)
    stages = []
    for path in ("embeddings.word_embeddings", "embeddings.LayerNorm", "embeddings", "encoder"):
        row = found[path]
        assert row.inputs is not None
        assert row.outputs is not None
        stages.append((path, row.inputs.absolute, row.outputs.absolute))
    return stages, found.tolerance
