"""第 1 章的练习，一页纸的 BERT。用 `minibert check 1` 检查。"""

import math

import torch
from torch import Tensor


def blanks(ids: list[int], mask_id: int) -> list[int]:
    """一段文本里所有空位的位置：`ids` 等于 `mask_id` 的地方，从 0 数起，依次排列。

    3 分钟，容易。
    """
    raise NotImplementedError


def likeliest(scores: Tensor, place: int, count: int) -> list[int]:
    """某个位置上分数最高的 `count` 个词的 id，最可能的在前。

    scores：(seq, vocab)，文本的每个位置一行。

    5 分钟，容易。
    """
    raise NotImplementedError


def surprise(scores: Tensor, word: int) -> float:
    """模型对一个词有多意外：−log p(word)，p = softmax(scores)，log 以 e 为底。不小于 0。

    scores：(vocab)，某个位置上的分数，还没有经过 softmax；它们可能相差几百。

    10 分钟，中等。
    """
    raise NotImplementedError


def perplexity(surprises: list[float]) -> float:
    """模型相当于在多少个同样可能的词之间拿不定主意：e 的“平均惊讶度”次方。

    5 分钟，容易。
    """
    raise NotImplementedError


# en: module=90ab345f blanks=b0ab5bac likeliest=365ed024 surprise=a343ecd9 perplexity=391568fd
