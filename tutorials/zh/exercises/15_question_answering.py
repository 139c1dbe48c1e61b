"""第 15 章的练习，问答。用 `minibert check 15` 检查。"""

from torch import Tensor


def answer_positions(offsets: list[tuple[int, int] | None], begin: int, end: int) -> tuple[int, int]:
    """子词与答案 context[begin:end] 有共同字符的第一个和最后一个位置。

    offsets：每个位置的子词对应上文的哪些字符，(4, 7) 表示字符 4、5、6；[CLS]、[SEP] 和问题是 None。
    若没有子词与答案有共同字符：(0, 0)。

    10 分钟，中等。
    """
    raise NotImplementedError


def windows(length: int, room: int, shared: int) -> list[tuple[int, int]]:
    """把 `length` 个子词的上文分成窗口，每个最多 `room` 个，与前一个共有 `shared` 个：各窗口的 (start, stop)。

    子词 `stop` 是第一个不在窗口里的。最后一个窗口在上文结束处结束，可以短一些；它后面不再有窗口。
    shared 小于 room，length 至少为 1。

    15 分钟，难。
    """
    raise NotImplementedError


def best_span(start: Tensor, end: Tensor, in_context: Tensor, longest: int) -> tuple[int, int]:
    """使 start[i] + end[j] 最大的位置 (i, j)，其中 i ≤ j，两者都在上文里，i 到 j 最多 `longest` 个子词。

    start、end：(seq) 的分数。in_context：(seq) 的 bool，至少有一个为 True。

    20 分钟，难。
    """
    raise NotImplementedError


def f1(predicted: list[str], true: list[str]) -> float:
    """2 n / (预测的词数 + 真实的词数)，n 是两边共有的词，每个词按它在两边都出现的次数计。

    其中一边没有词时：另一边也没有则为 1.0，否则为 0.0。

    10 分钟，中等。
    """
    raise NotImplementedError


# en: module=c7fae589 answer_positions=35940888 windows=a35a52e8 best_span=f0279118 f1=453a3e07
