"""Mistakes that learners make in chapter 10."""

PLANTED = [
    ("linear", "max(0.0, (total - step) / (total - warmup))", "(total - step) / (total - warmup)", "below 0"),
    ("linear", "/ (total - warmup)", "/ total", "divided by total"),
    ("linear", "return step / warmup", "return (step + 1) / warmup", "The warm-up begins at step 1"),
    ("linear", "step < warmup", "step < 0", "no warm-up"),
    ("cosine", "math.pi * progress", "2 * math.pi * progress", "whole wave"),
    ("cosine", "0.5 * (1.0 + math.cos(math.pi * progress))", "math.cos(math.pi * progress)", "the cosine itself"),
    ("cosine", "(step - warmup) / (total - warmup)", "step / total", "counts from step 0"),
    ("restarts", " % 1.0", "", "modulo 1"),
    ("restarts", "progress >= 1.0", "False", "another cycle begins"),
    ("restarts", "cycles * progress", "progress", "`cycles` used"),
    ("rates", "factor(step)", "factor(step + 1)", "begins with factor(1)"),
    ("rates", "peak * factor(step)", "factor(step)", "multiplied by the peak"),
    ("rates", "range(steps)", "range(steps + 1)", "one rate too many"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
