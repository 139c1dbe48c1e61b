"""Mistakes that learners make in chapter 13."""

PLANTED = [
    (
        "pairs_of",
        '(context, f"{beginning} {ending}".strip())',
        '(f"{context} {beginning}".strip(), ending)',
        "stands with the context",
    ),
    ("pairs_of", 'f"{beginning} {ending}".strip()', "ending", "beginning is missing"),
    ("pairs_of", "{beginning} {ending}", "{beginning}{ending}", "no space"),
    ("pairs_of", ".strip()", "", "begins with a space"),
    ("flatten", "ids.reshape", "ids.transpose(0, 1).reshape", "first choices of all questions"),
    ("flatten", "ids.reshape", "ids.transpose(1, 2).reshape", "pieces of different texts"),
    ("flatten", "ids.reshape(-1, ids.shape[-1])", "ids.reshape(ids.shape[0], -1)", "one long text"),
    ("flatten", "ids.reshape", "ids.view", "stops with RuntimeError"),
    ("logits_of", "scores.view(-1, choices)", "scores.view(choices, -1).T", "questions are mixed"),
    ("logits_of", "scores.view(-1, choices)", "scores.view(-1, choices).T", "rows should be questions"),
    ("logits_of", "(-1, choices)", "(-1, choices, 1)", "last dimension of 1"),
    ("choice_loss", "dim=-1", "dim=0", "wrong axis"),
    ("choice_loss", "torch.log_softmax(logits, dim=-1)", "logits", "softmax is missing"),
    ("choice_loss", ".mean()", ".sum()", "asked for is the mean"),
    ("choice_loss", "return -", "return ", "The sign"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
