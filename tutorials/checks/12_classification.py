"""Checks of chapter 12: kinds of labels, and what they cost."""

import math
import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import hint_for
from minibert import BertConfig, BertForSequenceClassification
from minibert.tasks.metrics import pearson

ONE, MANY, NUMBER = "single_label_classification", "multi_label_classification", "regression"


def check_problem_type(problem_type: Callable[[int, Tensor], str]) -> str | None:
    for columns, labels in (
        (3, torch.tensor([2, 0])),
        (3, torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])),
        (1, torch.tensor([0.5, 3.0])),
        (2, torch.tensor([1, 0])),
        (2, torch.tensor([[1.0, 0.0], [0.0, 0.0]])),
    ):
        expected = _librarys(columns, labels)
        mistakes = {
            "One label column means a number, whatever dtype the labels have: look at num_labels first.": (
                MANY if labels.is_floating_point() else ONE
            ),
            "Labels of an integer dtype are a class each, and all others yes and no for every label; these are swapped.": (
                {ONE: MANY, MANY: ONE, NUMBER: NUMBER}[expected]
            ),
            "Real numbers need not mean regression: with several columns they are yes and no for every label.": (
                NUMBER if labels.is_floating_point() else ONE
            ),
            "Two columns are two classes, not a single one.": NUMBER if columns == 2 else expected,
        }
        given = f"num_labels {columns}, labels {labels.tolist()}"
        if hint := hint_for(problem_type(columns, labels.clone()), expected, mistakes, given):
            return hint
    return None


def check_yes_and_no(yes_and_no: Callable[[list[str], list[str]], list[float]]) -> str | None:
    known = ["food", "music", "sport", "travel", "weather"]
    draw = random.Random(1)
    for number in (2, 1, 0, 5, 3):
        names = draw.sample(known, number)
        expected = [float(name in names) for name in known]
        mistakes = {
            "It is the wrong way round: 1.0 is for the labels that the text has.": [1.0 - value for value in expected],
            "These are the numbers of the labels; asked for is a yes or no for every one.": (
                [known.index(name) for name in names]
            ),
            "These are yes and no for the text's own labels only; the row is as long as the list of known ones.": [1.0] * number,
            "These are whole numbers, or True and False; the loss wants 1.0 and 0.0.": [name in names for name in known],
            "Only the first label of the text is told.": [float(name in names[:1]) for name in known],
            "The yeses share one unit, as for softmax; each of them is a full 1.0.": (
                [value / max(1, number) for value in expected]
            ),
        }  # fmt: skip
        given = f"labels {names} of {known}"
        result = yes_and_no(list(names), list(known))
        if isinstance(result, list) and any(type(value) is int for value in result) and result == expected:
            return f"{given}: These are whole numbers; the loss wants 1.0 and 0.0."
        if hint := hint_for(result, expected, mistakes, given):
            return hint
    try:
        yes_and_no(["food", "fashion"], known)
    except ValueError:
        return None
    return "The label 'fashion' is not known, and no ValueError is raised: a typing error would go unseen."


def check_many_labels_loss(many_labels_loss: Callable[[Tensor, Tensor], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(2)
    for batch, labels in ((2, 2), (3, 4), (1, 3)):
        logits = 2 * torch.randn(batch, labels, generator=generator)
        targets = (torch.rand(batch, labels, generator=generator) < 0.4).float()
        targets[0, :2] = torch.tensor([1.0, 0.0])
        expected = F.binary_cross_entropy_with_logits(logits, targets)
        each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        yes = torch.sigmoid(logits)
        soft = logits.softmax(-1)
        mistakes = {
            "The sign: a loss is not negative.": -expected,
            "This is the sum over texts and labels; asked for is the mean.": each.sum(),
            "It is summed over the labels; the mean is over texts and labels.": each.sum(-1).mean(),
            "Only the labels that the text has are counted; what it has not is to be learned too.": -(targets * yes.log()).mean(),
            "Only the labels that the text has not are counted.": -((1 - targets) * (1 - yes).log()).mean(),
            "This is softmax: labels compete with each other. σ asks of each alone.": (
                -(targets * soft.log() + (1 - targets) * (1 - soft).log()).mean()
            ),
            "This is the cross-entropy of softmax, for one class a text.": -(targets * soft.log()).sum(-1).mean(),
            "The targets are upside down: y belongs to log σ, 1 − y to log(1 − σ).": (
                F.binary_cross_entropy_with_logits(logits, 1 - targets)
            ),
            "The logarithm is missing.": -(targets * yes + (1 - targets) * (1 - yes)).mean(),
            "This is the squared error, which is for numbers.": ((yes - targets) ** 2).mean(),
        }  # fmt: skip
        given = f"logits of shape {tuple(logits.shape)}"
        if hint := hint_for(many_labels_loss(logits.clone(), targets.clone()), expected, mistakes, given):
            return hint
    return None


def check_correlation(correlation: Callable[[list[float], list[float]], float]) -> str | None:
    draw = random.Random(3)
    for count in (3, 6, 10):
        x = [draw.uniform(0, 5) for _ in range(count)]
        y = [0.5 * value + draw.uniform(-2, 3) for value in x]
        expected = pearson(x, y)
        dx, dy = ([value - sum(values) / count for value in values] for values in (x, y))
        product = sum(a * b for a, b in zip(dx, dy, strict=True))
        xx, yy = sum(a * a for a in dx), sum(b * b for b in dy)
        mistakes = {
            "The means are not taken away: this is the cosine of the two lists.": (
                sum(a * b for a, b in zip(x, y, strict=True)) / math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))
            ),
            "The root is missing below the line.": product / (xx * yy),
            "This is the covariance: it is not divided by the spread of both, and changes with the unit.": product / count,
            "It is not divided by the root of the two sums of squares.": product,
            "It is divided by the predictions' spread only: that is the slope of a line.": product / xx,
            "It is divided by the labels' spread only: that is the slope of a line.": product / yy,
            "This is the square of the correlation.": expected**2,
            "The root is of the sum of the two sums; it is of their product.": product / math.sqrt(xx + yy),
            "The sums are means in one place and sums in another: the factor is the number of examples.": expected / count,
        }  # fmt: skip
        if hint := hint_for(correlation(list(x), list(y)), expected, mistakes, f"{count} examples"):
            return hint
    for x, y in (([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]), ([1.0, 2.0], [4.0, 4.0])):
        given = f"predictions {x}, labels {y}"
        try:
            result = correlation(list(x), list(y))
        except ZeroDivisionError:
            return f"{given}: It divides by 0. Where all numbers are equal, nothing can be said: the result is 0.0."
        if hint := hint_for(result, pearson(x, y), {}, given):
            return hint
    return None


def _librarys(columns: int, labels: Tensor) -> str:
    """What the library decides."""
    config = BertConfig(
        vocab_size=9,
        hidden_size=4,
        num_attention_heads=1,
        num_hidden_layers=1,
        intermediate_size=4,
        num_labels=columns,
    )
    state = torch.random.get_rng_state()
    model = BertForSequenceClassification(config)
    torch.random.set_rng_state(state)
    model.check_kind_of_labels(labels, batch_size=2)
    return str(model.config.problem_type)
