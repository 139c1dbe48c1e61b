"""How good predictions are, as plain functions of lists, arrays or tensors. Where a formula would divide by zero the metric is 0.

    classes   accuracy, f1, matthews        numbers   pearson, spearman        words   perplexity
    entities  entity_f1                     answers   answer_scores

Sources: Gorodkin 2004; Tjong Kim Sang & De Meulder 2003, and the script `conlleval`; Rajpurkar et al. 2016 and Rajpurkar, Jia & Liang
2018, with their published evaluation scripts; for answers in Chinese Cui et al. 2019 (CMRC 2018), with theirs.
"""

import math
import re
import string
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from ..tokenization.words import CHINESE_BLOCKS, is_punctuation
from .entities import Entity as Entity, EntityScores as EntityScores, entities as entities, entity_f1 as entity_f1
from .scorable import Array, Values, two_arrays

_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_IDEOGRAPH = re.compile(f"([{''.join(f'{chr(first)}-{chr(last)}' for first, last in CHINESE_BLOCKS)}])")


def accuracy(predictions: Values, labels: Values) -> float:
    """The share of examples that are right: #(prediction = label) / #examples.

    predictions, labels: (examples,) of any kind; or (examples, labels) of 0 and 1, all of which must be right.
    """
    predicted, true = two_arrays(predictions, labels, (1, 2), of="classes")
    right = predicted == true
    return float(np.mean(right if right.ndim == 1 else right.all(axis=1)))


def f1(predictions: Values, labels: Values, average: str = "macro", positive: Any = 1) -> float:
    """F1, the harmonic mean of precision and recall.

        F1 = 2 TP / (2 TP + FP + FN)        TP: predicted and true, FP: predicted only, FN: true only

    predictions, labels: (examples,), a class each; or (examples, labels) of 0 and 1, several labels each.
    average: "macro", the mean of every class's F1, the classes being those that occur in either; "micro", F1 of the
        counts of all classes together, which for one class each is the accuracy; "binary", F1 of the class `positive`.
    """
    if average not in ("macro", "micro", "binary"):
        raise ValueError(f"average={average!r} is not known. Choose one of 'macro', 'micro', 'binary'.")
    predicted, true = two_arrays(predictions, labels, (1, 2), of="classes")
    if average == "binary" and isinstance(positive, str) != (predicted.dtype.kind == "U"):
        raise ValueError(f"positive={positive!r} is none of the classes, which are such as {true.tolist()[0]!r}.")
    if predicted.ndim == 1:
        classes = np.array([positive]) if average == "binary" else np.union1d(predicted, true)
        predicted, true = predicted[:, None] == classes, true[:, None] == classes
    elif average == "binary":
        raise ValueError("average='binary' is for one class each. Choose 'macro' or 'micro' for several labels.")
    predicted, true = predicted != 0, true != 0  # (examples, classes)
    hits, errors = (predicted & true).sum(axis=0), (predicted ^ true).sum(axis=0)  # TP and FP + FN of each class
    if average == "micro":
        hits, errors = hits.sum(), errors.sum()
    return float(np.mean(np.where(hits + errors > 0, 2 * hits / np.maximum(2 * hits + errors, 1), 0.0)))


def matthews(predictions: Values, labels: Values) -> float:
    """Matthews' correlation: 1 all right, 0 no better than chance, −1 (two classes) all wrong.

        MCC = (c n − Σ_k p_k t_k) / √((n² − Σ_k p_k²) (n² − Σ_k t_k²))

    c: right examples, n: examples, p_k and t_k: how often class k is predicted and true. 0 where all predictions, or all
    labels, are one class. Source: Gorodkin 2004 (many classes); for two it is Matthews 1975. predictions, labels: (examples,).
    """
    predicted, true = two_arrays(predictions, labels, of="classes")
    p, t = Counter(predicted.tolist()), Counter(true.tolist())
    n, c = len(true), int((predicted == true).sum())  # Python's numbers: n⁴ does not overflow
    spread = (n * n - sum(k * k for k in p.values())) * (n * n - sum(k * k for k in t.values()))
    return float((c * n - sum(p[each] * t[each] for each in p)) / spread**0.5) if spread else 0.0


def pearson(predictions: Values, labels: Values) -> float:
    """How well a straight line maps one to the other, from −1 to 1; 0 where either is constant.

    r = Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² Σ (y − ȳ)²)        predictions, labels: (examples,) finite numbers
    """
    x, y = map(_centred, two_arrays(predictions, labels, of="numbers"))
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(np.clip(x @ y / spread, -1.0, 1.0)) if spread > 0 else 0.0


def spearman(predictions: Values, labels: Values) -> float:
    """Pearson's r of the ranks, equal numbers having their mean rank. predictions, labels: (examples,) finite numbers."""
    ranks = []
    for values in two_arrays(predictions, labels, of="numbers"):
        _, groups, counts = np.unique(values, return_inverse=True, return_counts=True)
        last = np.cumsum(counts)  # the rank, from 1, of the last of each group of equals
        ranks.append((last - (counts - 1) / 2)[groups.reshape(-1)])
    return pearson(*ranks)


def _centred(numbers: Array) -> Array:
    """Differences from the mean, in units of the largest, so that no square overflows or vanishes; 0 for a constant."""
    numbers = numbers.astype(np.float64)
    if numbers.min() == numbers.max():  # the mean of equal numbers need not be that number
        return np.zeros_like(numbers)
    numbers = numbers / np.abs(numbers).max()
    numbers = numbers - numbers.mean()
    return numbers / np.abs(numbers).max()


def perplexity(losses: Values, counts: Values | None = None) -> float:
    """The number of equally likely words that would leave the model as uncertain.

        perplexity = exp(Σ_i n_i loss_i / Σ_i n_i)

    losses: (batches,), each the mean −log p(word) of a batch, in nats. counts: (batches,), the words n_i of each mean; None
    where all have the same. A batch of no words counts for nothing, even if its loss is NaN. Raises ValueError if none has any.
    """
    arrays = two_arrays(losses, np.ones(np.shape(losses)) if counts is None else counts)
    means, words = (array.astype(np.float64) for array in arrays)
    if (words < 0).any() or not words.sum() > 0:
        raise ValueError("counts must be at least 0 and not all 0: there are no words to score.")
    if not (means[words > 0] > -1e-6).all():  # NaN is not, either
        raise ValueError(
            "losses must be means of −log p, at least 0; some are negative or NaN. Of log p change the sign."
        )
    mean = float(np.average(means[words > 0], weights=words[words > 0]))
    return math.exp(mean) if mean < math.log(sys.float_info.max) else math.inf


@dataclass(frozen=True)
class AnswerScores:
    """Means, from 0 to 1, of all questions, and of those with and without an answer, if any."""

    exact_match: float
    f1: float
    questions: int
    answerable: "AnswerScores | None" = None
    unanswerable: "AnswerScores | None" = None


def normalize_answer(text: str) -> str:
    """What is compared: lower case, no ASCII punctuation, no articles, single spaces, in this order. Raises ValueError for no text.

    In a text with Chinese characters each is a word, and punctuation of every kind goes: the rule of CMRC 2018.
    """
    if not isinstance(text, str):
        raise ValueError(f"An answer must be a text, and is {text!r}. Of SQuAD's answers give each its 'text'.")
    if _IDEOGRAPH.search(text):
        text = _IDEOGRAPH.sub(r" \1 ", "".join(char for char in text if not is_punctuation(char)))
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(prediction: str, truth: str) -> float:
    """1.0 if the normalized answers are equal, else 0.0."""
    return float(normalize_answer(prediction) == normalize_answer(truth))


def answer_f1(prediction: str, truth: str) -> float:
    """F1 of the normalized answers' words: 2 n / (words predicted + words true), n: words in both, each as often as in both.

    Where one has no word left, 1.0 if the other has none either, else 0.0: the rule of SQuAD 2.0. With Chinese characters n is the
    length of the longest run of words that both have, as in CMRC 2018: single characters stand in any two texts.
    """
    predicted, true = normalize_answer(prediction).split(), normalize_answer(truth).split()
    if not predicted or not true:
        return float(predicted == true)
    common = (Counter(predicted) & Counter(true)).total()
    if _IDEOGRAPH.search(prediction + truth):
        common = SequenceMatcher(None, predicted, true, autojunk=False).find_longest_match().size
    return 2 * common / (len(predicted) + len(true))


def answer_scores(predictions: Mapping[str, str], truths: Mapping[str, Iterable[str]]) -> AnswerScores:
    """Score predictions, question id → text, against the true answers, id → texts, of which the best counts.

    No texts mean that there is no answer, which "" predicts. True answers of which normalizing leaves nothing are ignored, as in the
    script of SQuAD 2.0.
    """
    if missing := [question for question in truths if question not in predictions]:
        count = f"{len(missing)} of {len(truths)} questions have no prediction"
        raise ValueError(f"{count}, {missing[0]!r} first. Predict '' for no answer.")
    if not truths:
        raise ValueError("There are no questions to score.")
    answerable, unanswerable = list[tuple[float, float]](), list[tuple[float, float]]()
    for question, answers in truths.items():
        if isinstance(answers, str | Mapping) or not isinstance(predictions[question], str):
            raise ValueError(f"The question {question!r} must have a list of true answers and one predicted text.")
        prediction, kept = predictions[question], list(filter(normalize_answer, answers))
        exact, best = (max(score(prediction, a) for a in kept or [""]) for score in (exact_match, answer_f1))
        (answerable if kept else unanswerable).append((exact, best))
    answered, not_answered = (_mean(scores) if scores else None for scores in (answerable, unanswerable))
    return replace(_mean(answerable + unanswerable), answerable=answered, unanswerable=not_answered)


def _mean(scores: list[tuple[float, float]]) -> AnswerScores:
    exact, best = zip(*scores, strict=True)
    return AnswerScores(sum(exact) / len(scores), sum(best) / len(scores), len(scores))
