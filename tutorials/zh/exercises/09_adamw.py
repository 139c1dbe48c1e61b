"""第 9 章的练习，AdamW。用 `minibert check 9` 检查。"""

import math

from torch import Tensor


def averages(grad: Tensor, m: Tensor, v: Tensor, beta1: float, beta2: float) -> tuple[Tensor, Tensor]:
    """再来一个梯度之后的两个滑动平均：梯度的平均 m，梯度平方的平均 v。

    m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²        所有张量形状相同。

    5 分钟，容易。
    """
    raise NotImplementedError


def step_size(lr: float, beta1: float, beta2: float, step: int) -> float:
    """lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ)，t 是这一步的编号，从 1 数起。

    5 分钟，中等。
    """
    raise NotImplementedError


def update(param: Tensor, m: Tensor, v: Tensor, size: float, eps: float, lr: float, weight_decay: float) -> Tensor:
    """新的参数，按 `transformers` 的 AdamW 的算法：先走这一步，再衰减走完剩下的。

    θ ← θ − size · m / (√v + ε)        θ ← θ − lr · λ · θ        λ 是 weight_decay。
    `param` 本身保持不变。

    （Google 的 BERT、论文的算法 2 和 torch.optim.AdamW 衰减*旧的* θ。这里衰减新的。）

    10 分钟，中等。
    """
    raise NotImplementedError


def is_decayed(name: str) -> bool:
    """权重衰减是否作用于一个参数：偏置都不，LayerNorm 的权重也不。

    5 分钟，容易。
    """
    raise NotImplementedError


# en: module=8bc0c832 averages=96aefb93 step_size=b4374b1b update=d4609afd is_decayed=6af43a39
