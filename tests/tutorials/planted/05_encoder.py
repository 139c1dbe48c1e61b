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

WRITTEN = [
    ("gelu", "return torch.nn.functional.gelu(x)", "It calls gelu"),
    ("gelu", "return nn.GELU()(x)", "It calls gelu"),
    ("gelu", "return torch.ops.aten.gelu(x)", "gelu"),
    ("gelu", "return torch._C._nn.gelu(x)", "It calls gelu"),
    (
        "gelu",
        """
        x *= 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))
        return x
        """,
        "`x` itself was changed",
    ),
    ("gelu", "return x * torch.sigmoid(x)", "SiLU"),
    ("feed_forward", "return down(nn.functional.gelu(up(x), approximate='tanh'))", "gelu with tanh"),
    ("feed_forward", "return gelu(down(up(x)))", "belongs between the two"),
    (
        "add_and_norm",
        """
        x += stage(x)
        return norm(x)
        """,
        "`x` itself was changed",
    ),
    (
        "add_and_norm",
        """
        norm.eps = 1e-5
        norm.weight.data.mul_(1.5)
        return norm(stage(x) + x)
        """,
        "`norm` itself was changed",
    ),
    ("add_and_norm", "return norm(x - stage(x))", "taken away"),
    ("add_and_norm", "return nn.functional.layer_norm(stage(x) + x, x.shape[-1:])", "are not used"),
    (
        "layer_parameters",
        "return 4 * (hidden * hidden + hidden) + 2 * hidden * intermediate + intermediate + hidden + 2 * hidden",
        "2 · hidden are missing",
    ),
]

RIGHT = [
    ("gelu", "return x * torch.distributions.Normal(0.0, 1.0).cdf(x)"),
    ("gelu", "return 0.5 * x * torch.erfc(-x / 2**0.5)"),
    (
        "gelu",
        "return torch.tensor([v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x.flatten().tolist()]).view(x.shape)",
    ),
    ("gelu", "return x.double() * torch.special.ndtr(x.double())"),
    (
        "feed_forward",
        """
        h = x @ up.weight.T + up.bias
        return torch.addmm(down.bias, gelu(h).flatten(0, 1), down.weight.T).view(x.shape)
        """,
    ),
    (
        "feed_forward",
        "return nn.functional.linear(gelu(nn.functional.linear(x, up.weight, up.bias)), down.weight, down.bias)",
    ),
    ("feed_forward", "return nn.Sequential(up, nn.GELU(), down)(x)"),
    (
        "add_and_norm",
        """
        total = x.clone()
        total += stage(x)
        return norm(total)
        """,
    ),
    ("add_and_norm", "return nn.functional.layer_norm(x + stage(x), x.shape[-1:], norm.weight, norm.bias, norm.eps)"),
    (
        "layer_parameters",
        """
        layer = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(4)])
        layer += [nn.Linear(hidden, intermediate), nn.Linear(intermediate, hidden), nn.LayerNorm(hidden), nn.LayerNorm(hidden)]
        return sum(p.numel() for p in layer.parameters())
        """,
    ),
    ("layer_parameters", "return np.int64(4 * hidden**2 + 2 * hidden * intermediate + 9 * hidden + intermediate)"),
]
