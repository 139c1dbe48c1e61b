"""Mistakes that learners make in chapter 4."""

PLANTED = [
    (
        "split_heads",
        "x.view(batch, seq, heads, hidden // heads).transpose(1, 2)",
        "x.view(batch, heads, seq, -1)",
        "mixed",
    ),
    ("split_heads", ".transpose(1, 2)", "", "(batch, seq, heads, d)"),
    (
        "split_heads",
        "x.view(batch, seq, heads, hidden // heads).transpose(1, 2)",
        "x.view(batch, seq, -1, heads).permute(0, 3, 1, 2)",
        "every heads-th",
    ),
    ("additive_mask", "1.0 - mask[:, None, None, :].float()", "mask[:, None, None, :].float()", "wrong way round"),
    ("additive_mask", "-10000.0", "10000.0", "The sign"),
    ("additive_mask", "[:, None, None, :]", "", "axes in the middle"),
    ("attention", " / math.sqrt(query.size(-1))", "", "scale is missing"),
    ("attention", "math.sqrt(query.size(-1))", "query.size(-1)", "by its root"),
    ("attention", "scores + mask, dim=-1", "scores + mask, dim=-2", "wrong axis"),
    ("attention", "scores + mask", "scores", "mask is not added"),
    ("attention", "math.sqrt(query.size(-1))", "math.sqrt(query.size(-2))", "another length"),
    ("join_heads", ".transpose(1, 2)", "", "mixes positions"),
    ("join_heads", ".reshape(batch, seq, heads * d)", "", "not yet side by side"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
