"""第 5 章的练习，编码器的一层。用 `minibert check 5` 检查。"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def gelu(x: Tensor) -> Tensor:
    """x · Φ(x)，Φ(x) = ½ (1 + erf(x / √2))：精确形式，逐元素。不要用 `F.gelu`。

    5 分钟，容易。
    """
    raise NotImplementedError


def feed_forward(x: Tensor, up: nn.Linear, down: nn.Linear) -> Tensor:
    """W₂ gelu(W₁ x + b₁) + b₂：变宽到四倍再变回来，不含相加与归一化。

    x：(batch, seq, hidden)。up：hidden → intermediate。down：intermediate → hidden。请用上面的 `gelu`。

    5 分钟，容易。
    """
    raise NotImplementedError


def add_and_norm(x: Tensor, stage: Callable[[Tensor], Tensor], norm: nn.LayerNorm) -> Tensor:
    """BERT 给一层的两半都套上的框架：对 x 运行这一级，把 x 加到结果上，再归一化。

    5 分钟，容易。
    """
    raise NotImplementedError


def layer_parameters(hidden: int, intermediate: int) -> int:
    """编码器的一层要学多少个数。

    查询、键、值和注意力的输出投影（hidden → hidden），前馈网络的升和降，各有偏置；以及两个 LayerNorm，
    各有宽度为 hidden 的权重和偏置。

    10 分钟，中等。
    """
    raise NotImplementedError


# en: module=57ca74d9 gelu=d6af5517 feed_forward=894ae7dc add_and_norm=e0933537 layer_parameters=ca1457ec
