"""Mistakes that learners make in chapter 9."""

PLANTED = [
    ("averages", "(1 - beta2) * grad * grad", "(1 - beta2) * grad", "its square"),
    ("averages", "beta1 * m + (1 - beta1) * grad", "(1 - beta1) * m + beta1 * grad", "β₁ and 1 − β₁ have changed"),
    (
        "averages",
        "(1 - beta1) * grad, beta2 * v + (1 - beta2) * grad * grad",
        "grad, beta2 * v + grad * grad",
        "comes in whole",
    ),
    ("step_size", "lr * math.sqrt(1 - beta2**step) / (1 - beta1**step)", "lr", "bias correction is missing"),
    ("step_size", "math.sqrt(1 - beta2**step)", "(1 - beta2**step)", "root is missing"),
    (
        "step_size",
        "1 - beta2**step) / (1 - beta1**step",
        "1 - beta2 ** (step + 1)) / (1 - beta1 ** (step + 1)",
        "One step too far",
    ),
    ("update", "moved - lr * weight_decay * moved", "moved - lr * weight_decay * param", "The old parameter decays"),
    (
        "update",
        "size * m / (v.sqrt() + eps)",
        "size * (m + weight_decay * param) / (v.sqrt() + eps)",
        "mixed into the gradient, and then",
    ),
    ("update", "moved - lr * weight_decay * moved", "moved", "decay is missing"),
    ("update", "v.sqrt() + eps", "(v + eps).sqrt()", "inside the root"),
    ("update", "moved = param -", "param -= 0 * param + 1; moved = param + 1 -", "itself was changed"),
    ("is_decayed", ' and "LayerNorm.weight" not in name', "", "is not a matrix"),
    ("is_decayed", '"bias" not in name and ', "", "This is a bias"),
    ("is_decayed", 'return "bias"', 'return "embeddings" not in name and "bias"', "an embedding too"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
