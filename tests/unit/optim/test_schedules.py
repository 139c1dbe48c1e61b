"""The six formulas at the steps where something happens."""

import inspect
import math

import pytest

from minibert.optim import schedules
from minibert.optim.schedules import (
    constant,
    constant_with_warmup,
    cosine,
    cosine_with_hard_restarts,
    linear,
    polynomial_decay,
)


def test_constant_is_one():
    assert [constant(step) for step in (0, 1, 10**9)] == [1.0, 1.0, 1.0]


def test_warm_up_is_a_straight_line_and_then_all_is_one():
    assert [constant_with_warmup(step, 4) for step in range(6)] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]


def test_linear_rises_then_falls_then_stays_at_zero():
    assert [linear(step, 2, 6) for step in range(8)] == [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]


def test_cosine_passes_one_half_half_way_and_rises_again_after_the_end():
    assert cosine(10, 10, 110) == 1.0
    assert cosine(60, 10, 110) == pytest.approx(0.5)
    assert cosine(110, 10, 110) == pytest.approx(0.0)
    assert cosine(210, 10, 110) == pytest.approx(1.0)


def test_cosine_with_a_whole_cycle_comes_back_to_one():
    assert cosine(50, 0, 100, cycles=1.0) == pytest.approx(0.0)
    assert cosine(100, 0, 100, cycles=1.0) == pytest.approx(1.0)


def test_hard_restarts_jump_back_to_one_and_end_at_zero():
    assert cosine_with_hard_restarts(49, 0, 100, cycles=2) == pytest.approx(0.5 * (1 + math.cos(math.pi * 0.98)))
    assert cosine_with_hard_restarts(50, 0, 100, cycles=2) == 1.0
    assert cosine_with_hard_restarts(100, 0, 100, cycles=2) == 0.0
    assert cosine_with_hard_restarts(10**6, 0, 100, cycles=2) == 0.0


def test_polynomial_decay_goes_from_lr_to_lr_end():
    assert polynomial_decay(10, 10, 110, lr_init=0.1, lr_end=0.01) == 1.0
    assert polynomial_decay(60, 10, 110, lr_init=0.1, lr_end=0.01, power=2.0) == pytest.approx((0.09 / 4 + 0.01) / 0.1)
    assert polynomial_decay(110, 10, 110, lr_init=0.1, lr_end=0.01) == pytest.approx(0.1)
    assert polynomial_decay(10**6, 10, 110, lr_init=0.1, lr_end=0.01) == 0.01 / 0.1


@pytest.mark.parametrize(
    "name", ["constant_with_warmup", "linear", "cosine", "cosine_with_hard_restarts", "polynomial_decay"]
)
def test_no_warm_up_starts_at_one(name):
    formula = getattr(schedules, name)
    arguments = {"warmup": 0, "total": 10, "lr_init": 0.1}
    known = inspect.signature(formula).parameters
    assert formula(0, **{key: value for key, value in arguments.items() if key in known}) == 1.0


def test_a_run_that_is_all_warm_up_never_divides_by_zero():
    assert linear(10, 10, 10) == 0.0
    assert cosine(10, 10, 10) == 1.0
    assert cosine_with_hard_restarts(10, 10, 10) == 1.0
    assert polynomial_decay(10, 10, 10, lr_init=0.1, lr_end=0.01) == 0.01 / 0.1


def test_a_warm_up_longer_than_the_run_goes_on_rising_after_its_end():
    assert linear(15, 20, 10) == cosine(15, 20, 10) == polynomial_decay(15, 20, 10, lr_init=0.1) == 0.75
    assert linear(20, 20, 10) == 0.0
    assert polynomial_decay(20, 20, 10, lr_init=0.1, lr_end=0.01) == 0.01 / 0.1
