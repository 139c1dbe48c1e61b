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

WRITTEN = [
    ("surprise", "return -math.log(scores[word].exp() / scores.exp().sum())", "a 0 or an overflow"),
    ("surprise", "return -math.log(torch.softmax(scores, 0)[word])", "a 0 or an overflow"),
    ("surprise", "return -torch.softmax(scores, 0)[word].log().item()", "infinite or not a number"),
    ("surprise", "return -math.log(abs(scores[word] / scores.sum()))", "divided by the sum of the scores"),
    ("surprise", "return -math.log(abs(scores[word]))", "taken for probabilities"),
    (
        "surprise",
        """
        scores -= scores.max()
        return -torch.log_softmax(scores, 0)[word].item()
        """,
        "`scores` itself was changed",
    ),
    ("surprise", "return -torch.log_softmax(scores, 0).max().item()", "Is `word` used"),
    ("surprise", "torch.log_softmax(scores, 0)", "Is the `return` missing"),
    ("surprise", "return torch.log_softmax(scores, 0)[word].item()", "The sign"),
    ("likeliest", "return sorted(range(scores.size(1)), key=lambda i: scores[place, i])[:count]", "lowest scores"),
    (
        "likeliest",
        """
        scores[:place] = -math.inf
        return scores[place].topk(count).indices.tolist()
        """,
        "`scores` itself was changed",
    ),
    ("likeliest", "return scores[place].topk(count).values.tolist()", "These are scores"),
    (
        "perplexity",
        """
        surprises.sort()
        return math.exp(sum(surprises) / len(surprises))
        """,
        "`surprises` itself was changed",
    ),
    ("perplexity", "return math.exp(sum(surprises) / (len(surprises) + 1))", ""),
    ("likeliest", "return scores[place].topk(count)", "take its `.indices`"),
    ("likeliest", "return scores.flatten().topk(count).indices.tolist()", "choose the row"),
    (
        "blanks",
        """
        found = []
        while mask_id in ids:
            found.append(ids.index(mask_id) + len(found))
            ids.remove(mask_id)
        return found
        """,
        "`ids` itself was changed",
    ),
    ("blanks", "return [ids.index(mask_id)] if mask_id in ids else []", "first blank"),
]

RIGHT = [
    ("blanks", "return np.flatnonzero(np.array(ids) == mask_id).tolist()"),
    ("blanks", "return [np.int64(place) for place in np.flatnonzero(np.array(ids) == mask_id)]"),
    ("blanks", "return (torch.tensor(ids) == mask_id).nonzero().flatten().tolist()"),
    ("likeliest", "return scores[place].argsort(descending=True)[:count].tolist()"),
    ("likeliest", "return [int(i) for i in np.argsort(-scores[place].numpy())[:count]]"),
    ("surprise", "return np.float32(torch.logsumexp(scores, 0) - scores[word])"),
    (
        "surprise",
        """
        top = scores.max()
        return float(top + (scores - top).exp().sum().log() - scores[word])
        """,
    ),
    ("surprise", "return torch.nn.functional.cross_entropy(scores.double(), torch.tensor(word)).item()"),
    ("perplexity", "return np.exp(np.mean(surprises))"),
    (
        "perplexity",
        """
        product = 1.0
        for each in surprises:
            product *= math.exp(each)
        return product ** (1 / len(surprises))
        """,
    ),
]
