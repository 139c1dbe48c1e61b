"""Mistakes that learners make in chapter 1."""

PLANTED = [
    ("blanks", "[place for", "[place + 1 for", "count from 1"),
    ("blanks", "== mask_id", "!= mask_id", "without a blank"),
    ("blanks", "[place for", "[piece for", "asked for is where they are"),
    ("likeliest", "scores[place]", "scores[place + 1]", "too far to the right"),
    ("likeliest", "scores[place]", "scores[0]", "place 0, [CLS]"),
    ("likeliest", ".indices.tolist()", ".indices", "a list of plain numbers"),
    ("likeliest", ".topk(count)", ".topk(count, largest=False)", "lowest scores"),
    ("surprise", "return -torch", "return torch", "The sign"),
    ("surprise", "-torch.log_softmax(scores, dim=-1)", "scores", "softmax"),
    ("surprise", ".item()", ".item() / 0.6931471805599453", "base 2"),
    ("perplexity", "/ len(surprises)", "", "divide by how many"),
    ("perplexity", "math.exp(sum", "(sum", "is missing"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
