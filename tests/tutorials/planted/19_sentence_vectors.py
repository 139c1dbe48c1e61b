"""Mistakes that learners make in chapter 19."""

PLANTED = [
    ("mean_pool", "mask.sum(1).clamp(min=1)", "hidden_states.shape[1]", "Padding is left out of the sum, but counted"),
    ("mean_pool", "(hidden_states * mask).sum(1)", "hidden_states.sum(1)", "Padding is in the sum"),
    ("mean_pool", " / mask.sum(1).clamp(min=1)", "", "This is the sum"),
    ("mean_pool", ".clamp(min=1)", "", "0 / 0 is no number"),
    ("max_pool", ".masked_fill(attention_mask[:, :, None] == 0, -torch.inf)", "", "Padding counts, too"),
    ("max_pool", "-torch.inf", "0", "where all numbers are below 0"),
    ("max_pool", "== 0", "== 1", "the wrong way round"),
    ("max_pool", "-torch.inf", "-1e4", "not low enough"),
    ("max_pool", "amax(1)", "max(1)", "a value of type max"),
    ("contrast_loss", "cosines / temperature", "cosines", "The temperature is missing"),
    ("contrast_loss", "cosines / temperature", "cosines * temperature", "divide by it"),
    ("contrast_loss", "F.normalize(firsts, dim=-1)", "firsts", "The firsts are not brought to length 1"),
    ("contrast_loss", "cosines / temperature,", "cosines.T / temperature,", "the other way"),
    ("mean_reciprocal_rank", "(1 + higher)", "(2 + higher)", "The rank is one too large"),
    ("mean_reciprocal_rank", "scores > ", "scores < ", "The lower candidates are counted"),
    ("mean_reciprocal_rank", ".sum(1)", ".sum(0)", ""),
    ("mean_reciprocal_rank", "1 / (1 + higher)", "(1 + higher).float()", "This is the mean rank"),
]

WRITTEN = [
    ("mean_pool", "return hidden_states.mean(1)", "Padding counts, too"),
    ("mean_pool", "return hidden_states[:, 0]", "the first token"),
    (
        "mean_pool",
        "return torch.stack([row[:n].mean(0) for row, n in zip(hidden_states, attention_mask.sum(1).tolist())])",
        "not always the first",
    ),
    (
        "mean_pool",
        """
        hidden_states[attention_mask == 0] = 0
        return hidden_states.sum(1) / attention_mask.sum(1, keepdim=True).clamp(min=1)
        """,
        "`hidden_states` itself was changed",
    ),
    ("max_pool", "return (hidden_states * attention_mask[:, :, None]).amax(1)", "where all numbers are below 0"),
    ("max_pool", "return hidden_states.amax(1)", "Padding counts, too"),
    (
        "contrast_loss",
        """
        right = torch.arange(len(firsts))
        return F.cross_entropy(firsts @ seconds.T / temperature, right)
        """,
        "dot products, not cosines",
    ),
    (
        "contrast_loss",
        """
        cosines = F.normalize(firsts, dim=-1) @ F.normalize(seconds, dim=-1).T
        return -(cosines / temperature).softmax(-1).diagonal().log().mean()
        """,
        "stay finite",
    ),
    (
        "contrast_loss",
        "return (1 - F.cosine_similarity(firsts, seconds)).mean()",
        "Only the right pairs",
    ),
    (
        "contrast_loss",
        """
        cosines = F.normalize(firsts, dim=-1).detach() @ F.normalize(seconds, dim=-1).T
        return F.cross_entropy(cosines / temperature, torch.arange(len(firsts)))
        """,
        "no gradient",
    ),
    (
        "mean_reciprocal_rank",
        """
        own = scores.diagonal()[:, None]
        return float((1 / (scores >= own).sum(1)).mean())
        """,
        "the rank counts higher ones only",
    ),
    (
        "mean_reciprocal_rank",
        """
        ranks = 1 + (scores > scores.diagonal()[:, None]).sum(1)
        return float(1 / ranks.float().mean())
        """,
        "the wrong way round",
    ),
    (
        "mean_reciprocal_rank",
        "return (1 / (1 + (scores > scores.diagonal()[:, None]).sum(1))).mean()",
        "a plain number",
    ),
]

RIGHT = [
    (
        "mean_pool",
        """
        rows = []
        for row, mask in zip(hidden_states, attention_mask):
            words = row[mask == 1]
            rows.append(words.mean(0) if len(words) else torch.zeros_like(row[0]))
        return torch.stack(rows)
        """,
    ),
    (
        "mean_pool",
        """
        weights = attention_mask / attention_mask.sum(1, keepdim=True).clamp(min=1)
        return torch.einsum('bs,bsh->bh', weights, hidden_states)
        """,
    ),
    (
        "max_pool",
        "return torch.stack([row[mask == 1].max(0).values for row, mask in zip(hidden_states, attention_mask)])",
    ),
    (
        "contrast_loss",
        """
        scores = F.cosine_similarity(firsts[:, None], seconds[None], dim=-1) / temperature
        return (scores.logsumexp(1) - scores.diagonal()).mean()
        """,
    ),
    (
        "contrast_loss",
        """
        a = firsts / firsts.norm(dim=1, keepdim=True)
        b = seconds / seconds.norm(dim=1, keepdim=True)
        return -torch.log_softmax(a @ b.T / temperature, 1).diagonal().mean()
        """,
    ),
    (
        "mean_reciprocal_rank",
        """
        total = 0.0
        for question, row in enumerate(scores.tolist()):
            total += 1 / (1 + sum(score > row[question] for score in row))
        return total / len(scores)
        """,
    ),
]
