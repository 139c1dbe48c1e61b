"""第 3 章的练习，嵌入层。用 `minibert check 3` 检查。"""

import torch.nn.functional as F
from torch import Tensor


def embed(ids: Tensor, segments: Tensor, word_table: Tensor, segment_table: Tensor, position_table: Tensor) -> Tensor:
    """三个嵌入之和，在层归一化之前：是哪个词，在哪个句段，站在哪里。

    ids、segments：(batch, seq) 的 int64。各表：(vocab, hidden)、(2, hidden)、(longest, hidden)。位置从 0 数起。
    返回 (batch, seq, hidden)。

    5 分钟，容易。
    """
    return word_table[ids] + segment_table[segments] + position_table[: ids.size(1)]


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """(x − 平均) / √(方差 + eps) · weight + bias，沿最后一轴。方差是偏差平方的平均。

    x：(batch, seq, hidden)。weight、bias：(hidden)。不要用 `F.layer_norm`：这个练习就是要把它写出来。

    10 分钟，中等。
    """
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred * centred).mean(-1, keepdim=True)
    return centred / (variance + eps) ** 0.5 * weight + bias


def nearest(table: Tensor, word: int, count: int) -> list[int]:
    """按余弦，向量方向与 word 的向量最接近的 `count` 个别的词，最近的在前。

    table：(vocab, hidden)。不包括这个词自己。

    10 分钟，中等。
    """
    directions = F.normalize(table, dim=-1)
    cosines = directions @ directions[word]
    cosines[word] = -2.0
    return cosines.topk(count).indices.tolist()


# en: module=7fe293c7 embed=07e8c46c layer_norm=24339fe6 nearest=c06671f5
