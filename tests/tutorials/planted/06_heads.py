"""Mistakes that learners make in chapter 6."""

PLANTED = [
    ("pool", "hidden_states[:, 0]", "hidden_states[0]", "wrong axis"),
    ("pool", "hidden_states[:, 0]", "hidden_states.mean(1)", "mean of all positions"),
    ("pool", "torch.tanh(dense(hidden_states[:, 0]))", "dense(hidden_states[:, 0])", "tanh is missing"),
    ("transform", "norm(F.gelu(dense(hidden_states)))", "F.gelu(norm(dense(hidden_states)))", "changed places"),
    ("transform", "F.gelu(", "(", "gelu is missing"),
    ("word_scores", " + bias", "", "bias of its own"),
    (
        "word_scores",
        "transformed @ word_embeddings.T + bias",
        "torch.softmax(transformed @ word_embeddings.T + bias, -1)",
        "probabilities",
    ),
    ("word_scores", "word_embeddings.T", "word_embeddings", "stops with RuntimeError"),
    (
        "count_parameters",
        "id(tensor): tensor.numel() for tensor in named.values()",
        "name: tensor.numel() for name, tensor in named.items()",
        "counted twice",
    ),
    ("count_parameters", "sum(distinct.values())", "len(distinct)", "tensors counted"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
