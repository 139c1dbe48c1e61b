"""第 10 章的练习，预热与学习率调度。用 `minibert check 10` 检查。"""

import math
from collections.abc import Callable


def linear(step: int, warmup: int, total: int) -> float:
    """某一步（从 0 数起）学习率的系数：沿直线从 0 升到第 `warmup` 步的 1，再沿直线降到第 `total` 步的 0，此后一直是 0。
    预热至少有一步，且 total > warmup。

    5 分钟，容易。
    """
    raise NotImplementedError


def cosine(step: int, warmup: int, total: int) -> float:
    """同样的预热，然后是 ½ (1 + cos(π · 进度))；进度从第 `warmup` 步的 0 到第 `total` 步的 1。

    5 分钟，容易。
    """
    raise NotImplementedError


def restarts(step: int, warmup: int, total: int, cycles: int) -> float:
    """同样的预热，然后是 `cycles` 段半个余弦的下降，各从 1 降向 0，长度相同；从 `total` 起是 0。

    10 分钟，中等。
    """
    raise NotImplementedError


def rates(peak: float, factor: Callable[[int], float], steps: int) -> list[float]:
    """一次训练里的学习率，优化器每步一个：第一步用 factor(0)。

    3 分钟，容易。
    """
    raise NotImplementedError


# en: module=dc6d0d67 linear=d0cce024 cosine=9fb6b2e2 restarts=5cb31576 rates=ce34c55f
