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

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
