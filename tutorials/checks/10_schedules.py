"""Checks of chapter 10: the factor on the learning rate, step by step."""

import math
from collections.abc import Callable

import torch

from course.hints import Case, Checked
from minibert.optim import schedules

RUNS = ((4, 10), (1, 5), (10, 110))  # warmup, total


def check_linear(linear: Callable[[int, int, int], float]) -> Checked:
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
                "The warm-up is upside down: it begins at 1.": 1 - step / warmup if up else expected,
                "The warm-up is divided by total; it is `warmup` steps long.": step / total if up else expected,
                "The warm-up begins at step 1; at step 0 the factor is 0.": (step + 1) / warmup if up else expected,
                "The way down begins at step 0: total − step is what is left.": (
                    step / warmup if up else max(0.0, 1 - step / (total - warmup))
                ),
                "The way down reaches 0 one step too early or too late: it ends at step `total`.": (
                    step / warmup if up else max(0.0, (total - step - 1) / (total - warmup))
                ),
                "After the warm-up the factor falls below 0 or stays: the line is not cut off at `total`.": (
                    step / warmup if up else (total - step) / (total - warmup)
                ),
                "The way down is not divided: these are the steps left.": step / warmup
                if up
                else max(0.0, 1.0 * total - step),
                "After the warm-up comes nothing: the factor is 0.": step / warmup if up else 0.0,
                "During the warm-up the factor is 0; it grows.": 0.0 if up else expected,
                "During the warm-up the factor is 1; it grows.": 1.0 if up else expected,
                "The line is upside down: it rises after the warm-up.": min(1.0, (step - warmup) / (total - warmup)),
            }
            yield Case(linear(step, warmup, total), expected, mistakes, _given(step, warmup, total))


def check_cosine(cosine: Callable[[int, int, int], float]) -> Checked:
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
                "The ½ belongs to the whole: ½ (1 + cos).": step / warmup
                if step < warmup
                else 0.5 + math.cos(math.pi * progress),
                "The wave rises, and falls: a minus where a plus should be.": (
                    step / warmup if step < warmup else 0.5 * (1 - math.cos(math.pi * progress))
                ),
                "The ½ is missing after the warm-up.": step / warmup if step < warmup else 2 * expected,
                "The 1 + is missing after the warm-up.": step / warmup
                if step < warmup
                else 0.5 * math.cos(math.pi * progress),
                "After the warm-up this is the cosine itself, from 1 to −1.": step / warmup
                if step < warmup
                else math.cos(math.pi * progress),
                "This is half of that wave, from 1 to 0: the cosine from 0 to ½ π.": (
                    step / warmup if step < warmup else math.cos(math.pi / 2 * progress)
                ),
                "After the warm-up, progress counts from step 0; it is 0 at step `warmup`.": (
                    step / warmup if step < warmup else 0.5 * (1 + math.cos(math.pi * step / total))
                ),
                "After the warm-up, progress is divided by total; it is total − warmup steps long.": (
                    step / warmup if step < warmup else 0.5 * (1 + math.cos(math.pi * (step - warmup) / total))
                ),
                "After the warm-up π is missing: this is the cosine of the progress.": (
                    step / warmup if step < warmup else 0.5 * (1 + math.cos(progress))
                ),
                "There is a sine where the cosine is asked for.": (
                    step / warmup if step < warmup else 0.5 * (1 + math.sin(math.pi * progress))
                ),
                "During the warm-up the factor is 1; it grows.": 1.0 if step < warmup else expected,
                "The warm-up is divided by total; it is `warmup` steps long.": step / total
                if step < warmup
                else expected,
                "π is missing: this is the cosine of the progress.": 0.5 * (1 + math.cos(progress)),
                "The warm-up is missing.": 0.5 * (1 + math.cos(math.pi * max(0.0, progress))),
                "This is the straight line of `linear`.": schedules.linear(step, warmup, total),
                "One step too early: the factor at step 0 is 0.": schedules.cosine(step + 1, warmup, total),
            }
            yield Case(cosine(step, warmup, total), expected, mistakes, _given(step, warmup, total))


def check_restarts(restarts: Callable[[int, int, int, int], float]) -> Checked:
    for cycles in (1, 2, 3):
        for warmup, total in RUNS:
            for step in _steps(warmup, total):
                expected = schedules.cosine_with_hard_restarts(step, warmup, total, cycles)
                progress = (step - warmup) / (total - warmup)

                def falls(factor: float, progress: float = progress, expected: float = expected) -> float:
                    return factor if 0 <= progress < 1 else expected

                mistakes = {
                    "The wave does not jump back to 1: it swings up again. Take the progress within a cycle, modulo 1.": (
                        falls(0.5 * (1 + math.cos(math.pi * cycles * progress)))
                    ),
                    "The wave does not jump back to 1, and goes on behind `total`.": (
                        step / warmup if progress < 0 else 0.5 * (1 + math.cos(math.pi * cycles * progress))
                    ),
                    "At step `total` another cycle begins; the factor is 0 from there on.": (
                        step / warmup if progress < 0 else 0.5 * (1 + math.cos(math.pi * (cycles * progress % 1.0)))
                    ),
                    "At step `total` the factor is 0 already; there it is not yet.": (
                        1.0 if step == total else expected
                    ),
                    "There is one fall only. Is `cycles` used?": schedules.cosine_with_hard_restarts(
                        step, warmup, total, 1
                    ),
                    "Within a cycle this is a whole wave, down and up again; each is half a wave.": (
                        falls(0.5 * (1 + math.cos(2 * math.pi * (cycles * progress % 1.0))))
                    ),
                    "The peaks get smaller; each fall begins at 1.": (
                        falls(expected * 0.5 ** math.floor(cycles * max(progress, 0.0)))
                    ),
                    "There is one cycle too few.": (
                        schedules.cosine_with_hard_restarts(step, warmup, total, cycles - 1) if cycles > 1 else expected
                    ),
                    "Each fall is a straight line; asked for is half a cosine.": falls(1 - cycles * progress % 1.0),
                    "Each wave rises: a minus where a plus should be.": falls(1 - expected),
                    "The warm-up is missing.": (
                        0.5 * (1 + math.cos(math.pi * (cycles * progress % 1.0))) if progress < 1 else 0.0
                    ),
                    "Within a cycle this is the cosine itself, from 1 to −1; ½ (1 + cos) goes from 1 to 0.": falls(2 * expected - 1),
                    "The ½ is missing.": falls(2 * expected),
                    "The 1 + is missing.": falls(expected - 0.5),
                    "Progress counts from step 0; it is 0 at step `warmup`.": (
                        falls(0.5 * (1 + math.cos(math.pi * (cycles * step / total % 1.0))))
                    ),
                    "Progress is divided by total; the way down is total − warmup steps long.": (
                        falls(0.5 * (1 + math.cos(math.pi * (cycles * (step - warmup) / total % 1.0))))
                    ),
                    "Progress is to be multiplied by cycles, and is divided.": (
                        falls(0.5 * (1 + math.cos(math.pi * (progress / cycles % 1.0))))
                    ),
                    "π is missing: this is the cosine of the progress.": falls(0.5 * (1 + math.cos(cycles * progress % 1.0))),
                    "There is one cycle too many.": schedules.cosine_with_hard_restarts(step, warmup, total, cycles + 1),
                }  # fmt: skip
                given = f"{_given(step, warmup, total)}, cycles {cycles}"
                yield Case(restarts(step, warmup, total, cycles), expected, mistakes, given)


def check_rates(rates: Callable[[float, Callable[[int], float], int], list[float]]) -> Checked:
    for gain, (warmup, total) in zip((1.0, 0.5, 2.0, 0.0), (*RUNS, (0, 6)), strict=True):

        def factor(step: int, warmup: int = warmup, total: int = total, gain: float = gain) -> float:
            return gain * schedules.linear(step, warmup, total) if gain else 1 / (2 + step)

        expected = _rates_of_a_run(factor, total)
        factors = [factor(step) for step in range(total)]
        mistakes = {
            "The first step uses factor(0), and this begins with factor(1).": [
                0.5 * factor(s + 1) for s in range(total)
            ],
            "There is one rate too many: steps are 0 to steps − 1.": [*expected, 0.5 * factor(total)],
            "There is one rate too few.": expected[:-1],
            "The rates are scaled so that the largest is the peak; each is the peak times its factor, whatever that is.": (
                [0.5 * each / max(factors) for each in factors]
            ),
            "The peak is added to the factors; it is multiplied with them.": [0.5 + each for each in factors],
            "The peak is divided by the factors.": [0.5 / each if each else math.inf for each in factors],
            "Every step has the first factor. Is the step used?": [0.5 * factors[0]] * total,
            "Every step has the last factor. Is the step used?": [0.5 * factors[-1]] * total,
            "These are the factors of step 1 to `steps`, the first one missing.": [0.5 * each for each in factors[1:]],
            "Every step has the peak; it is to be multiplied by its factor.": [0.5] * total,
            "These are the factors; each is to be multiplied by the peak.": factors,
            "The factors are multiplied with each other; each multiplies the peak, not the rate before it.": (
                [0.5 * math.prod(factors[: step + 1]) for step in range(total)]
            ),
        }
        yield Case(rates(0.5, factor, total), expected, mistakes, f"{total} steps, {warmup} of them warm-up")


def _rates_of_a_run(factor: Callable[[int], float], steps: int) -> list[float]:
    """The rates that an optimizer has, step by step, from the peak 0.5."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    rates = []
    for _ in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


def _steps(warmup: int, total: int) -> list[int]:
    """Where something happens, and between."""
    return sorted({0, warmup // 2, warmup - 1, warmup, warmup + 1, (warmup + total) // 2, total - 1, total, total + 3})


def _given(step: int, warmup: int, total: int) -> str:
    return f"step {step}, warmup {warmup}, total {total}"
