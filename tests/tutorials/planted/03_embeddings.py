"""Mistakes that learners make in chapter 3."""

PLANTED = [
    ("embed", "[: ids.size(1)]", "[1 : ids.size(1) + 1]", "count from 1"),
    ("embed", " + position_table[: ids.size(1)]", "", "positions are missing"),
    ("embed", "segment_table[segments]", "segment_table[0]", "`segments` used"),
    ("layer_norm", "x.mean(-1", "x.mean(1", "wrong axis: the mean"),
    ("layer_norm", "(centred * centred).mean(-1", "x.var(-1", "n − 1"),
    ("layer_norm", "(variance + eps) ** 0.5", "(variance + eps)", "root is missing"),
    ("layer_norm", "(variance + eps) ** 0.5", "(variance ** 0.5 + eps)", "outside of the root"),
    ("layer_norm", " * weight + bias", " * weight", "bias is missing"),
    ("nearest", "cosines[word] = -2.0", "pass", "word itself"),
    ("nearest", "F.normalize(table, dim=-1)", "table", "dot product"),
    ("nearest", "topk(count)", "topk(count, largest=False)", "not right"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
