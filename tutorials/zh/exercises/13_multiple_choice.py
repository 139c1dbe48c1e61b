"""第 13 章的练习，多项选择。用 `minibert check 13` 检查。"""

import torch
from torch import Tensor


def pairs_of(context: str, beginning: str, endings: list[str]) -> list[tuple[str, str]]:
    """模型为一道题要读的句对：(context, "beginning ending")，每个结尾一个，依次排列。

    开头与结尾之间有一个空格。开头可能为空；这时第二段文本只有结尾。

    5 分钟，容易。
    """
    raise NotImplementedError


def flatten(ids: Tensor) -> Tensor:
    """(batch, choices, seq) → (batch · choices, seq)，同一道题的选项相邻。

    5 分钟，容易。
    """
    raise NotImplementedError


def logits_of(scores: Tensor, choices: int) -> Tensor:
    """(batch · choices, 1) 的分数，次序与 `flatten` 给出的相同 → (batch, choices)。

    5 分钟，容易。
    """
    raise NotImplementedError


def choice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """−log p(正确选项) 对各题的平均，p 是在一道题的选项之间做的 softmax。

    logits：(batch, choices)。labels：(batch) 的 int64。返回只有一个数的张量。logits 可能相差几百。
    不要用 `F.cross_entropy` 和 PyTorch 的其他损失。

    10 分钟，中等。
    """
    raise NotImplementedError


# en: module=fbb82066 pairs_of=6029eafa flatten=f58ac237 logits_of=6bbf41cd choice_loss=137735ac
