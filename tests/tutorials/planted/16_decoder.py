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

WRITTEN = [
    (
        "top_p",
        """
        probabilities, order = scores.softmax(-1).sort(descending=True)
        before = probabilities.cumsum(-1) - probabilities
        kept = torch.zeros_like(scores)
        kept[order] = torch.where(before < p, probabilities, 0.0)
        return kept / kept.sum()
        """,
        "exactly p are one too few",
    ),
    (
        "top_p",
        """
        probabilities = scores.softmax(-1)
        ordered = probabilities.sort(descending=True).values
        least = ordered[int((ordered.cumsum(-1) <= p).sum())]
        kept = torch.where(probabilities >= least, probabilities, 0.0)
        return kept / kept.sum()
        """,
        "only as many are kept",
    ),
    (
        "top_p",
        """
        probabilities, order = scores.softmax(-1).sort(descending=True)
        out = (probabilities.cumsum(-1) - probabilities) > p
        scores[order[out]] = -torch.inf
        return scores.softmax(-1)
        """,
        "`scores` itself was changed",
    ),
    (
        "greedy",
        """
        while len(ids) < longest:
            ids.append(int(next_scores(ids).argmax()))
            if ids[-1] == end:
                break
        return ids
        """,
        "`ids` itself was changed",
    ),
    (
        "greedy",
        """
        text = list(ids)
        while len(text) < longest and text[-1] != end:
            text.append(int(next_scores(text).argmax()))
        return text
        """,
        "",
    ),
    ("causal_mask", "return torch.ones(new, past + new).tril(past)", "dtype"),
    (
        "shifted_loss",
        "return F.cross_entropy(scores[:, :-1].detach().flatten(0, 1), labels[:, 1:].flatten())",
        "no gradient",
    ),
    (
        "shifted_loss",
        """
        labels[:, 0] = -100
        return F.cross_entropy(scores[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        """,
        "`labels` itself was changed",
    ),
    (
        "shifted_loss",
        """
        asked = labels[:, 1:] > 0
        return F.cross_entropy(scores[:, :-1][asked], labels[:, 1:][asked])
        """,
        "Word 0 asks nothing",
    ),
    (
        "shifted_loss",
        """
        p = scores[:, :-1].softmax(-1).flatten(0, 1)
        t = labels[:, 1:].flatten()
        return F.nll_loss(p.log(), t)
        """,
        "infinite or not a number",
    ),
]

RIGHT = [
    ("causal_mask", "return (torch.arange(past + new)[None, :] <= torch.arange(past, past + new)[:, None]).long()"),
    ("causal_mask", "return torch.cat([torch.ones(new, past), torch.ones(new, new).tril()], 1).to(torch.int32)"),
    ("causal_mask", "return torch.tensor([[int(k <= past + q) for k in range(past + new)] for q in range(new)])"),
    (
        "shifted_loss",
        """
        log_p = scores[:, :-1].log_softmax(-1)
        targets = labels[:, 1:]
        picked = log_p.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
        return -picked[targets != -100].mean()
        """,
    ),
    ("shifted_loss", "return F.cross_entropy(scores[:, :-1].transpose(1, 2), labels[:, 1:])"),
    (
        "shifted_loss",
        """
        targets = torch.cat([labels[:, 1:], torch.full_like(labels[:, :1], -100)], 1)
        return torch.nn.CrossEntropyLoss()(scores.flatten(0, 1), targets.flatten())
        """,
    ),
    (
        "greedy",
        """
        text = [*ids]
        said = None
        while len(text) < longest and said != end:
            said = next_scores(text).argmax().item()
            text = text + [said]
        return text
        """,
    ),
    (
        "greedy",
        """
        def go_on(text):
            if len(text) >= longest:
                return text
            word = max(range(8), key=lambda w: next_scores(text)[w].item()) if False else int(next_scores(text).max(0).indices)
            return [*text, word] if word == end else go_on([*text, word])
        return go_on(list(ids))
        """,
    ),
    (
        "top_p",
        """
        probabilities = scores.softmax(-1)
        kept, total = torch.zeros_like(scores), 0.0
        for word in probabilities.argsort(descending=True).tolist():
            kept[word] = probabilities[word]
            total += probabilities[word].item()
            if total > p:
                break
        return kept / kept.sum()
        """,
    ),
    (
        "top_p",
        """
        scores = scores.double().clone()
        probabilities, order = scores.softmax(-1).sort(descending=True)
        scores[order[(probabilities.cumsum(-1) - probabilities) > p]] = -torch.inf
        return scores.softmax(-1)
        """,
    ),
]
