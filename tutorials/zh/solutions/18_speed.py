"""第 18 章的练习，让它快起来。用 `minibert check 18` 检查。"""

import torch
import torch.nn.functional as F
from torch import Tensor


def multiplications(layers: int, hidden: int, inner: int, vocabulary: int, words: int) -> int:
    """一段文本的一次前向传播要做多少次乘法，包括每个位置上预测词的头（变换和解码器）。

    每一层：四个投影 hidden → hidden；前馈网络 hidden → inner → hidden；注意力，算分数一次，对值求平均一次，
    各是 words × words × hidden 的乘积。嵌入、偏置、LayerNorm 和 softmax 不计。

    15 分钟，中等。
    """
    layer = 4 * words * hidden * hidden + 2 * words * hidden * inner + 2 * words * words * hidden
    return layers * layer + words * (hidden * hidden + hidden * vocabulary)


def pack(hidden_states: Tensor, attention_mask: Tensor) -> tuple[Tensor, list[int]]:
    """所有文本的真实的词首尾相接，以及每段文本有多少个词。

    hidden_states：(batch, seq, hidden)。attention_mask：(batch, seq)，词是 1，填充是 0。
    返回 (1, words, hidden)，第一段文本的词在前；以及一个有 `batch` 个数的列表。

    10 分钟，中等。
    """
    return hidden_states[attention_mask == 1][None], attention_mask.sum(1).tolist()


def loss_where_asked(hidden_states: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> tuple[Tensor, int]:
    """对标签不是 −100 的位置求交叉熵的平均，以及给多少个位置打了分：只有那些位置，没有别的。

    hidden_states：(batch, seq, hidden)。weight：(vocab, hidden)，bias：(vocab)，分数是 W h + b。labels：
    (batch, seq)。
    可以用 `F.cross_entropy`。

    10 分钟，中等。
    """
    asked = labels != -100  # (batch, seq)
    scores = hidden_states[asked] @ weight.T + bias  # (asked, vocab)
    return F.cross_entropy(scores, labels[asked]), len(scores)


def whole_gradient(gradients: list[Tensor], counts: list[int]) -> Tensor:
    """由各部分的梯度得出整个批次的梯度。

    gradients：每一部分自己提问的位置上平均损失的梯度。counts：每一部分有多少个提问的位置。
    整个批次的损失是对所有提问的位置求的平均。给定的梯度保持不变。

    10 分钟，中等。
    """
    total = torch.zeros_like(gradients[0])
    for gradient, count in zip(gradients, counts, strict=True):
        total = total + count * gradient
    return total / sum(counts)


# en: module=cc2e9900 multiplications=acfd0839 pack=47f2ccaf loss_where_asked=5e78d735 whole_gradient=d2901316
