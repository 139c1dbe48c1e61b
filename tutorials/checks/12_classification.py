"""Checks of chapter 12: kinds of labels, and what they cost."""

import math
import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import NO_GRADIENT, Case, Checked, gradient_of
from minibert import BertConfig, BertForSequenceClassification
from minibert.tasks.metrics import pearson

INTEGERS = (torch.int64, torch.int32)
ONE, MANY, NUMBER = "single_label_classification", "multi_label_classification", "regression"


def check_problem_type(problem_type: Callable[[int, Tensor], str]) -> Checked:
    for columns, labels in (
        (3, torch.tensor([2, 0])),
        (3, torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])),
        (1, torch.tensor([0.5, 3.0])),
        (2, torch.tensor([1, 0])),
        (1, torch.tensor([3, 1])),
        (3, torch.tensor([2, 1], dtype=torch.int32)),
        (4, torch.tensor([0, 1])),
        (3, torch.tensor([[0, 1, 1], [0, 0, 1]])),
        (2, torch.tensor([[True, False], [True, True]])),
        (3, torch.tensor([[1, 0, 1], [0, 0, 1]], dtype=torch.int16)),
        (2, torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)),
        (2, torch.tensor([[1.0, 0.0], [0.0, 0.0]])),
    ):
        expected = _librarys(columns, labels)
        mistakes = {
            "One label column means a number, whatever dtype the labels have: look at num_labels first.": (
                MANY if labels.dtype not in INTEGERS else ONE
            ),
            "Labels of an integer dtype are a class each, and all others yes and no for every label; these are swapped.": (
                {ONE: MANY, MANY: ONE, NUMBER: NUMBER}[expected]
            ),
            "Real numbers need not mean regression: with several columns they are yes and no for every label.": (
                NUMBER if columns == 1 or labels.dtype not in INTEGERS else ONE
            ),
            "Two columns are two classes, not a single one.": NUMBER if columns == 2 else expected,
            "The dtype is looked at before the number of columns: one column means regression, whatever the labels are.": (
                ONE if labels.dtype in INTEGERS else expected
            ),
            "The shape of the labels is looked at; their dtype decides.": (
                NUMBER if columns == 1 else MANY if labels.dim() > 1 else ONE
            ),
            "The values are looked at; the dtype decides: 0.0 and 1.0 are real numbers, 0 and 1 are integers.": (
                NUMBER if columns == 1 else MANY if bool((labels <= 1).all()) else ONE
            ),
            "Two columns are taken for one label of two classes, whatever the dtype.": ONE
            if columns == 2
            else expected,
            "Labels of bool are yes and no for every label; of the dtypes that are no real numbers, only int64 and int32 are classes.": (
                expected if columns == 1 or labels.is_floating_point() else ONE
            ),
            "int32 is a class each, as int64 is.": MANY if labels.dtype == torch.int32 else expected,
            "int16 is not among the dtypes of classes: those are int64 and int32.": (
                ONE if labels.dtype == torch.int16 else expected
            ),
            "bool is not among the dtypes of classes: those are int64 and int32.": (
                ONE if labels.dtype == torch.bool else expected
            ),
            "The number of labels is compared with the number of texts; the dtype decides.": (
                NUMBER if columns == 1 else ONE if labels.numel() == len(labels) else MANY
            ),
        }
        given = f"num_labels {columns}, labels {labels.tolist()}"
        yield Case(problem_type(columns, labels.clone()), expected, mistakes, given)


def check_yes_and_no(yes_and_no: Callable[[list[str], list[str]], list[float]]) -> Checked:
    known = ["sport", "music", "weather", "food", "sports car", "seafood"]
    draw = random.Random(1)
    for number in (2, 1, 0, 6, 3, 4):
        names = ["seafood", "food", "food", "sports car"] if number == 4 else draw.sample(known, number)
        if number == 1:
            names = ["sports car"]
        expected = [float(name in names) for name in known]
        mistakes = {
            "It is the wrong way round: 1.0 is for the labels that the text has.": [1.0 - value for value in expected],
            "These are the numbers of the labels; asked for is a yes or no for every one.": (
                [known.index(name) for name in names]
            ),
            "These are yes and no for the text's own labels only; the row is as long as the list of known ones.": [1.0] * number,
            "These are whole numbers, or True and False; the loss wants 1.0 and 0.0.": [name in names for name in known],
            "The labels are told in alphabetical order; it is that of `known`.": [float(name in names) for name in sorted(known)],
            "A label that the text has twice counts once: 1.0, and not 2.0.": [float(names.count(name)) for name in known],
            "A label counts where another one holds it: names are compared as a whole.": (
                [float(any(name in mine for mine in names)) for name in known]
            ),
            "A label counts where it holds another one: names are compared as a whole.": (
                [float(any(mine in name for mine in names)) for name in known]
            ),
            "Names are compared by their beginnings; they are compared as a whole.": (
                [float(any(mine.startswith(name) for mine in names)) for name in known]
            ),
            "Every label is a yes.": [1.0] * len(known),
            "Every label is a no.": [0.0] * len(known),
            "The last known label is missing.": expected[:-1],
            "Only the first label of the text is told.": [float(name in names[:1]) for name in known],
            "The yeses share one unit, as for softmax; each of them is a full 1.0.": (
                [value / max(1, number) for value in expected]
            ),
        }  # fmt: skip
        given = f"labels {names} of {known}"
        result = yes_and_no(list(names), list(known))
        if isinstance(result, list) and any(type(value) is int for value in result) and result == expected:
            return f"{given}: These are whole numbers; the loss wants 1.0 and 0.0."
        yield Case(result, expected, mistakes, given)
    try:
        yes_and_no(["food", "fashion"], known)
    except ValueError:
        return None
    except KeyError:
        return "The label 'fashion' is not known, and a KeyError is raised; a ValueError is asked for."
    return "The label 'fashion' is not known, and no ValueError is raised: a typing error would go unseen."


def check_many_labels_loss(many_labels_loss: Callable[[Tensor, Tensor], Tensor]) -> Checked:
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
            "The sum is divided by the number of texts; the mean is over texts and labels.": each.sum() / batch,
            "The sum is divided by the number of labels; the mean is over texts and labels.": each.sum() / labels,
            "The logits themselves are taken for probabilities; σ makes them some.": (
                -(targets * logits.abs().log() + (1 - targets) * (1 - logits).abs().log()).mean()
            ),
            "σ is taken twice.": F.binary_cross_entropy_with_logits(yes, targets),
            "The two are subtracted; they are added.": -(targets * yes.log() - (1 - targets) * (1 - yes).log()).mean(),
            "log(1 − σ) is log σ here: the second part asks for the opposite.": -(yes.log()).mean(),
            "The weights y and 1 − y are missing.": -(yes.log() + (1 - yes).log()).mean(),
            "The second part is not weighed by 1 − y.": -(targets * yes.log() + (1 - yes).log()).mean(),
            "The first part is not weighed by y.": -(yes.log() + (1 - targets) * (1 - yes).log()).mean(),
            "tanh stands where σ is asked for.": (
                -(targets * logits.tanh().abs().log() + (1 - targets) * (1 - logits.tanh()).log()).mean()
            ),
            "The logarithm is to the base 2; asked for is the base e.": expected / math.log(2),
            "The logarithm is taken of the mean; asked for is the mean of logarithms.": (
                -(targets * yes + (1 - targets) * (1 - yes)).mean().log()
            ),
            "The mean is over the labels that the texts have.": each.sum() / targets.sum(),
            "The logarithm is missing.": -(targets * yes + (1 - targets) * (1 - yes)).mean(),
            "This is the squared error, which is for numbers.": ((yes - targets) ** 2).mean(),
        }  # fmt: skip
        given = f"logits of shape {tuple(logits.shape)}"
        yield Case(many_labels_loss(logits.clone(), targets.clone()), expected, mistakes, given)
    yield Case(
        gradient_of(lambda logits: many_labels_loss(logits, targets.clone()), logits),
        gradient_of(lambda logits: F.binary_cross_entropy_with_logits(logits, targets), logits),
        {NO_GRADIENT: None},
        "the gradient",
    )
    for size in (30.0, 200.0):
        logits, targets = torch.tensor([[size, -size, 1.0]]), torch.tensor([[0.0, 1.0, 1.0]])
        given = f"logits {logits.tolist()[0]}, targets {targets.tolist()[0]}"
        mistakes = {
            "σ of such a logit is 1 (or 0) as a float, and its logarithm is lost. log σ(x) = −log(1 + e⁻ˣ), F.logsigmoid, stays finite; 1 − σ(x) = σ(−x).": (
                -(targets * logits.sigmoid().log() + (1 - targets) * (1 - logits.sigmoid()).log()).mean()
            ),
            "e to such a logit is more than a float holds. F.logsigmoid stays finite; 1 − σ(x) = σ(−x).": (
                ((1 - targets) * logits + (1 + (-logits).exp()).log()).mean()
            ),
            "The probability is kept away from 0 and 1, which makes the loss of such a logit too small.": _clamped(
                logits, targets, 1e-7
            ),
            "The probability is kept from 0 and 1, and makes the loss of such a logit too small.": _clamped(logits, targets, 1e-6),
        }  # fmt: skip
        yield Case(
            many_labels_loss(logits.clone(), targets.clone()),
            F.binary_cross_entropy_with_logits(logits, targets),
            mistakes,
            given,
        )


def _clamped(logits: Tensor, targets: Tensor, least: float) -> Tensor:
    yes = logits.sigmoid().clamp(least, 1 - least)
    return -(targets * yes.log() + (1 - targets) * (1 - yes).log()).mean()


def check_correlation(correlation: Callable[[list[float], list[float]], float]) -> Checked:
    draw = random.Random(3)
    for count, slope in ((3, 0.5), (6, -0.5), (10, -1.0), (5, 0.1)):
        x = [draw.uniform(0, 5) for _ in range(count)]
        y = [slope * value + draw.uniform(-2, 3) for value in x]
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
            "The sign is lost: a falling line has a correlation below 0.": abs(expected),
            "The sign is turned round.": -expected,
            "It is divided by the number of examples once more: the spreads are sums, and the covariance a mean.": (
                expected / count
            ),
            "The spread is divided by count − 1 in one place and the products by count in another.": expected * (count - 1) / count,
            "The products are divided by count − 1, and the spreads are not.": expected / (count - 1),
            "The products are divided by count − 1 in one place and the spreads by count in another.": expected * count / (count - 1),
            "The mean is taken away from the predictions only.": (
                sum(a * b for a, b in zip(dx, y, strict=True)) / (math.sqrt(xx * sum(b * b for b in y)))
            ),
            "The mean is taken away from the labels only.": (
                sum(a * b for a, b in zip(x, dy, strict=True)) / (math.sqrt(yy * sum(a * a for a in x)))
            ),
            "The means are not taken away above the line.": sum(a * b for a, b in zip(x, y, strict=True)) / math.sqrt(xx * yy),
            "The sizes are multiplied, so that nothing cancels: the signs are lost.": (
                sum(abs(a * b) for a, b in zip(dx, dy, strict=True)) / math.sqrt(xx * yy)
            ),
            "The spread is the product of the mean sizes; it is the root of the two sums of squares.": (
                product / (sum(map(abs, dx)) * sum(map(abs, dy)))
            ),
            "This is the correlation of ranks, Spearman's.": _of_ranks(x, y),
            "This is the covariance, divided by count − 1.": product / (count - 1),
            "The root is taken of one sum only.": product / (xx * math.sqrt(yy)),
            "The root is of the other sum only.": product / (math.sqrt(xx) * yy),
            "The spread is multiplied with; divide by it.": product * math.sqrt(xx * yy),
            "This is the square of the correlation.": expected**2,
            "The root is of the sum of the two sums; it is of their product.": product / math.sqrt(xx + yy),
        }  # fmt: skip
        yield Case(correlation(list(x), list(y)), expected, mistakes, f"{count} examples")
    for x, y in (([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]), ([1.0, 2.0], [4.0, 4.0]), ([3.0, 3.0], [5.0, 5.0])):
        given = f"predictions {x}, labels {y}"
        try:
            result = correlation(list(x), list(y))
        except ZeroDivisionError:
            return f"{given}: It divides by 0. Where all numbers are equal, nothing can be said: the result is 0.0."
        yield Case(result, pearson(x, y), {}, given)


def _of_ranks(x: list[float], y: list[float]) -> float:
    """Pearson's correlation of the places in order of size."""
    return float(pearson(*([float(sorted(values).index(value)) for value in values] for values in (x, y))))


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
    return model.kind_of(labels)
