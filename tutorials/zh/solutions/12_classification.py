"""第 12 章的练习，分类。用 `minibert check 12` 检查。"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def problem_type(num_labels: int, labels: Tensor) -> str:
    """没有人说明时，由标签看出的问题种类。

    只有一个标签列，就是 "regression"，不论标签是什么。否则，dtype 为 int64 或 int32 的标签各是一个类别，
    即 "single_label_classification"；其余的是对每个标签说是或否，即 "multi_label_classification"。

    5 分钟，容易。
    """
    if num_labels == 1:
        return "regression"
    if labels.dtype in (torch.int64, torch.int32):
        return "single_label_classification"
    return "multi_label_classification"


def yes_and_no(names: list[str], known: list[str]) -> list[float]:
    """对每个已知的标签，依次给出：它在这段文本的标签之中为 1.0，否则为 0.0。

    遇到未知的名字，抛出 ValueError。

    5 分钟，容易。
    """
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not among the labels {known}.")
    return [1.0 if name in names else 0.0 for name in known]


def many_labels_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """−[y log σ(x) + (1 − y) log(1 − σ(x))] 对文本和标签的平均，σ(x) = 1 / (1 + e⁻ˣ)。

    logits x、targets y：(batch, labels)；y 是 0.0 或 1.0。x 可能很大，比如 30 或 200，
    这时 σ(x) 作为浮点数就是 1，而损失仍是有限的。返回只有一个数的张量。
    不要用 `F.binary_cross_entropy…` 和 PyTorch 的其他损失：这个练习就是要把它写出来。可以用 `F.logsigmoid`。

    15 分钟，难。
    """
    log_yes, log_no = F.logsigmoid(logits), F.logsigmoid(-logits)  # 1 − σ(x) = σ(−x)
    return -(targets * log_yes + (1 - targets) * log_no).mean()


def correlation(predictions: list[float], labels: list[float]) -> float:
    """皮尔逊相关系数：Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² · Σ (y − ȳ)²)，x̄ 和 ȳ 是平均值。

    根号为 0 时是 0.0：所有预测相等，或所有标签相等。

    10 分钟，中等。
    """
    mean_x, mean_y = sum(predictions) / len(predictions), sum(labels) / len(labels)
    xs = [x - mean_x for x in predictions]
    ys = [y - mean_y for y in labels]
    spread = math.sqrt(sum(x * x for x in xs) * sum(y * y for y in ys))
    return sum(x * y for x, y in zip(xs, ys, strict=True)) / spread if spread > 0 else 0.0


# en: module=9775b19d problem_type=0a198699 yes_and_no=34f6d02e many_labels_loss=0c30c49f correlation=616c1948
