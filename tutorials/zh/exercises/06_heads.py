"""第 6 章的练习，池化层与预测的任务头。用 `minibert check 6` 检查。"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def pool(hidden_states: Tensor, dense: nn.Linear) -> Tensor:
    """第一个位置 [CLS] 的 tanh(W h + b)。

    hidden_states：(batch, seq, hidden)。返回 (batch, hidden)。

    5 分钟，容易。
    """
    raise NotImplementedError


def transform(hidden_states: Tensor, dense: nn.Linear, norm: nn.LayerNorm) -> Tensor:
    """LayerNorm(gelu(W h + b))：每个位置与各个词相比之前要经过的变换。

    5 分钟，容易。
    """
    raise NotImplementedError


def word_scores(transformed: Tensor, word_embeddings: Tensor, bias: Tensor) -> Tensor:
    """每个位置上每个词的分数：transformed · 词的嵌入 + 词的偏置。

    transformed：(batch, seq, hidden)。word_embeddings：(vocab, hidden)。bias：(vocab)。返回 (batch, seq, vocab)。

    5 分钟，容易。
    """
    raise NotImplementedError


def count_parameters(named: dict[str, Tensor]) -> int:
    """一个模型要学多少个数。有两个名字的张量是同一个张量：只数一次。

    10 分钟，中等。
    """
    raise NotImplementedError


# en: module=557ae1c3 pool=0f24600b transform=cc1ee996 word_scores=1f6c9158 count_parameters=88788e62
