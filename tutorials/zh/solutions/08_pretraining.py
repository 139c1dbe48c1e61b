"""第 8 章的练习，预训练。用 `minibert check 8` 检查。"""

import torch
import torch.nn.functional as F
from torch import Tensor


def labels_for(ids: list[int], chosen: list[int]) -> list[int]:
    """要猜什么：选中的位置上是原来的 id，其余位置都是 −100。

    3 分钟，容易。
    """
    return [piece if place in chosen else -100 for place, piece in enumerate(ids)]


def hide(ids: list[int], chosen: list[int], draws: list[float], mask_id: int, random_ids: list[int]) -> list[int]:
    """模型读到的是什么。第 k 个选中的位置，由 draws[k]（从 0 到小于 1 的数）决定它的命运：

    小于 0.8：变成 mask_id；0.8 到小于 0.9：变成 random_ids[k]；0.9 以上：不变。
    其余位置都不变。返回一个新的列表。

    15 分钟，中等。
    """
    read = list(ids)
    for place, draw, random_id in zip(chosen, draws, random_ids, strict=True):
        if draw < 0.8:
            read[place] = mask_id
        elif draw < 0.9:
            read[place] = random_id
    return read


def masked_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """−log p(label) 的平均，p 是分数沿词表的 softmax，对标签不是 −100 的位置求平均。

    scores：(batch, seq, vocab)。labels：(batch, seq) 的 int64，至少有一个不是 −100。返回只有一个数的张量。
    分数可能相差几百。不要用 `F.cross_entropy` 和 PyTorch 的其他损失：这个练习就是要把它写出来。

    15 分钟，难。
    """
    asked = labels != -100  # (batch, seq)
    log_probabilities = torch.log_softmax(scores[asked], dim=-1)  # (提问的位置, vocab)
    return -log_probabilities.gather(-1, labels[asked][:, None]).mean()


def pretraining_loss(word_scores: Tensor, labels: Tensor, next_scores: Tensor, next_label: Tensor) -> Tensor:
    """BERT 的损失：遮住的词的损失，加上下一句的损失。可以用 `F.cross_entropy`：它会跳过 −100。

    word_scores：(batch, seq, vocab)。labels：(batch, seq)。next_scores：(batch, 2)。next_label：(batch)。

    5 分钟，容易。
    """
    words = F.cross_entropy(word_scores.flatten(0, 1), labels.flatten())
    return words + F.cross_entropy(next_scores, next_label)


# en: module=22cbe805 labels_for=ca03a107 hide=1b47c6ab masked_loss=0914dda9 pretraining_loss=fa812558
