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

WRITTEN = [
    (
        "averages",
        """
        m *= beta1
        m += (1 - beta1) * grad
        return m, beta2 * v + (1 - beta2) * grad**2
        """,
        "`m` itself was changed",
    ),
    (
        "averages",
        """
        v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        return beta1 * m + (1 - beta1) * grad, v
        """,
        "`v` itself was changed",
    ),
    (
        "averages",
        """
        new = beta1 * m + (1 - beta1) * grad
        return new, beta2 * v + (1 - beta2) * new**2
        """,
        "gradient's own square",
    ),
    (
        "step_size",
        "return lr * math.sqrt(1 - beta2**step) / math.sqrt(1 - beta1**step)",
        "goes over the whole fraction",
    ),
    ("step_size", "return lr * math.sqrt(1 - beta2 ** (step - 1)) / (1 - beta1 ** (step - 1))", "One step too few"),
    (
        "update",
        """
        param -= size * m / (v.sqrt() + eps)
        return param * (1 - lr * weight_decay)
        """,
        "`param` itself was changed",
    ),
    ("is_decayed", "return 'bias' not in name", ""),
    ("is_decayed", "return True", ""),
]

RIGHT = [
    ("averages", "return m.lerp(grad, 1 - beta1), v.lerp(grad.square(), 1 - beta2)"),
    (
        "averages",
        """
        m, v = m.clone(), v.clone()
        m.mul_(beta1).add_(grad, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        return m, v
        """,
    ),
    ("step_size", "return np.float64(lr) * np.sqrt(1 - beta2**step) / (1 - beta1**step)"),
    (
        "update",
        """
        moved = param.clone()
        moved.addcdiv_(m, v.sqrt().add(eps), value=-size)
        moved.mul_(1 - lr * weight_decay)
        return moved
        """,
    ),
    ("is_decayed", "return not name.endswith(('bias', 'LayerNorm.weight'))"),
    ("is_decayed", "return np.bool_(not any(part in name for part in ('bias', 'LayerNorm.weight')))"),
]
