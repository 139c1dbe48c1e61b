"""Mistakes that learners make in chapter 8."""

PLANTED = [
    ("labels_for", "place in chosen", "place not in chosen", "wrong way round"),
    ("labels_for", "-100", "0", "0 stands where nothing is asked"),
    ("labels_for", "[piece if", "[place if", "These are places"),
    ("hide", "draw < 0.8", "draw <= 0.8", "0.8 itself"),
    ("hide", "elif draw < 0.9", "else", "None stays"),
    ("hide", "random_id\n", "read[place]\n", "None gets a random word"),
    ("hide", "list(ids)", "ids", "itself was changed"),
    ("masked_loss", "labels != -100", "labels != -101", "stops with"),
    ("masked_loss", ".mean()", ".sum()", "asked for is their mean"),
    ("masked_loss", "return -log", "return log", "The sign"),
    (
        "masked_loss",
        "torch.log_softmax(scores[asked], dim=-1)",
        "torch.log_softmax(scores, dim=1)[asked]",
        "wrong axis",
    ),
    ("masked_loss", "torch.log_softmax(scores[asked], dim=-1)", "scores[asked]", "softmax is missing"),
    (
        "pretraining_loss",
        "words + F.cross_entropy(next_scores, next_label)",
        "(words + F.cross_entropy(next_scores, next_label)) / 2",
        "averaged",
    ),
    ("pretraining_loss", "words + F.cross_entropy(next_scores, next_label)", "words", "hidden words' loss alone"),
    ("pretraining_loss", "next_scores, next_label", "next_scores, 1 - next_label", "upside down"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
