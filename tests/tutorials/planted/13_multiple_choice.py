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

WRITTEN = [
    ("choice_loss", "return torch.nn.functional.cross_entropy(logits, labels)", "It calls cross_entropy"),
    ("choice_loss", "return torch.nn.CrossEntropyLoss()(logits, labels)", "It calls cross_entropy"),
    ("choice_loss", "return torch.nn.NLLLoss()(logits.log_softmax(-1), labels)", "It calls nll_loss"),
    (
        "choice_loss",
        """
        e = logits.exp()
        return -(e.gather(-1, labels[:, None])[:, 0] / e.sum(-1)).log().mean()
        """,
        "infinite or not a number",
    ),
    ("choice_loss", "return -torch.log_softmax(logits.detach(), -1).gather(-1, labels[:, None]).mean()", "no gradient"),
    (
        "choice_loss",
        """
        logits -= logits.max(-1, keepdim=True).values
        return -torch.log_softmax(logits, -1).gather(-1, labels[:, None]).mean()
        """,
        "`logits` itself was changed",
    ),
    ("choice_loss", "return -torch.log_softmax(logits, -1)[:, labels].mean()", "picked by the wrong axis"),
    (
        "pairs_of",
        "return [(context, beginning + ' ' + endings.pop(0)) for _ in range(len(endings))]",
        "`endings` itself was changed",
    ),
    ("logits_of", "return scores.view(choices, -1).T", "questions are mixed"),
    ("flatten", "return ids.reshape(ids.shape[0] * ids.shape[2], -1)", ""),
]

RIGHT = [
    ("pairs_of", "return [(context, ' '.join(part for part in (beginning, ending) if part)) for ending in endings]"),
    ("flatten", "return ids.flatten(0, 1)"),
    ("flatten", "return torch.cat(list(ids))"),
    ("flatten", "return torch.stack([row for question in ids for row in question])"),
    ("logits_of", "return scores.squeeze(-1).unflatten(0, (-1, choices))"),
    ("logits_of", "return torch.stack(scores.flatten().split(choices))"),
    ("choice_loss", "return (logits.logsumexp(-1) - logits[torch.arange(len(labels)), labels]).mean()"),
    (
        "choice_loss",
        "return sum(-torch.log_softmax(row, 0)[label] for row, label in zip(logits, labels)) / len(labels)",
    ),
]
