"""Absolute, relative and in units in the last place: what each number means."""

from __future__ import annotations

import math

import pytest
import torch

from minibert.microscope.distance import INFINITE, Distance, distance, short


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("number", [1.0, 1.5, 3.7, 0.001, -20.0, 0.0])
def test_the_next_float_is_one_unit_away(number: float, dtype: torch.dtype) -> None:
    x = torch.tensor([number, 0.25], dtype=dtype)
    bits = {2: torch.int16, 4: torch.int32, 8: torch.int64}[dtype.itemsize]
    y = x.view(bits).clone()
    y[0] += 1  # away from 0
    assert distance(x, y.view(dtype)).ulp == 1.0


def test_beyond_a_tolerance_is_what_exceeds_it_absolutely_and_relatively() -> None:
    assert Distance(2e-5, 2e-5, 1).beyond(1e-5)
    assert not Distance(2e-5, 1e-6, 1).beyond(1e-5)  # a large tensor
    assert not Distance(1e-6, 1.0, 1).beyond(1e-5)  # one that should be 0, such as the gradient of a key's bias
    assert not Distance().beyond(0.0)


def test_relative_is_to_the_largest_number() -> None:
    apart = distance(torch.tensor([1e-9, 4.0]), torch.tensor([-1e-9, 4.5]))
    assert (apart.absolute, apart.relative) == (0.5, 0.125)


def test_units_are_those_of_the_coarser_dtype() -> None:
    x = torch.tensor([1.0], dtype=torch.float64)
    assert distance(x, torch.tensor([1.0 + 2**-10], dtype=torch.float16)).ulp == 1.0
    assert distance(torch.tensor([1.0 + 2**-10], dtype=torch.float16), x).ulp == 1.0


def test_whole_numbers_and_truth_values_are_compared_as_numbers() -> None:
    assert distance(torch.tensor([3, 5]), torch.tensor([3, 8])) == Distance(3.0, 0.6, 3.0)
    assert distance(torch.tensor([True]), torch.tensor([False])).absolute == 1.0


def test_equal_is_zero_also_for_infinities_nan_and_nothing() -> None:
    for numbers in ([1.0, 2.0], [math.inf, -math.inf], [math.nan, 1.0], []):
        x = torch.tensor(numbers)
        assert distance(x, x.clone()) == Distance()


def test_a_nan_in_one_or_another_shape_is_infinitely_far() -> None:
    assert distance(torch.tensor([math.nan, 1.0]), torch.tensor([0.0, 1.0])) == INFINITE
    assert distance(torch.tensor([0.0, 1.0]), torch.tensor([math.inf, 1.0])) == INFINITE
    assert distance(torch.zeros(2, 3), torch.zeros(2, 4)) == INFINITE
    assert distance(torch.zeros(2, 3), torch.zeros(2, 1)) == INFINITE
    assert distance(torch.zeros(2, 3), torch.zeros(4, 3)) == INFINITE


def test_a_batch_of_one_stands_for_any() -> None:
    assert distance(torch.ones(1, 3), torch.ones(4, 3)) == Distance()


def test_masks_agree_where_both_hide() -> None:
    ours = torch.tensor([[[[0.0, -10000.0]]]])
    theirs = torch.tensor([[[[0.0, torch.finfo(torch.float32).min]] * 2]])
    assert distance(ours, theirs, is_mask=True) == Distance()
    assert distance(ours, -ours, is_mask=True).absolute == 20000
    apart = distance(torch.tensor([[4.0, -10000.0]]), torch.tensor([[4.5, -10000.0]]), is_mask=True)
    assert apart.relative == 0.125  # what is hidden is no measure of the rest


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (3.14e-7, "3.1e-07"),
        (1e-5, "1e-05"),
        (2.5, "2.5"),
        (1.0, "1"),
        (0.416, "0.42"),
        (1983.2, "1983"),
        (math.inf, "inf"),
    ],
)
def test_numbers_are_printed_short(number: float, text: str) -> None:
    assert short(number) == text


def test_complex_numbers_are_apart_in_their_imaginary_parts_too() -> None:
    x = torch.tensor([1 + 2j])
    assert distance(x, torch.tensor([1 + 5j])).absolute == 3.0
    assert distance(x, torch.tensor([1.0])).absolute == 2.0
    assert distance(x, x.conj().resolve_conj().conj()) == Distance()
    assert distance(x, torch.tensor([1 + 2j + 2**-22 * 1j])).ulp == 1.0


def test_large_integers_are_compared_exactly() -> None:
    assert distance(torch.tensor([2**60, 3]), torch.tensor([2**60 + 1, 3])).absolute == 1.0
    ends = torch.iinfo(torch.int64)
    assert distance(torch.tensor([ends.min]), torch.tensor([ends.max])).absolute == 2.0**64
    assert distance(torch.tensor([0]), torch.tensor([ends.min])).absolute == 2.0**63
