"""From the scores of a question's windows to answers in its context.

    score(i, j) = start score of i + end score of j        i ≤ j < i + longest, both pieces of the context

The best spans of all windows compete; one that stands in two windows counts with its better score. Where no answer is allowed, the
score of none is start + end of [CLS], the smallest over the windows: each of them must say that it has nothing. No answer wins
when it beats the best span by more than a threshold. A candidate's probability is the softmax over the candidates.

Source: Devlin et al. 2019, §4.2 and §4.3. Google's run_squad looks only at the 20 best starts and ends; here every span competes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .answer_windows import AnswerWindow
from .question_answering import Question

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """An answer, context[start:end]; empty for "no answer"."""

    text: str
    start: int
    end: int
    score: float
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What is answered to a question, "" for no answer, and the candidates, the likeliest first.

    no_answer_score: score of no answer minus the best span's; the larger, the surer that there is none.
    """

    id: str
    text: str
    candidates: tuple[Candidate, ...]
    no_answer_score: float


def answers_to(
    questions: Sequence[Question],
    windows: Sequence[AnswerWindow],
    start_logits: Sequence[Any],
    end_logits: Sequence[Any],
    *,
    n_best: int = 20,
    longest: int = 30,
    allow_no_answer: bool = False,
    threshold: float = 0.0,
) -> list[Prediction]:
    """One prediction for each question that has a window, in their order.

    start_logits, end_logits: for each window, the scores of its positions (a list, an array, a row of a tensor); padding may follow.
    n_best: how many candidates to keep. longest: pieces an answer may have.
    Raises ValueError if the scores are fewer than the windows or shorter than them.
    """
    if not len(windows) == len(start_logits) == len(end_logits):
        raise ValueError(
            f"{len(windows)} windows need as many rows of scores: there are {len(start_logits)} and {len(end_logits)}."
        )
    if n_best < 1 or longest < 1:
        raise ValueError(f"n_best and longest must be at least 1; they are {n_best} and {longest}.")
    spans: dict[int, dict[tuple[int, int], float]] = {}
    none: dict[int, float] = {}
    for window, start_row, end_row in zip(windows, start_logits, end_logits, strict=True):
        start, end = _scores(start_row, window), _scores(end_row, window)
        best = spans.setdefault(window.question, {})
        for span, score in _best_spans(window, start, end, n_best, longest):
            best[span] = max(score, best.get(span, -np.inf))
        none[window.question] = min(float(start[0] + end[0]), none.get(window.question, np.inf))
    return [
        _prediction(question, spans[number], none[number], n_best, allow_no_answer, threshold)
        for number, question in enumerate(questions)
        if number in spans
    ]


def _scores(row: Any, window: AnswerWindow) -> Scores:
    values = row.detach().cpu().float().numpy() if hasattr(row, "detach") else row
    scores = np.asarray(values, dtype=np.float64)[: len(window.offsets)]
    if len(scores) < len(window.offsets):
        raise ValueError(f"A window of {len(window.offsets)} positions has {len(scores)} scores.")
    return scores


def _best_spans(
    window: AnswerWindow, start: Scores, end: Scores, n_best: int, longest: int
) -> Iterator[tuple[tuple[int, int], float]]:
    """((first, last) character, score) of the best spans of a window."""
    places = np.array([place for place, offset in enumerate(window.offsets) if offset is not None], dtype=np.int64)
    if not len(places):
        return
    scores = start[places][:, None] + end[places][None, :]  # (context pieces, context pieces)
    length = np.arange(len(places))[None, :] - np.arange(len(places))[:, None] + 1
    scores[(length < 1) | (length > longest)] = -np.inf
    for index in np.argsort(-scores, axis=None, kind="stable")[:n_best]:
        first, last = np.unravel_index(index, scores.shape)
        begin, stop = window.offsets[places[first]], window.offsets[places[last]]
        if np.isfinite(scores[first, last]) and begin is not None and stop is not None:
            yield (begin[0], stop[1]), float(scores[first, last])


def _prediction(
    question: Question,
    spans: dict[tuple[int, int], float],
    none: float,
    n_best: int,
    allow_no_answer: bool,
    threshold: float,
) -> Prediction:
    best = sorted(spans.items(), key=lambda item: (-item[1], item[0]))[:n_best]
    no_answer_score = none - best[0][1] if best else np.inf
    if allow_no_answer or not best:
        best.append(((0, 0), none))
        best.sort(key=lambda item: -item[1])
    scores = np.array([score for _, score in best])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    candidates = tuple(
        Candidate(question.context[begin:stop], begin, stop, score, float(share))
        for ((begin, stop), score), share in zip(best, shares, strict=True)
    )
    answered = next((candidate.text for candidate in candidates if candidate.text), "")
    text = "" if allow_no_answer and no_answer_score > threshold else answered
    return Prediction(question.id, text, candidates, float(no_answer_score))
