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

WRITTEN = [
    (
        "how_far",
        """
        if y.isnan().any():
            return math.inf, math.inf
        far = (x.abs() - y.abs()).abs().max().item()
        return far, far / x.abs().max().item()
        """,
        "sizes |x| and |y|",
    ),
    (
        "how_far",
        """
        if y.isnan().any():
            return math.inf, math.inf
        far = (x.norm() - y.norm()).abs().item()
        return far, far / x.abs().max().item()
        """,
        "lengths",
    ),
    (
        "how_far",
        """
        if y.isnan().any():
            return math.inf, math.inf
        x -= y
        return x.abs().max().item(), 1.0
        """,
        "`x` itself was changed",
    ),
    (
        "sum_in_pairs",
        """
        def add(n):
            return n[0] if len(n) == 1 else add(n[: len(n) // 2]) + add(n[len(n) // 2 :])
        return add(sorted(numbers))
        """,
        "sorted first",
    ),
    (
        "sum_in_pairs",
        """
        numbers.sort()
        return math.fsum(numbers)
        """,
        "`numbers` itself was changed",
    ),
    ("sum_in_pairs", "return math.fsum(numbers)", "exact sum"),
    (
        "stage_at_fault",
        """
        for name, taken, given in stages:
            if not taken > tolerance and not given <= tolerance:
                return name
        return None
        """,
        "NaN is apart on that side",
    ),
    (
        "stage_at_fault",
        """
        for name, taken, given in stages:
            if taken <= tolerance and given > tolerance:
                return name
        return None
        """,
        "NaN counts as apart",
    ),
    (
        "stage_at_fault",
        """
        for name, taken, given in stages:
            if taken <= tolerance and not given <= tolerance:
                return name
        return ''
        """,
        "not an empty text",
    ),
    ("stage_at_fault", "return None", ""),
]

RIGHT = [
    (
        "how_far",
        """
        if torch.isnan(y).sum() > 0:
            return float('inf'), float('inf')
        gaps = torch.abs(x - y).flatten().tolist()
        return max(gaps), max(gaps) / max(map(abs, x.flatten().tolist()))
        """,
    ),
    (
        "how_far",
        """
        x, y = x.numpy(), y.numpy()
        if np.isnan(y).any():
            return np.inf, np.inf
        far = np.abs(x - y).max()
        return far, far / np.abs(x).max()
        """,
    ),
    (
        "sum_in_pairs",
        """
        if len(numbers) < 2:
            return numbers[0]
        half = len(numbers) >> 1
        left, right = numbers[:half], numbers[half:]
        return sum_in_pairs(left) + sum_in_pairs(right)
        """,
    ),
    (
        "sum_in_pairs",
        """
        def add(first, last):
            if last - first == 1:
                return np.float64(numbers[first])
            middle = first + (last - first) // 2
            return add(first, middle) + add(middle, last)
        return add(0, len(numbers))
        """,
    ),
    (
        "stage_at_fault",
        """
        apart = lambda far: math.isnan(far) or far > tolerance
        return next((name for name, taken, given in stages if apart(given) and not apart(taken)), None)
        """,
    ),
]
