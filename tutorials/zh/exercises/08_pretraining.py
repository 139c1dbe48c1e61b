"""第 8 章的练习，预训练。用 `minibert check 8` 检查。"""

import torch
import torch.nn.functional as F
from torch import Tensor


def labels_for(ids: list[int], chosen: list[int]) -> list[int]:
    """要猜什么：选中的位置上是原来的 id，其余位置都是 −100。

    3 分钟，容易。
    """
    raise NotImplementedError


def hide(ids: list[int], chosen: list[int], draws: list[float], mask_id: int, random_ids: list[int]) -> list[int]:
    """模型读到的是什么。第 k 个选中的位置，由 draws[k]（从 0 到小于 1 的数）决定它的命运：

    小于 0.8：变成 mask_id；0.8 到小于 0.9：变成 random_ids[k]；0.9 以上：不变。
    其余位置都不变。返回一个新的列表。

    15 分钟，中等。
    """
    raise NotImplementedError


def masked_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """−log p(label) 的平均，p 是分数沿词表的 softmax，对标签不是 −100 的位置求平均。

    scores：(batch, seq, vocab)。labels：(batch, seq) 的 int64，至少有一个不是 −100。返回只有一个数的张量。
    分数可能相差几百。不要用 `F.cross_entropy` 和 PyTorch 的其他损失：这个练习就是要把它写出来。

    15 分钟，难。
    """
    raise NotImplementedError


def pretraining_loss(word_scores: Tensor, labels: Tensor, next_scores: Tensor, next_label: Tensor) -> Tensor:
    """BERT 的损失：遮住的词的损失，加上下一句的损失。可以用 `F.cross_entropy`：它会跳过 −100。

    word_scores：(batch, seq, vocab)。labels：(batch, seq)。next_scores：(batch, 2)。next_label：(batch)。

    5 分钟，容易。
    """
    raise NotImplementedError


# en: module=22cbe805 labels_for=d4a004f6 hide=af30afda masked_loss=e753c803 pretraining_loss=bc529a47
