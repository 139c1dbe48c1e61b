"""Mistakes that learners make in chapter 12."""

PLANTED = [
    ("problem_type", "num_labels == 1", "False", "look at num_labels first"),
    ("problem_type", "labels.dtype in", "labels.dtype not in", "these are swapped"),
    ("problem_type", '"multi_label_classification"', '"regression"', "need not mean regression"),
    ("problem_type", "num_labels == 1", "num_labels <= 2", "two classes"),
    ("yes_and_no", "1.0 if name in names else 0.0", "0.0 if name in names else 1.0", "wrong way round"),
    ("yes_and_no", "1.0 if name in names else 0.0", "name in names", "whole numbers"),
    (
        "yes_and_no",
        "1.0 if name in names else 0.0 for name in known",
        "known.index(name) for name in names",
        "numbers of the labels",
    ),
    ("yes_and_no", "name not in known", "False", "typing error"),
    (
        "many_labels_loss",
        "F.logsigmoid(logits), F.logsigmoid(-logits)",
        "logits.log_softmax(-1), (1 - logits.softmax(-1)).log()",
        "This is softmax",
    ),
    ("many_labels_loss", " + (1 - targets) * log_no", "", "Only the labels that the text has are"),
    ("many_labels_loss", ".mean()", ".sum(-1).mean()", "summed over the labels"),
    ("many_labels_loss", "return -(", "return (", "The sign"),
    (
        "correlation",
        "mean_x, mean_y = sum(predictions) / len(predictions), sum(labels) / len(labels)",
        "mean_x = mean_y = 0.0",
        "not taken away",
    ),
    ("correlation", "math.sqrt(sum(x * x for x in xs) * sum(y * y for y in ys))", "sum(x * x for x in xs)", "slope"),
    ("correlation", " if spread > 0 else 0.0", "", "divides by 0"),
]

WRITTEN = [
    (
        "correlation",
        """
        xs = np.array(predictions) - np.mean(predictions)
        ys = np.array(labels) - np.mean(labels)
        spread = math.sqrt((xs**2).sum() * (ys**2).sum())
        return abs((xs * ys).sum()) / spread if spread else 0.0
        """,
        "sign is lost",
    ),
    (
        "correlation",
        """
        xs = np.array(predictions) - np.mean(predictions)
        ys = np.array(labels) - np.mean(labels)
        spread = (xs**2).sum() * (ys**2).sum()
        return (xs * ys).sum() / spread if spread else 0.0
        """,
        "root is missing",
    ),
    (
        "problem_type",
        """
        if labels.dtype in (torch.int64, torch.int32):
            return 'single_label_classification'
        return 'regression' if num_labels == 1 else 'multi_label_classification'
        """,
        "looked at before the number of columns",
    ),
    (
        "problem_type",
        """
        if num_labels == 1:
            return 'regression'
        return 'multi_label_classification' if labels.dim() > 1 else 'single_label_classification'
        """,
        "shape of the labels",
    ),
    (
        "problem_type",
        """
        if num_labels == 1:
            return 'regression'
        return 'single_label_classification' if labels.dtype == torch.int64 else 'multi_label_classification'
        """,
        "int32 is a class",
    ),
    (
        "problem_type",
        """
        if num_labels == 1:
            return 'regression'
        return 'multi_label_classification' if labels.is_floating_point() else 'single_label_classification'
        """,
        "bool",
    ),
    (
        "yes_and_no",
        """
        if set(names) - set(known):
            raise ValueError
        return [float(name in names) for name in sorted(known)]
        """,
        "alphabetical",
    ),
    (
        "yes_and_no",
        """
        if set(names) - set(known):
            raise ValueError
        return [float(names.count(name)) for name in known]
        """,
        "counts once",
    ),
    (
        "yes_and_no",
        """
        if set(names) - set(known):
            raise ValueError
        text = ' '.join(names)
        return [float(name in text) for name in known]
        """,
        "",
    ),
    (
        "yes_and_no",
        """
        if set(names) - set(known):
            raise ValueError
        return [float(any(name in mine for mine in names)) for name in known]
        """,
        "where another one holds it",
    ),
    (
        "yes_and_no",
        """
        row = [0.0] * len(known)
        while names:
            row[known.index(names.pop())] = 1.0
        return row
        """,
        "`names` itself was changed",
    ),
    (
        "many_labels_loss",
        """
        yes = torch.sigmoid(logits)
        return -(targets * yes.log() + (1 - targets) * (1 - yes).log()).mean()
        """,
        "",
    ),
    (
        "many_labels_loss",
        """
        yes = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
        return -(targets * yes.log() + (1 - targets) * (1 - yes).log()).mean()
        """,
        "kept away from 0 and 1",
    ),
    ("many_labels_loss", "return ((1 - targets) * logits + (1 + (-logits).exp()).log()).mean()", "e to such a logit"),
    (
        "many_labels_loss",
        "return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)",
        "It calls binary_cross_entropy_with_logits",
    ),
    (
        "many_labels_loss",
        "return torch.nn.BCEWithLogitsLoss()(logits, targets)",
        "It calls binary_cross_entropy_with_logits",
    ),
    (
        "many_labels_loss",
        "return torch.nn.functional.multilabel_soft_margin_loss(logits, targets)",
        "It calls multilabel_soft_margin_loss",
    ),
    (
        "many_labels_loss",
        """
        x = logits.detach()
        return -(targets * F.logsigmoid(x) + (1 - targets) * F.logsigmoid(-x)).mean()
        """,
        "no gradient",
    ),
]

RIGHT = [
    (
        "problem_type",
        """
        kind = 'single' if labels.dtype in {torch.long, torch.int} else 'multi'
        return 'regression' if num_labels == 1 else f'{kind}_label_classification'
        """,
    ),
    (
        "yes_and_no",
        """
        row = [0.0] * len(known)
        for name in names:
            row[known.index(name)] = 1.0
        return row
        """,
    ),
    (
        "yes_and_no",
        """
        if not set(names) <= set(known):
            raise ValueError(names)
        return list(np.isin(known, names).astype(float))
        """,
    ),
    ("many_labels_loss", "return (F.softplus(logits) - targets * logits).mean()"),
    ("many_labels_loss", "return (logits.clamp(min=0) - logits * targets + (-logits.abs()).exp().log1p()).mean()"),
    (
        "many_labels_loss",
        """
        yes, no = logits.double().sigmoid(), (-logits.double()).sigmoid()
        return -(targets * yes.log() + (1 - targets) * no.log()).mean()
        """,
    ),
    (
        "correlation",
        """
        if len(set(predictions)) == 1 or len(set(labels)) == 1:
            return 0.0
        return np.corrcoef(predictions, labels)[0, 1]
        """,
    ),
    (
        "correlation",
        """
        import statistics
        try:
            return statistics.correlation(predictions, labels)
        except statistics.StatisticsError:
            return 0.0
        """,
    ),
]
