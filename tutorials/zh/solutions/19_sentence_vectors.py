"""第 19 章的练习，句向量。用 `minibert check 19` 检查。"""

import torch
import torch.nn.functional as F
from torch import Tensor


def mean_pool(hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
    """每段文本中真实词元的向量的平均。

    hidden_states：(batch, seq, hidden)。attention_mask：(batch, seq)，真实的词元是 1，填充是 0，填充可以在任何地方。
    返回 (batch, hidden)；没有真实词元的文本得到 0。

    10 分钟，中等。
    """
    mask = attention_mask[:, :, None].to(hidden_states.dtype)  # (batch, seq, 1)
    return (hidden_states * mask).sum(1) / mask.sum(1).clamp(min=1)


def max_pool(hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
    """每段文本中，各维在真实词元里最大的数。它可以小于 0。

    hidden_states：(batch, seq, hidden)。attention_mask：(batch, seq)，每行都有 1。返回 (batch, hidden)。

    10 分钟，中等。
    """
    return hidden_states.masked_fill(attention_mask[:, :, None] == 0, -torch.inf).amax(1)


def contrast_loss(firsts: Tensor, seconds: Tensor, temperature: float) -> Tensor:
    """对每个 first 求 −log p(它自己的 second) 的平均，p 是批次中所有 second 上的 softmax，softmax 的输入是余弦 / temperature。

    firsts、seconds：(batch, hidden)，长度任意；两者的第 i 行是一对。返回只有一个数的张量。
    可以用 `F.normalize` 和 `F.cross_entropy`。

    15 分钟，中等。
    """
    cosines = F.normalize(firsts, dim=-1) @ F.normalize(seconds, dim=-1).T  # (batch, batch)
    return F.cross_entropy(cosines / temperature, torch.arange(len(firsts)))


def mean_reciprocal_rank(scores: Tensor) -> float:
    """对每个问题求 1 / 正确候选的名次，再取平均：总是第一名，就是 1.0。

    scores：(questions, questions)；问题 i 的正确候选是候选 i。它的名次是 1 加上分数比它高的候选的个数。

    10 分钟，中等。
    """
    higher = (scores > scores.diagonal()[:, None]).sum(1)  # (questions)
    return float((1 / (1 + higher)).mean())


# en: module=a082b664 mean_pool=96de7a73 max_pool=d02caa93 contrast_loss=2764621b mean_reciprocal_rank=244bed4c
