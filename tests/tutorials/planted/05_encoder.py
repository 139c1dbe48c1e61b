"""Mistakes that learners make in chapter 5."""

PLANTED = [
    ("gelu", "return x * 0.5", "return 0.5", "Φ(x) alone"),
    ("gelu", "x / math.sqrt(2.0)", "x", "not divided by √2"),
    (
        "gelu",
        "x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))",
        "torch.nn.functional.gelu(x, approximate='tanh')",
        "with tanh",
    ),
    ("feed_forward", "gelu(up(x))", "up(x)", "no gelu"),
    ("feed_forward", "down(gelu(up(x)))", "torch.nn.functional.gelu(down(up(x)))", "after the second map"),
    ("feed_forward", "gelu(up(x))", "torch.relu(up(x))", "ReLU"),
    ("add_and_norm", "norm(stage(x) + x)", "norm(stage(x))", "x is not added"),
    ("add_and_norm", "norm(stage(x) + x)", "norm(stage(x)) + x", "normalises the sum"),
    ("add_and_norm", "norm(stage(x) + x)", "stage(norm(x)) + x", "GPT-2"),
    ("layer_parameters", "hidden * hidden + hidden", "hidden * hidden", "biases of the four projections"),
    ("layer_parameters", "2 * 2 * hidden", "2 * hidden", "two LayerNorms"),
    ("layer_parameters", "4 * (hidden", "3 * (hidden", "output projection"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
