"""Metrics for answers in a text: exact match and F1, with SQuAD's rules.

Before two answers are compared they are lower-cased, lose ASCII punctuation and the words "a", "an" and "the", and have single spaces.

    exact match = 1 if what is left is equal, else 0
    F1 = 2 n / (words predicted + words true)        n: words in both, each as often as in both

Of several true answers the best counts. No answer is "": right only where that is the truth.

Source: Rajpurkar et al. 2016 and Rajpurkar, Jia & Liang 2018, with their published evaluation scripts.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class AnswerScores:
    """Mean exact match and F1, from 0 to 1 (the papers give percentages), of so many questions.

    answerable, unanswerable: the same for the questions with and without an answer; None where there are none of the kind.
    """

    exact_match: float
    f1: float
    questions: int
    answerable: AnswerScores | None = None
    unanswerable: AnswerScores | None = None


def normalize_answer(text: str) -> str:
    """What is compared: lower case, no ASCII punctuation, no articles, single spaces, in this order."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(prediction: str, truth: str) -> float:
    """1.0 if the normalized answers are equal, else 0.0."""
    return float(normalize_answer(prediction) == normalize_answer(truth))


def answer_f1(prediction: str, truth: str) -> float:
    """F1 of the normalized answers' words.

    Where one has no word left, 1.0 if the other has none either, else 0.0: the rule of SQuAD 2.0. (The script of 1.1 gives 0 for
    two such answers, of which its data has none.)
    """
    predicted, true = normalize_answer(prediction).split(), normalize_answer(truth).split()
    if not predicted or not true:
        return float(predicted == true)
    both = (Counter(predicted) & Counter(true)).total()
    return 2 * both / (len(predicted) + len(true))


def answer_scores(predictions: Mapping[str, str], truths: Mapping[str, Iterable[str]]) -> AnswerScores:
    """Score predictions, question id → text, against the true answers, id → texts; no texts mean that there is no answer.

    Raises ValueError for a question without a prediction. True answers of which normalizing leaves nothing are left aside, as
    the script of SQuAD 2.0 does.
    """
    missing = [question for question in truths if question not in predictions]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(truths)} questions have no prediction, {missing[0]!r} first. Predict '' for no answer."
        )
    if not truths:
        raise ValueError("There are no questions to score.")
    answerable: list[tuple[float, float]] = []
    unanswerable: list[tuple[float, float]] = []
    for question, answers in truths.items():
        kept = [answer for answer in answers if normalize_answer(answer)]
        given = predictions[question]
        exact = max(exact_match(given, answer) for answer in kept or [""])
        best = max(answer_f1(given, answer) for answer in kept or [""])
        (answerable if kept else unanswerable).append((exact, best))
    parts = [_mean(scores) if scores else None for scores in (answerable, unanswerable)]
    whole = _mean(answerable + unanswerable)
    return AnswerScores(whole.exact_match, whole.f1, whole.questions, *parts)


def _mean(scores: list[tuple[float, float]]) -> AnswerScores:
    exact, best = zip(*scores, strict=True)
    return AnswerScores(sum(exact) / len(scores), sum(best) / len(scores), len(scores))
