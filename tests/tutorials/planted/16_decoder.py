"""Mistakes that learners make in chapter 16."""

PLANTED = [
    ("causal_mask", "tril(past)", "tril()", "The cache is forgotten"),
    ("causal_mask", "tril(past)", "triu(past)", "wrong way round"),
    ("causal_mask", "tril(past)", "tril(past - 1)", "does not see itself"),
    ("causal_mask", ".tril(past)", "", "triangle is missing"),
    ("causal_mask", "tril(past)", "tril(past) == 1", "dtype is bool"),
    (
        "shifted_loss",
        "scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten()",
        "scores.flatten(0, 1), labels.flatten()",
        "Nothing is shifted",
    ),
    (
        "shifted_loss",
        "scores[:, :-1].flatten(0, 1), labels[:, 1:]",
        "scores[:, 1:].flatten(0, 1), labels[:, :-1]",
        "the wrong way",
    ),
    (
        "shifted_loss",
        "scores[:, :-1].flatten(0, 1), labels[:, 1:]",
        "scores.flatten(0, 1), labels.roll(-1, 1)",
        "rolls out",
    ),
    (
        "shifted_loss",
        "scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten()",
        "scores.flatten(0, 1)[:-1], labels.flatten()[1:]",
        "run into each other",
    ),
    ("greedy", "len(text) < longest", "len(text) < longest + len(ids)", "counts the prompt too"),
    ("greedy", "if text[-1] == end", "if False", "goes on after the end"),
    ("greedy", "list(ids)", "ids", "itself was changed"),
    ("greedy", "len(text) < longest:", "True:", "never stops"),
    ("greedy", "next_scores(text)", "next_scores(text[-1:])", "the whole text so far"),
    ("top_p", "before <= p", "before + probabilities <= p", "word that crosses p is missing"),
    ("top_p", "kept / kept.sum()", "kept", "do not add up to 1"),
    ("top_p", "kept[order]", "kept[:]", "in order of size"),
    ("top_p", "before <= p", "probabilities > p", "No word is left"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
