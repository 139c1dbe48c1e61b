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

WRITTEN = [
    (
        "rates",
        """
        factors = [factor(step) for step in range(steps)]
        return [peak * each / max(factors) for each in factors]
        """,
        "scaled so that the largest",
    ),
    (
        "rates",
        """
        found = []
        for step in range(steps):
            peak = peak * factor(step)
            found.append(peak)
        return found
        """,
        "not the rate before it",
    ),
    (
        "restarts",
        """
        progress = (step - warmup) / (total - warmup)
        if step < warmup:
            return step / warmup
        if progress >= 1:
            return 0.0
        return 0.5 ** int(cycles * progress) * 0.5 * (1 + math.cos(math.pi * (cycles * progress % 1)))
        """,
        "peaks get smaller",
    ),
    (
        "restarts",
        """
        progress = (step - warmup) / (total - warmup)
        if step < warmup:
            return step / warmup
        return 0.0 if progress >= 1 else 0.5 * (1 + math.cos(math.pi * ((cycles + 1) * progress % 1)))
        """,
        "one cycle too many",
    ),
    (
        "restarts",
        """
        progress = (step - warmup) / (total - warmup)
        if step < warmup:
            return step / warmup
        return 0.0 if progress >= 1 else 1 - cycles * progress % 1
        """,
        "straight line",
    ),
    ("linear", "return min(step / warmup, (total - step) / (total - warmup))", "below 0"),
    (
        "cosine",
        """
        if step < warmup:
            return step / warmup
        return math.cos(0.5 * math.pi * (step - warmup) / (total - warmup))
        """,
        "from 1 to 0",
    ),
    (
        "cosine",
        """
        if step < warmup:
            return step / warmup
        return 0.5 * (1 - math.cos(math.pi * (step - warmup) / (total - warmup)))
        """,
        "wave rises",
    ),
]

RIGHT = [
    ("linear", "return max(0.0, min(step / warmup, (total - step) / (total - warmup)))"),
    ("linear", "return float(np.interp(step, [0, warmup, total], [0, 1, 0]))"),
    (
        "cosine",
        "return step / warmup if step < warmup else math.cos(0.5 * math.pi * (step - warmup) / (total - warmup)) ** 2",
    ),
    (
        "restarts",
        """
        if step < warmup:
            return step / warmup
        if step >= total:
            return 0
        length = (total - warmup) / cycles
        place = (step - warmup) / length
        return np.float64(0.5 * (1 + np.cos(np.pi * (place - np.floor(place)))))
        """,
    ),
    ("rates", "return list(map(lambda step: peak * factor(step), range(steps)))"),
    ("rates", "return [np.float64(peak) * factor(step) for step in range(steps)]"),
]
