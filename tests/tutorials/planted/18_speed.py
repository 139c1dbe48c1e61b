"""Mistakes that learners make in chapter 18."""

PLANTED = [
    ("multiplications", "hidden * hidden + hidden * vocabulary", "hidden * vocabulary", "transform is missing"),
    ("multiplications", "4 * words * hidden * hidden", "3 * words * hidden * hidden", "the one after attention"),
    (
        "multiplications",
        "2 * words * words * hidden",
        "words * words * hidden",
        "the scores, and the mean of the values",
    ),
    ("multiplications", "2 * words * words * hidden", "2 * words * words", "`hidden` is missing"),
    ("multiplications", "2 * words * hidden * inner", "words * hidden * inner", "up and down"),
    ("pack", "hidden_states[attention_mask == 1][None]", "hidden_states.flatten(0, 1)[None]", "padding is still there"),
    ("pack", "[None]", "", "without a batch in front"),
    ("pack", "sum(1)", "sum(0)", "summed over each text's places"),
    ("pack", "attention_mask.sum(1)", "attention_mask.sum(1).cumsum(0)", "where texts end"),
    (
        "loss_where_asked",
        "hidden_states[asked] @ weight.T + bias",
        "(hidden_states @ weight.T + bias).flatten(0, 1)",
        "stops with ValueError",
    ),
    (
        "loss_where_asked",
        "F.cross_entropy(scores, labels[asked]), len(scores)",
        "F.cross_entropy(scores, labels[asked]), labels.numel()",
        "every place was scored",
    ),
    ("loss_where_asked", " + bias", "", "bias is missing"),
    ("loss_where_asked", "labels[asked])", 'labels[asked], reduction="sum")', "asked for is the mean"),
    ("whole_gradient", "count * gradient", "gradient", "once more"),
    ("whole_gradient", "total / sum(counts)", "total", "not divided by the sum"),
    ("whole_gradient", "total / sum(counts)", "total / len(counts)", "divided by the number of parts instead"),
    (
        "whole_gradient",
        "total + count * gradient",
        "total + gradient * sum(counts) / len(counts)",
        "Every part has the same weight",
    ),
    ("whole_gradient", "torch.zeros_like(gradients[0])", "gradients[0].mul_(0)", "itself was changed"),
]

WRITTEN = [
    (
        "pack",
        """
        counts = attention_mask.sum(1).tolist()
        return torch.cat([row[:n] for row, n in zip(hidden_states, counts)])[None], counts
        """,
        "not always the first of their row",
    ),
    (
        "pack",
        """
        hidden_states[attention_mask == 0] = 0
        return hidden_states[attention_mask == 1][None], attention_mask.sum(1).tolist()
        """,
        "`hidden_states` itself was changed",
    ),
    ("pack", "return hidden_states[attention_mask == 1][None], attention_mask.sum(1)", "a list of plain numbers"),
    (
        "loss_where_asked",
        """
        asked = labels != -100
        scores = hidden_states @ weight.T + bias
        return F.cross_entropy(scores[asked], labels[asked]), int(asked.sum())
        """,
        "places were scored",
    ),
    (
        "loss_where_asked",
        """
        scores = F.linear(hidden_states, weight, bias)
        return F.cross_entropy(scores.flatten(0, 1), labels.flatten()), int((labels != -100).sum())
        """,
        "places were scored",
    ),
    (
        "loss_where_asked",
        """
        scores = torch.einsum('bsh,vh->bsv', hidden_states, weight) + bias
        return F.cross_entropy(scores.flatten(0, 1), labels.flatten()), int((labels != -100).sum())
        """,
        "places were scored",
    ),
    (
        "loss_where_asked",
        """
        asked = labels > 0
        return F.cross_entropy(hidden_states[asked] @ weight.T + bias, labels[asked]), int(asked.sum())
        """,
        "Word 0 is left out",
    ),
    (
        "loss_where_asked",
        """
        asked = labels != -100
        return F.cross_entropy(hidden_states[asked].detach() @ weight.T + bias, labels[asked]), int(asked.sum())
        """,
        "no gradient",
    ),
    (
        "whole_gradient",
        """
        for gradient, count in zip(gradients, counts):
            gradient *= count
        return sum(gradients) / sum(counts)
        """,
        "`gradients` itself was changed",
    ),
    (
        "whole_gradient",
        """
        total = gradients[0]
        total *= counts[0]
        for gradient, count in zip(gradients[1:], counts[1:]):
            total += count * gradient
        return total / sum(counts)
        """,
        "`gradients` itself was changed",
    ),
    (
        "multiplications",
        """
        layer = 4 * words * hidden**2 + 2 * words * hidden * inner + 2 * words**2 * hidden
        return layers * layer + hidden**2 + hidden * vocabulary
        """,
        "computed at one place",
    ),
]

RIGHT = [
    (
        "multiplications",
        """
        layer = words * hidden * (4 * hidden + 2 * inner + 2 * words)
        return layers * layer + words * hidden * (hidden + vocabulary)
        """,
    ),
    (
        "pack",
        """
        texts = [row[mask.bool()] for row, mask in zip(hidden_states, attention_mask)]
        return torch.cat(texts).unsqueeze(0), [len(text) for text in texts]
        """,
    ),
    (
        "pack",
        """
        places = attention_mask.flatten().nonzero().flatten()
        return hidden_states.flatten(0, 1)[places][None], [np.int64(n) for n in attention_mask.sum(1)]
        """,
    ),
    (
        "loss_where_asked",
        """
        places = (labels.flatten() != -100).nonzero().flatten()
        scores = F.linear(hidden_states.flatten(0, 1)[places], weight, bias)
        return F.cross_entropy(scores, labels.flatten()[places]), places.numel()
        """,
    ),
    (
        "loss_where_asked",
        """
        losses = []
        for row, answers in zip(hidden_states, labels):
            for state, label in zip(row, answers):
                if label != -100:
                    losses.append(F.cross_entropy(weight @ state + bias, label))
        return torch.stack(losses).mean(), len(losses)
        """,
    ),
    (
        "whole_gradient",
        """
        shares = torch.tensor(counts, dtype=torch.float32) / sum(counts)
        return torch.einsum('p,p...->...', shares, torch.stack(gradients))
        """,
    ),
    ("whole_gradient", "return sum(g * (c / sum(counts)) for g, c in zip(gradients, counts))"),
]
