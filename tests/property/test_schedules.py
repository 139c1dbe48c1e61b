"""Laws of the schedules."""

import copy

import pytest
import torch
from hypothesis import given, settings, strategies as st

from minibert.optim import SchedulerType, get_scheduler
from minibert.optim.schedules import (
    constant,
    constant_with_warmup,
    cosine,
    cosine_with_hard_restarts,
    linear,
    polynomial_decay,
)

LR = 0.05
FORMULAS = {
    "constant": lambda step, *_: constant(step),
    "constant_with_warmup": lambda step, warmup, _: constant_with_warmup(step, warmup),
    "linear": linear,
    "cosine": cosine,
    "cosine_with_restarts": cosine_with_hard_restarts,
    "polynomial": lambda step, warmup, total: polynomial_decay(step, warmup, total, lr_init=LR),
}
STEPS = st.integers(0, 200)


def test_every_schedule_has_its_formula_here():
    assert set(FORMULAS) == {kind.value for kind in SchedulerType}


@pytest.mark.parametrize("name", FORMULAS)
@given(step=STEPS, warmup=STEPS, total=STEPS)
def test_a_factor_lies_between_zero_and_one(name, step, warmup, total):
    assert 0.0 <= FORMULAS[name](step, warmup, total) <= 1.0


@pytest.mark.parametrize("name", sorted(set(FORMULAS) - {"constant"}))
@given(step=STEPS, warmup=st.integers(1, 200), total=STEPS)
def test_warm_up_is_the_same_straight_line_in_all(name, step, warmup, total):
    if step < warmup:
        assert FORMULAS[name](step, warmup, total) == step / warmup


@pytest.mark.parametrize("name", FORMULAS)
@given(warmup=STEPS, length=st.integers(1, 200))
def test_the_peak_is_where_warm_up_ends(name, warmup, length):
    assert FORMULAS[name](warmup, warmup, warmup + length) == 1.0


@pytest.mark.parametrize("name", ["linear", "cosine", "cosine_with_restarts", "polynomial"])
@given(warmup=STEPS, length=st.integers(1, 200), data=st.data())
def test_after_warm_up_the_factor_never_rises_before_the_end(name, warmup, length, data):
    step = data.draw(st.integers(warmup, warmup + length - 1))
    formula, total = FORMULAS[name], warmup + length
    assert formula(step + 1, warmup, total) <= formula(step, warmup, total)


@pytest.mark.parametrize("name", ["linear", "cosine", "cosine_with_restarts"])
@given(warmup=STEPS, length=st.integers(1, 200))
def test_the_factor_ends_at_zero(name, warmup, length):
    assert FORMULAS[name](warmup + length, warmup, warmup + length) == pytest.approx(0.0, abs=1e-12)


@given(warmup=STEPS, length=st.integers(1, 200), after=STEPS, power=st.sampled_from([0.5, 1.0, 2.0]))
def test_polynomial_decay_ends_at_lr_end_and_stays(warmup, length, after, power):
    total = warmup + length
    factor = polynomial_decay(total + after, warmup, total, lr_init=LR, lr_end=LR / 8, power=power)
    assert factor * LR == pytest.approx(LR / 8)


@given(step=STEPS, warmup=STEPS, total=STEPS)
def test_polynomial_decay_of_power_one_to_zero_is_linear(step, warmup, total):
    expected = linear(step, warmup, total)
    assert polynomial_decay(step, warmup, total, lr_init=LR, lr_end=0.0) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("cycles", [2, 3, 5])
@given(warmup=STEPS, length=st.integers(1, 40), step=STEPS)
def test_hard_restarts_repeat_with_the_length_of_a_cycle(cycles, warmup, length, step):
    total = warmup + cycles * length
    if step < length * (cycles - 1):
        here, next_cycle = (cosine_with_hard_restarts(warmup + s, warmup, total, cycles) for s in (step, step + length))
        at_a_jump = step % length == 0  # there rounding decides on which side of the jump a step falls
        assert here == pytest.approx(next_cycle, abs=1e-9) or at_a_jump


@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=25, deadline=None)
@given(warmup=st.integers(0, 30), total=st.integers(0, 30), reload_at=st.integers(0, 30))
def test_the_optimizer_s_rate_is_the_factor_times_its_own_through_a_reload(name, warmup, total, reload_at):
    def build():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
        return optimizer, get_scheduler(name, optimizer, warmup, total)

    optimizer, scheduler = build()
    for step in range(32):
        assert optimizer.param_groups[0]["lr"] == LR * FORMULAS[name](step, warmup, total)
        if step == reload_at:
            saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
            optimizer, scheduler = build()
            optimizer.load_state_dict(saved[0])
            scheduler.load_state_dict(saved[1])
        optimizer.step()
        scheduler.step()
