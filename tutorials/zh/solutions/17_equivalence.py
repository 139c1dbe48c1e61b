"""第 17 章的练习，证明等价。用 `minibert check 17` 检查。"""

import math

from torch import Tensor


def how_far(x: Tensor, y: Tensor) -> tuple[float, float]:
    """(绝对, 相对)：最大的 |x − y|，以及它除以最大的 |x|。以 x 为准。

    只要 y 里有一个不是数（NaN），两者都是无穷大：这样的模型绝不能通过。x 与 y 形状相同；x 里有不为 0 的数，没有 NaN。

    10 分钟，中等。
    """
    if bool(y.isnan().any()):
        return math.inf, math.inf
    absolute = (x - y).abs().max().item()
    return absolute, absolute / x.abs().max().item()


def sum_in_pairs(numbers: list[float]) -> float:
    """前一半的和加上后一半的和，每一半也这样求和，直到单个的数。

    奇数个数时，前一半是较小的一半。至少有一个数。

    10 分钟，中等。
    """
    if len(numbers) == 1:
        return numbers[0]
    middle = len(numbers) // 2
    return sum_in_pairs(numbers[:middle]) + sum_in_pairs(numbers[middle:])


def stage_at_fault(stages: list[tuple[str, float, float]], tolerance: float) -> str | None:
    """在得到的东西相同的情况下给出不同结果的第一级的名字；没有则为 None。

    stages：按结束的次序，每一级给出（名字，得到的东西相差多远，给出的东西相差多远）。超过容差就算不同；
    距离可能是 NaN，那也算不同。

    10 分钟，中等。
    """
    for name, taken, given in stages:
        if taken <= tolerance and not given <= tolerance:
            return name
    return None


# en: module=500dd744 how_far=db1875b7 sum_in_pairs=79de17e1 stage_at_fault=793924a8
