"""Checks of chapter 10: the factor on the learning rate, step by step."""

import math
from collections.abc import Callable

import torch

from course.hints import hint_for
from minibert import get_linear_schedule_with_warmup
from minibert.optim import schedules

RUNS = ((4, 10), (1, 5), (10, 110))  # warmup, total


def check_linear(linear: Callable[[int, int, int], float]) -> str | None:
    for warmup, total in RUNS:
        for step in _steps(warmup, total):
            expected = schedules.linear(step, warmup, total)
            up = step < warmup
            mistakes = {
                "One step too early: the factor at step 0 is 0, and is 1 at step `warmup`.": (
                    schedules.linear(step + 1, warmup, total)
                ),
                "The way down is divided by total; it is total − warmup steps long.": (
                    step / warmup if up else max(0.0, (total - step) / total)
                ),
                "There is no warm-up: the line falls from the start.": max(0.0, (total - step) / (total - warmup)),
                "There is no warm-up: the line falls from step 0.": max(0.0, (total - step) / total),
                "After step `total` the line goes on below 0; the factor stays at 0.": (total - step)
                / (total - warmup),
                "There is no way down: after the warm-up the factor stays at 1.": min(1.0, step / warmup),
                "The line is upside down: it rises after the warm-up.": min(1.0, (step - warmup) / (total - warmup)),
            }
            if hint := hint_for(linear(step, warmup, total), expected, mistakes, _given(step, warmup, total)):
                return hint
    return None


def check_cosine(cosine: Callable[[int, int, int], float]) -> str | None:
    for warmup, total in RUNS:
        for step in [step for step in _steps(warmup, total) if step <= total]:
            expected = schedules.cosine(step, warmup, total)
            progress = (step - warmup) / (total - warmup)
            mistakes = {
                "This is a whole wave, down and up again; half a wave is asked for: π, not 2π.": (
                    schedules.cosine(step, warmup, total, cycles=1)
                ),
                "This is the cosine itself, from 1 to −1; ½ (1 + cos) goes from 1 to 0.": math.cos(math.pi * progress),
                "The 1 + is missing.": 0.5 * math.cos(math.pi * progress),
                "The ½ is missing.": 2 * expected,
                "The wave rises: a minus where a plus should be.": 0.5 * (1 - math.cos(math.pi * progress)),
                "Progress counts from step 0; it is 0 at step `warmup`.": 0.5 * (1 + math.cos(math.pi * step / total)),
                "Progress is divided by total; it is 1 at step `total`, total − warmup steps after the warm-up.": (
                    0.5 * (1 + math.cos(math.pi * (step - warmup) / total))
                ),
                "π is missing: this is the cosine of the progress.": 0.5 * (1 + math.cos(progress)),
                "The warm-up is missing.": 0.5 * (1 + math.cos(math.pi * max(0.0, progress))),
                "This is the straight line of `linear`.": schedules.linear(step, warmup, total),
                "One step too early: the factor at step 0 is 0.": schedules.cosine(step + 1, warmup, total),
            }
            if hint := hint_for(cosine(step, warmup, total), expected, mistakes, _given(step, warmup, total)):
                return hint
    return None


def check_restarts(restarts: Callable[[int, int, int, int], float]) -> str | None:
    for cycles in (1, 2, 3):
        for warmup, total in RUNS:
            for step in _steps(warmup, total):
                expected = schedules.cosine_with_hard_restarts(step, warmup, total, cycles)
                progress = (step - warmup) / (total - warmup)
                mistakes = {
                    "The wave does not jump back to 1: it swings up again. Take the progress within a cycle, modulo 1.": (
                        0.5 * (1 + math.cos(math.pi * cycles * progress))
                    ),
                    "At step `total` another cycle begins; the factor is 0 from there on.": (
                        0.5 * (1 + math.cos(math.pi * (cycles * progress % 1.0)))
                    ),
                    "There is one fall only. Is `cycles` used?": schedules.cosine_with_hard_restarts(
                        step, warmup, total, 1
                    ),
                    "Within a cycle this is a whole wave, down and up again; each is half a wave.": (
                        0.5 * (1 + math.cos(2 * math.pi * (cycles * progress % 1.0)))
                    ),
                    "There is one cycle too many.": schedules.cosine_with_hard_restarts(
                        step, warmup, total, cycles + 1
                    ),
                }
                given = f"{_given(step, warmup, total)}, cycles {cycles}"
                if hint := hint_for(restarts(step, warmup, total, cycles), expected, mistakes, given):
                    return hint
    return None


def check_rates(rates: Callable[[float, Callable[[int], float], int], list[float]]) -> str | None:
    for warmup, total in RUNS:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        scheduler = get_linear_schedule_with_warmup(optimizer, warmup, total)
        expected = []
        for _ in range(total):
            expected.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()

        def factor(step: int, warmup: int = warmup, total: int = total) -> float:
            return schedules.linear(step, warmup, total)

        factors = [factor(step) for step in range(total)]
        mistakes = {
            "The first step uses factor(0), and this begins with factor(1).": [
                0.5 * factor(s + 1) for s in range(total)
            ],
            "There is one rate too many: steps are 0 to steps − 1.": [*expected, 0.5 * factor(total)],
            "There is one rate too few.": expected[:-1],
            "These are the factors; each is to be multiplied by the peak.": factors,
            "The factors are multiplied with each other; each multiplies the peak, not the rate before it.": (
                [0.5 * math.prod(factors[: step + 1]) for step in range(total)]
            ),
        }
        if hint := hint_for(rates(0.5, factor, total), expected, mistakes, f"{total} steps, {warmup} of them warm-up"):
            return hint
    return None


def _steps(warmup: int, total: int) -> list[int]:
    """Where something happens, and between."""
    return sorted({0, warmup // 2, warmup - 1, warmup, warmup + 1, (warmup + total) // 2, total - 1, total, total + 3})


def _given(step: int, warmup: int, total: int) -> str:
    return f"step {step}, warmup {warmup}, total {total}"
