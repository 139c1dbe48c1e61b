"""第 11 章的练习，预训练一个小 BERT。用 `minibert check 11` 检查。"""

import math


def unigram_entropy(counts: dict[str, int]) -> float:
    """H = − Σ p(word) log p(word)，log 以 e 为底：知道每个词出现得多频繁的猜测者，每词付出的代价。

    counts：每个词出现的次数；有的可能是 0。p 是一个词占全部的份额。

    10 分钟，中等。
    """
    raise NotImplementedError


def reader(read: list[str], place: int, word: str, language: dict[tuple[str, ...], float]) -> float:
    """懂得整种语言、看到 `read` 的读者，认为 `place` 处是 `word` 有多大可能。

    read：各个词，有的是 "[MASK]"，`place` 处便是其一。language：每个句子及其可能性。
    一个句子若与 `read` 一样长，并且在没有 "[MASK]" 的地方词都相同，就算相符。
    在所有相符的句子（至少有一个）的概率里，返回 `place` 处是 `word` 的那些所占的份额。

    15 分钟，难。
    """
    raise NotImplementedError


def fell_through(losses: list[float], line: float, smoothing: float) -> int | None:
    """平滑后的损失第一次低于那条线的步；没有则为 None。步数从 1 数起。

    第一步，平滑后的损失就是损失；此后每一步是
    smoothing · (到目前为止平滑后的损失) + (1 − smoothing) · (这一步的损失)。

    10 分钟，中等。
    """
    raise NotImplementedError


def length_at(step: int, steps: int, phases: list[tuple[int, float]]) -> int:
    """训练中某一步，一行有多少个子词；步数从 1 数到 `steps`。

    phases：(长度, 占步数的份额)，一个接一个；份额之和是 1。一个阶段的最后一步是
    round(steps · 到它为止（含它）的份额之和)。

    10 分钟，中等。
    """
    raise NotImplementedError


# en: module=bb46f77a unigram_entropy=d36d3b77 reader=7c3ccff4 fell_through=8c3c1c90 length_at=519ea9a0
