"""第 16 章的练习，用 BERT 作解码器。用 `minibert check 16` 检查。"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def causal_mask(new: int, past: int) -> Tensor:
    """`new` 个词各自可以看什么，它们前面有 `past` 个词在缓存里：(new, past + new)，1 = 可以看，0 = 不可以。

    每个新词都看得见全部过去的词、它自己，以及它前面的新词。返回 int64。

    10 分钟，中等。
    """
    raise NotImplementedError


def shifted_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """每个词的交叉熵的平均，由它前一个位置的分数给出；标签为 −100 处不提问。

    scores：(batch, seq, vocab)。labels：(batch, seq)，就是那些词自己。返回只有一个数的张量。
    可以用 `F.cross_entropy`：它会跳过 −100。

    10 分钟，中等。
    """
    raise NotImplementedError


def greedy(next_scores: Callable[[list[int]], Tensor], ids: list[int], longest: int, end: int) -> list[int]:
    """一直接上最可能的词，直到说出结束词，或文本有了 `longest` 个词（含 `ids`）。

    next_scores(到目前为止的 ids) 给出下一个词的分数 (vocab)。返回整段文本，`ids` 在前；说出了结束词的话，
    它在最后。`ids` 本身保持不变；它比 `longest` 短。

    15 分钟，中等。
    """
    raise NotImplementedError


def top_p(scores: Tensor, p: float) -> Tensor:
    """用来抽取的概率：合起来超过 p 的、最少的几个最可能的词的概率，其余全是 0。它们的和是 1。

    scores：(vocab)。0 < p < 1。返回 (vocab)，每个词在自己的位置上。

    20 分钟，难。
    """
    raise NotImplementedError


# en: module=58d36f43 causal_mask=de97d7fb shifted_loss=db0c4fea greedy=30fa70d9 top_p=b97c023b
