"""Mistakes that learners make in chapter 17."""

PLANTED = [
    ("how_far", "(x - y).abs().max()", "(x - y).max()", "absolute value is missing"),
    ("how_far", "(x - y).abs().max()", "(x - y).abs().mean()", "mean difference"),
    ("how_far", "absolute / x.abs().max().item()", "((x - y).abs() / x.abs()).max().item()", "next to 0"),
    ("how_far", "x.abs().max().item()", "y.abs().max().item()", "x is the one to trust"),
    ("how_far", "y.isnan().any()", "False", "would slip through"),
    ("sum_in_pairs", "len(numbers) // 2", "1", "from right to left"),
    ("sum_in_pairs", "len(numbers) // 2", "len(numbers) - 1", "from left to right"),
    ("sum_in_pairs", "len(numbers) // 2", "(len(numbers) + 1) // 2", "first half is the smaller"),
    (
        "sum_in_pairs",
        "sum_in_pairs(numbers[:middle]) + sum_in_pairs(numbers[middle:])",
        "sum_in_pairs(numbers[::2]) + sum_in_pairs(numbers[1::2])",
        "Every second number",
    ),
    ("sum_in_pairs", "numbers[:middle]) + sum_in_pairs(numbers[middle:])", "numbers[:middle])", "Only one half"),
    ("sum_in_pairs", "if len(numbers) == 1", "if False", "calls itself without end"),
    (
        "stage_at_fault",
        "taken <= tolerance and not given <= tolerance",
        "not given <= tolerance",
        "given something else already",
    ),
    ("stage_at_fault", "not given <= tolerance", "given > tolerance", "NaN > 0 is False"),
    ("stage_at_fault", "taken <= tolerance", "taken == 0", "within the tolerance will do"),
    ("stage_at_fault", "not given <= tolerance", "not given <= 0", "rounding is no fault"),
    ("stage_at_fault", "in stages", "in reversed(stages)", "asked for is the first"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
