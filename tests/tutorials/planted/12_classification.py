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

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
