"""第 4 章的练习，自注意力。用 `minibert check 4` 检查。"""

import math

import torch
from torch import Tensor


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(batch, seq, heads · d) → (batch, heads, seq, d)。头 0 得到每个位置的前 d 个数，依此类推。

    10 分钟，中等。
    """
    raise NotImplementedError


def additive_mask(mask: Tensor) -> Tensor:
    """把 1（可以看）和 0（填充）变成加到分数上的数：0.0 和 −10000.0。

    mask：(batch, keys) 的 int64。返回 float32 的 (batch, 1, 1, keys)，可广播到各头和各查询。

    5 分钟，容易。
    """
    raise NotImplementedError


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """softmax(Q Kᵀ / √d + mask) V，d 是一个头的宽度。

    query：(batch, heads, seq, d)。key、value：(batch, heads, keys, d)。mask：加到分数上的，(batch, 1, 1, keys)。
    返回 (batch, heads, seq, d)。分数可能有几百。不要用 PyTorch 的融合函数：这个练习就是要把它写出来。

    15 分钟，中等。
    """
    raise NotImplementedError


def join_heads(x: Tensor) -> Tensor:
    """(batch, heads, seq, d) → (batch, seq, heads · d)：还原 `split_heads`。

    10 分钟，中等。
    """
    raise NotImplementedError


# en: module=85617f5d split_heads=0843f873 additive_mask=32b57b29 attention=131595a8 join_heads=6a3908c8
