"""Checks of chapter 17: distances, the order of additions, and the stage at fault."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from course.hints import Case, Checked
from minibert import BertConfig, BertModel
from minibert.microscope import compare
from minibert.microscope.distance import distance

Stage = tuple[str, float, float]  # name, how far apart what it takes is, and what it gives


def check_how_far(how_far: Callable[[Tensor, Tensor], tuple[float, float]]) -> Checked:
    generator = torch.Generator().manual_seed(1)
    for number, (shape, size) in enumerate((((4,), 1.0), ((2, 3), 10.0), ((2, 3, 4), 0.5), ((2, 2), 2.0), ((5,), 1.0))):
        x = size * torch.randn(shape, generator=generator)
        y = x + 0.1 * torch.rand(shape, generator=generator)  # above x: x − y is negative
        if number == 3:
            y = -x  # of the same sizes, and far apart
        if number == 4:
            y = x - 0.3 * torch.rand(shape, generator=generator)
        apart = distance(x, y)
        expected = (apart.absolute, apart.relative)
        gaps = (x - y).abs()
        mistakes = {
            "The absolute value is missing: a large negative difference counts as well.": (
                ((x - y).max().item(), (x - y).max().item() / x.abs().max().item())
            ),
            "The sizes |x| and |y| are compared: a wrong sign would go unseen. Take the difference first.": (
                ((x.abs() - y.abs()).abs().max().item(), (x.abs() - y.abs()).abs().max().item() / x.abs().max().item())
            ),
            "The largest numbers are compared, wherever they stand; compare number by number.": (
                (abs(x.max() - y.max()).item(), abs(x.max() - y.max()).item() / x.abs().max().item())
            ),
            "The lengths ‖x‖ and ‖y‖ are compared; compare number by number.": (
                (abs(x.norm() - y.norm()).item(), abs(x.norm() - y.norm()).item() / x.abs().max().item())
            ),
            "This is the length of the difference; asked for is the largest.": (
                ((x - y).norm().item(), (x - y).norm().item() / x.abs().max().item())
            ),
            "This is the smallest difference; asked for is the largest.": (
                (gaps.min().item(), gaps.min().item() / x.abs().max().item())
            ),
            "The relative one is divided by the mean |x|; it is the largest |x|.": (
                (apart.absolute, apart.absolute / x.abs().mean().item())
            ),
            "The relative one is divided by the length ‖x‖; it is the largest |x|.": (
                (apart.absolute, apart.absolute / x.norm().item())
            ),
            "The relative one is divided by the smallest |x|; it is the largest.": (
                (apart.absolute, apart.absolute / x.abs().min().item())
            ),
            "The relative one is upside down.": (apart.absolute, x.abs().max().item() / apart.absolute),
            "The relative one is multiplied by the largest |x|; divide by it.": (
                (apart.absolute, apart.absolute * x.abs().max().item())
            ),
            "The relative one is divided by the largest |x − y|.": (apart.absolute, 1.0),
            "The differences are squared.": (
                (gaps.square().max().item(), gaps.square().max().item() / x.abs().max().item())
            ),
            "Both have a minus in front.": (-apart.absolute, -apart.relative),
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
        yield Case(how_far(x.clone(), y.clone()), expected, mistakes, given)
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, math.nan, 3.0])
    result = how_far(x, y)
    if result != (math.inf, math.inf):
        return (
            f"y holds a NaN, and the result is {result}. NaN is neither above nor below any tolerance, and would slip through: "
            "both are to be infinite."
        )


def check_sum_in_pairs(sum_in_pairs: Callable[[list[float]], float]) -> Checked:
    big = 2.0**60  # what is added to it, if it is small, is lost
    cases = [
        [3.0],
        [1.0, 2.0, 4.0],
        [big, 1.0, -big, 1.0],
        [1.0, big, 5.0, -big, 2.0],
        [big, -big, 7.0, 3.0, big, 5.0, -big],
        [big, -big, 7.0, 3.0],
        [1.0, 2.0],
        [0.1, big, 0.1, 0.1, -big, 0.1, 0.1, 0.1, 0.1],
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
        "The numbers are sorted first; they are summed as they stand.": lambda numbers: _in_pairs(sorted(numbers)),
        "The numbers are sorted by size first; they are summed as they stand.": lambda numbers: _in_pairs(sorted(numbers, key=abs)),
        "The largest comes first here; they are summed as they stand.": lambda numbers: _in_pairs(sorted(numbers, reverse=True)),
        "The halves are taken away from each other.": _taken_away,
        "The middle number is missing: an odd one belongs to the second half.": _without_middle,
        "Only the second half is summed.": lambda numbers: _in_pairs(numbers[-1:]),
        "The halves are those of the numbers, each summed from left to right.": (
            lambda numbers: _from_left(numbers[: len(numbers) // 2]) + _from_left(numbers[len(numbers) // 2 :])
        ),
        "Only one half is summed.": lambda numbers: _in_pairs(numbers[:1]),
    }  # fmt: skip
    given = [f"numbers {[number if abs(number) < big else f'{number:.0e}' for number in numbers]}" for numbers in cases]
    results: list[object] = []
    for numbers, case in zip(cases, given, strict=True):
        try:
            results.append(sum_in_pairs(list(numbers)))
        except RecursionError:
            return f"{case}: It calls itself without end. What is the sum of a single number?"
    yield from _tried(results, _in_pairs, mistakes, [(numbers,) for numbers in cases], given)


def _tried(
    results: list[Any],
    right: Callable[..., Any],
    mistakes: Mapping[str, Callable[..., Any]],
    cases: Sequence[tuple[Any, ...]],
    given: list[str],
) -> Checked:
    """The cases, each mistake being written as a function."""
    for result, case, words in zip(results, cases, given, strict=True):
        yield Case(result, right(*case), {hint: mistake(*case) for hint, mistake in mistakes.items()}, words)


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


def _taken_away(numbers: list[float]) -> float:
    middle = len(numbers) // 2
    return numbers[0] if middle == 0 else _taken_away(numbers[:middle]) - _taken_away(numbers[middle:])


def _without_middle(numbers: list[float]) -> float:
    middle = len(numbers) // 2
    return numbers[0] if middle == 0 else _without_middle(numbers[:middle]) + _without_middle(numbers[-middle:])


def _neighbours(numbers: list[float]) -> float:
    while len(numbers) > 1:
        numbers = [_from_left(numbers[at : at + 2]) for at in range(0, len(numbers), 2)]
    return numbers[0]


def _every_second(numbers: list[float]) -> float:
    return numbers[0] if len(numbers) == 1 else _every_second(numbers[::2]) + _every_second(numbers[1::2])


def check_stage_at_fault(
    stage_at_fault: Callable[[list[Stage], float], str | None],
) -> Checked:
    cases: list[tuple[list[Stage], float]] = [
        _planted(),
        ([("query", 0.0, 1e-7), ("scores", 1e-7, 0.4), ("softmax", 0.4, 0.2), ("layer", 0.4, 0.3)], 1e-5),
        ([("query", 0.0, 0.0), ("layer", 0.0, 1e-7), ("head", 1e-7, 3e-7)], 1e-5),
        ([("query", 0.0, 0.0), ("layer", 0.0, math.nan), ("head", math.nan, math.nan)], 1e-5),
        ([("query", 0.0, 1e-5), ("layer", 1e-5, 2e-5), ("head", 2e-5, 3e-5)], 1e-5),
        ([("mine", 0.5, 0.6), ("layer", 0.0, 0.0)], 1e-5),
        ([("layer", math.nan, 0.4), ("head", 0.0, 0.3)], 1e-5),
        ([("layer", math.nan, math.nan), ("head", 0.0, 0.0)], 1e-5),
        ([("query", 0.3, 0.0), ("layer", 0.0, 0.5)], 1e-1),
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
        "A stage that is given NaN is given something else already: NaN is apart on that side, too.": (
            first(lambda taken, given, tolerance: not taken > tolerance and not given <= tolerance)
        ),
        "NaN is apart on both sides: on what a stage takes, and on what it gives.": (
            first(lambda taken, given, tolerance: not taken > tolerance and given > tolerance)
        ),
        "Where there is none, None is asked for.": (
            lambda stages, tolerance: right(stages, tolerance) or stages[-1][0]
        ),
        "Where there is none, None is asked for, and not an empty text.": lambda stages, tolerance: right(stages, tolerance) or "",
        "This is the number of the stage; asked for is its name.": (
            lambda stages, tolerance: next((n for n, s in enumerate(stages) if s[0] == right(stages, tolerance)), None)
        ),
        "This is the whole row; asked for is the stage's name.": (
            lambda stages, tolerance: next((s for s in stages if s[0] == right(stages, tolerance)), None)
        ),
        "The stage gives something else when its result is further off than what it takes; both are held against the tolerance.": (
            first(lambda taken, given, _: given > taken)
        ),
        "What a stage gives is compared with what it takes times something; both are held against the tolerance.": (
            first(lambda taken, given, tolerance: taken <= tolerance and given - taken > tolerance)
        ),
        "Only the first stage is looked at.": (
            lambda stages, tolerance: right(stages[:1], tolerance)
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
    yield from _tried(results, right, mistakes, cases, given)


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
