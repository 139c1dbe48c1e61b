"""Mistakes that learners make in chapter 11."""

PLANTED = [
    ("unigram_entropy", "math.log(share)", "math.log2(share)", "base 2"),
    ("unigram_entropy", "return -sum", "return sum", "The sign"),
    ("unigram_entropy", "share * math.log(share)", "math.log(share)", "weights are missing"),
    ("unigram_entropy", " if count > 0", "", "never occurs"),
    ("reader", " / sum(fits.values())", "", "rules out the others"),
    ("reader", "sentence: chance", "sentence: 1.0", "counts the same"),
    ("reader", "len(sentence) == len(read)", "len(sentence) >= len(read)", "another length"),
    ("reader", 'seen in ("[MASK]", there)', "seen == there", "Does every [MASK] allow any word"),
    ("fell_through", "smoothing * smoothed + (1 - smoothing) * loss", "loss", "not smoothed"),
    (
        "fell_through",
        "smoothing * smoothed + (1 - smoothing) * loss",
        "smoothing * loss + (1 - smoothing) * smoothed",
        "changed places",
    ),
    ("fell_through", "return step", "return step - 1", "count from 1"),
    ("fell_through", "smoothed < line", "smoothed <= line", "On the line"),
    ("length_at", "step <=", "step <", "one step too early"),
    ("length_at", "end += share", "end = share", "add them up"),
    ("length_at", "return length", "break", "always the last"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
