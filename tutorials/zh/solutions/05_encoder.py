"""第 5 章的练习，编码器的一层。用 `minibert check 5` 检查。"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def gelu(x: Tensor) -> Tensor:
    """x · Φ(x)，Φ(x) = ½ (1 + erf(x / √2))：精确形式，逐元素。不要用 `F.gelu`。

    5 分钟，容易。
    """
    return x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))


def feed_forward(x: Tensor, up: nn.Linear, down: nn.Linear) -> Tensor:
    """W₂ gelu(W₁ x + b₁) + b₂：变宽到四倍再变回来，不含相加与归一化。

    x：(batch, seq, hidden)。up：hidden → intermediate。down：intermediate → hidden。请用上面的 `gelu`。

    5 分钟，容易。
    """
    return down(gelu(up(x)))


def add_and_norm(x: Tensor, stage: Callable[[Tensor], Tensor], norm: nn.LayerNorm) -> Tensor:
    """BERT 给一层的两半都套上的框架：对 x 运行这一级，把 x 加到结果上，再归一化。

    5 分钟，容易。
    """
    return norm(stage(x) + x)


def layer_parameters(hidden: int, intermediate: int) -> int:
    """编码器的一层要学多少个数。

    查询、键、值和注意力的输出投影（hidden → hidden），前馈网络的升和降，各有偏置；以及两个 LayerNorm，
    各有宽度为 hidden 的权重和偏置。

    10 分钟，中等。
    """
    projections = 4 * (hidden * hidden + hidden)
    up_and_down = hidden * intermediate + intermediate + intermediate * hidden + hidden
    norms = 2 * 2 * hidden
    return projections + up_and_down + norms


# en: module=57ca74d9 gelu=a58859ed feed_forward=e177f87c add_and_norm=18b23491 layer_parameters=946dd523
