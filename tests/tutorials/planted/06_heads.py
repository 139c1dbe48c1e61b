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

WRITTEN = [
    (
        "pool",
        """
        hidden_states.mul_(1.0)
        hidden_states[:, 1:] = 0
        return torch.tanh(dense(hidden_states[:, 0]))
        """,
        "`hidden_states` itself was changed",
    ),
    ("pool", "return torch.tanh(dense(hidden_states.mean(1)))", "mean of all positions"),
    ("transform", "return norm(F.gelu(dense(hidden_states), approximate='tanh'))", "gelu with tanh"),
    ("transform", "return F.gelu(norm(dense(hidden_states)))", "changed places"),
    (
        "word_scores",
        """
        transformed += 0
        bias += 1
        return transformed @ word_embeddings.T + bias - 1
        """,
        "`bias` itself was changed",
    ),
    ("word_scores", "return torch.softmax(transformed @ word_embeddings.T + bias, -1)", "These are probabilities"),
    ("count_parameters", "return sum(t.numel() for t in named.values())", "counted twice"),
    (
        "count_parameters",
        """
        seen = set()
        total = 0
        while named:
            _, t = named.popitem()
            total += 0 if id(t) in seen else t.numel()
            seen.add(id(t))
        return total
        """,
        "`named` itself was changed",
    ),
]

RIGHT = [
    ("pool", "return dense(hidden_states.select(1, 0)).tanh()"),
    ("pool", "return torch.stack([torch.tanh(dense(text[0])) for text in hidden_states])"),
    ("transform", "return norm(nn.GELU()(hidden_states @ dense.weight.T + dense.bias))"),
    ("word_scores", "return torch.einsum('bsh,vh->bsv', transformed, word_embeddings) + bias"),
    ("word_scores", "return F.linear(transformed, word_embeddings, bias)"),
    (
        "count_parameters",
        """
        unique = []
        for tensor in named.values():
            if not any(tensor is other for other in unique):
                unique.append(tensor)
        return sum(t.shape.numel() for t in unique)
        """,
    ),
    ("count_parameters", "return np.int64(sum(t.numel() for t in {t.data_ptr(): t for t in named.values()}.values()))"),
]
