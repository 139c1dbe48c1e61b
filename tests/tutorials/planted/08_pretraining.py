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

WRITTEN = [
    (
        "labels_for",
        """
        words = {ids[place] for place in chosen}
        return [piece if piece in words else -100 for piece in ids]
        """,
        "it is the place that is chosen",
    ),
    (
        "labels_for",
        """
        for place in range(len(ids)):
            if place not in chosen:
                ids[place] = -100
        return ids
        """,
        "`ids` itself was changed",
    ),
    (
        "labels_for",
        """
        chosen.sort()
        return [piece if place in chosen else -100 for place, piece in enumerate(ids)]
        """,
        "`chosen` itself was changed",
    ),
    (
        "hide",
        """
        for place, draw, other in zip(chosen, draws, random_ids):
            ids[place] = mask_id if draw < 0.8 else other if draw < 0.9 else ids[place]
        return ids
        """,
        "`ids` itself was changed",
    ),
    (
        "hide",
        """
        read = list(ids)
        for place, draw, other in zip(sorted(chosen), draws, random_ids):
            read[place] = mask_id if draw < 0.8 else other if draw < 0.9 else ids[place]
        return read
        """,
        "not from left to right",
    ),
    (
        "hide",
        """
        read = list(ids)
        for place in chosen:
            draw = draws.pop(0)
            other = random_ids.pop(0)
            read[place] = mask_id if draw < 0.8 else other if draw < 0.9 else ids[place]
        return read
        """,
        "`draws` itself was changed",
    ),
    (
        "masked_loss",
        """
        asked = labels > 0
        return -torch.log_softmax(scores[asked], -1).gather(-1, labels[asked][:, None]).mean()
        """,
        "Word 0 is left out",
    ),
    (
        "masked_loss",
        """
        asked = labels != -100
        return -torch.log_softmax(scores[asked].detach(), -1).gather(-1, labels[asked][:, None]).mean()
        """,
        "no gradient",
    ),
    (
        "masked_loss",
        """
        asked = labels != -100
        return torch.tensor(-torch.log_softmax(scores[asked], -1).gather(-1, labels[asked][:, None]).mean().item())
        """,
        "no gradient",
    ),
    (
        "masked_loss",
        """
        with torch.no_grad():
            asked = labels != -100
            return -torch.log_softmax(scores[asked], -1).gather(-1, labels[asked][:, None]).mean()
        """,
        "no gradient",
    ),
    (
        "masked_loss",
        """
        asked = labels != -100
        e = scores[asked].exp()
        return -(e.gather(-1, labels[asked][:, None])[:, 0] / e.sum(-1)).log().mean()
        """,
        "infinite or not a number",
    ),
    (
        "masked_loss",
        """
        asked = labels != -100
        return -torch.softmax(scores[asked], -1).gather(-1, labels[asked][:, None]).log().mean()
        """,
        "infinite or not a number",
    ),
    ("masked_loss", "return F.cross_entropy(scores.flatten(0, 1), labels.flatten())", "It calls cross_entropy"),
    (
        "masked_loss",
        "return torch.nn.CrossEntropyLoss()(scores.flatten(0, 1), labels.flatten())",
        "It calls cross_entropy",
    ),
    (
        "masked_loss",
        "return F.nll_loss(torch.log_softmax(scores, -1).flatten(0, 1), labels.flatten())",
        "It calls nll_loss",
    ),
    (
        "masked_loss",
        "return torch.ops.aten.cross_entropy_loss(scores.flatten(0, 1), labels.flatten())",
        "cross_entropy_loss",
    ),
    (
        "masked_loss",
        """
        labels[labels == -100] = 0
        return -torch.log_softmax(scores, -1).gather(-1, labels[..., None]).mean()
        """,
        "`labels` itself was changed",
    ),
    (
        "pretraining_loss",
        "return F.cross_entropy(word_scores.flatten(0, 1), labels.flatten()) + F.cross_entropy(next_scores.detach(), next_label)",
        "from the next sentence",
    ),
    (
        "pretraining_loss",
        "return torch.tensor(F.cross_entropy(word_scores.flatten(0, 1), labels.flatten()).item() + F.cross_entropy(next_scores, next_label).item())",
        "no gradient",
    ),
    (
        "pretraining_loss",
        "return F.cross_entropy(word_scores.flatten(0, 1), labels.flatten(), reduction='sum') + F.cross_entropy(next_scores, next_label)",
        "summed",
    ),
]

RIGHT = [
    (
        "labels_for",
        """
        labels = [-100] * len(ids)
        for place in chosen:
            labels[place] = ids[place]
        return labels
        """,
    ),
    (
        "labels_for",
        """
        labels = np.full(len(ids), -100)
        labels[chosen] = np.array(ids)[chosen]
        return list(labels)
        """,
    ),
    (
        "hide",
        """
        fates = {place: (draw, other) for place, draw, other in zip(chosen, draws, random_ids)}
        read = []
        for place, piece in enumerate(ids):
            draw, other = fates.get(place, (1.0, 0))
            read.append(mask_id if draw < 0.8 else other if draw < 0.9 else piece)
        return read
        """,
    ),
    (
        "masked_loss",
        """
        asked = labels != -100
        chosen = scores[asked]
        picked = chosen[torch.arange(len(chosen)), labels[asked]]
        return (torch.logsumexp(chosen, -1) - picked).mean()
        """,
    ),
    (
        "masked_loss",
        """
        total, count = 0.0, 0
        for row, answers in zip(scores, labels):
            for place, label in zip(row, answers.tolist()):
                if label != -100:
                    total = total - torch.log_softmax(place, 0)[label]
                    count += 1
        return total / count
        """,
    ),
    (
        "masked_loss",
        """
        one_hot = F.one_hot(labels.clamp(min=0), scores.size(-1)) * (labels != -100)[..., None]
        return -(one_hot * scores.double().log_softmax(-1)).sum() / one_hot.sum()
        """,
    ),
    (
        "masked_loss",
        """
        keep = (labels != -100).flatten()
        log_p = torch.log_softmax(scores.flatten(0, 1), -1)
        picked = torch.gather(log_p, 1, labels.flatten().clamp(min=0)[:, None])
        return (-picked[keep]).mean(0, keepdim=True)
        """,
    ),
    (
        "pretraining_loss",
        "return F.cross_entropy(word_scores.transpose(1, 2), labels) + F.nll_loss(next_scores.log_softmax(-1), next_label)",
    ),
]
