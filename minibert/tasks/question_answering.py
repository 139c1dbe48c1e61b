"""The stretch of a text that answers a question: `BertForQuestionAnswering`.

Files and rows: `squad.py`. From the scores of a question's windows to answers in its context:

    score(i, j) = start score of i + end score of j        i ≤ j < i + longest, both pieces of the context

The best spans of all windows compete; one that is in two windows counts with its better score. Where no answer is allowed, the
score of none is start + end of [CLS], the smallest over the windows: each of them must say that it has nothing. No answer wins
when it beats the best span by more than a threshold. A candidate's probability is the softmax over the candidates.

Scores: exact match and F1 of the answers' words, as SQuAD's script counts them. Where training questions without an answer are among
the others, as in SQuAD 2.0, "no answer" is an answer too.
Source: Devlin et al. 2019, §4.2 and §4.3. Google's run_squad considers only the 20 best starts and ends; here every span competes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..heads import BertForQuestionAnswering
from ..outputs import ModelOutput
from ..tokenization import BertTokenizer
from ..tokenization.alignment import with_marks
from .metrics import answer_scores
from .squad import (
    ANSWER_PIECES,
    QUESTION_PIECES,
    SPECIAL_TOKENS,
    AnswerWindow,
    Offset,
    Question,
    encode_questions,
    read_squad,
)
from .task import Encoded, Task
from .task_files import Examples

Scores = NDArray[np.float64]
Kept = tuple[Tensor, Tensor]  # the scores of a row's positions as start and as end


class Candidate(NamedTuple):
    """An answer, context[start:end]; empty for "no answer"."""

    text: str
    start: int
    end: int
    score: float
    probability: float


class Prediction(NamedTuple):
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
    longest: int = ANSWER_PIECES,
    allow_no_answer: bool = False,
    threshold: float = 0.0,
) -> list[Prediction]:
    """One prediction for each question that has a window, in their order.

    start_logits, end_logits: for each window, the scores of its positions (a list, an array, a row of a tensor); padding may follow.
    n_best: how many candidates to keep. longest: pieces an answer may have.
    Raises ValueError if the scores are fewer than the windows or shorter than them.
    """
    starts, ends = len(start_logits), len(end_logits)
    if not len(windows) == starts == ends:
        raise ValueError(f"{len(windows)} windows need as many rows of scores: there are {starts} and {ends}.")
    if n_best < 1 or longest < 1:
        raise ValueError(f"n_best and longest must be at least 1; they are {n_best} and {longest}.")
    spans: dict[int, dict[Offset, float]] = {}  # question → characters → score
    none: dict[int, float] = {}
    for window, *rows in zip(windows, start_logits, end_logits, strict=True):
        start, end = (_scores(row, len(window.offsets)) for row in rows)
        best = spans.setdefault(window.question, {})
        for span, score in _best_spans(window, start[:, None] + end, n_best=n_best, longest=longest):
            best[span] = max(score, best.get(span, -np.inf))
        none[window.question] = min(float(start[0] + end[0]), none.get(window.question, np.inf))
    predictions = []
    for number, found in sorted(spans.items()):
        question, ranked = questions[number], sorted(found.items(), key=lambda item: (-item[1], item[0]))[:n_best]
        no_answer_score = none[number] - ranked[0][1] if ranked else np.inf
        if allow_no_answer or not ranked:
            ranked = sorted([*ranked, ((0, 0), none[number])], key=lambda item: -item[1])
        shares = np.exp(np.array([score for _, score in ranked]) - ranked[0][1])
        candidates = tuple(
            Candidate(question.context[begin:end], begin, end, score=score, probability=float(share))
            for ((begin, stop), score), share in zip(ranked, shares / shares.sum(), strict=True)
            for end in [with_marks(question.context, stop) if stop else 0]
        )
        text = next((candidate.text for candidate in candidates if candidate.text), "")
        if allow_no_answer and no_answer_score > threshold:
            text = ""
        predictions.append(Prediction(question.id, text, candidates, no_answer_score=no_answer_score))
    return predictions


def _scores(row: Any, length: int) -> Scores:
    values = row.detach().cpu().float().numpy() if isinstance(row, Tensor) else row
    scores = np.asarray(values, dtype=np.float64)[:length]
    if len(scores) < length:
        raise ValueError(f"A window of {length} positions has {len(scores)} scores.")
    return scores


def _best_spans(window: AnswerWindow, scores: Scores, *, n_best: int, longest: int) -> Iterator[tuple[Offset, float]]:
    """((first, last) character, score) of the best spans. scores: (seq, seq), of every first and last position."""
    inside = np.array([offset is not None for offset in window.offsets])
    allowed = np.triu(np.outer(inside, inside)) & np.tri(len(inside), k=longest - 1, dtype=bool)  # i ≤ j < i + longest
    scores = np.where(allowed, scores, -np.inf)
    characters = [offset or (0, 0) for offset in window.offsets]
    for index in np.argsort(-scores, axis=None, kind="stable")[:n_best]:
        first, last = np.unravel_index(index, scores.shape)
        if np.isfinite(scores[first, last]):
            yield (characters[first][0], characters[last][1]), float(scores[first, last])


@dataclass(frozen=True)
class QuestionAnswering(Task):
    """stride: pieces that windows of a long context share. no_answer: whether a question may have none.

    max_answer_length: pieces that a given answer may have, run_squad's 30. Training learns longer ones too.
    """

    stride: int = 128
    no_answer: bool = False
    max_answer_length: int = ANSWER_PIECES

    name = "qa"
    does, asked, number_of_texts = "answers questions", "give a question and its context", range(2, 3)
    model_class = BertForQuestionAnswering
    usual_length = 384
    saved = ("stride", "no_answer", "max_answer_length")
    metrics = "f1", "exact_match", "loss"

    def read(self, path: Path, labelled: bool = True) -> Examples:
        return read_squad(path, labelled=labelled)

    def made_of(self, texts: Sequence[str], location: str, tokenizer: BertTokenizer) -> Question:  # noqa: ARG002
        return Question(location, texts[0].strip(), texts[1], location=location)

    def adapted_to(self, examples: Examples) -> "QuestionAnswering":
        return replace(self, no_answer=any(not question.answers for question in examples.items))

    def config_fields(self) -> dict[str, Any]:
        return {"num_labels": 2, **super().config_fields()}  # a start and an end

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:
        # Questions that are only asked are labelled too, so that they have a loss. All are kept, to be scored.
        most = max(0, max_length - QUESTION_PIECES - SPECIAL_TOKENS - 1)  # in shorter windows than in training
        stride = self.stride if training else min(self.stride, most)
        options: dict[str, Any] = {"max_length": max_length, "stride": stride, "longest": self.max_answer_length}
        if not (training or self.no_answer) and any(question.answers for question in examples.items):
            for question in (each for each in examples.items if not each.answers):
                examples.report.note(
                    question.location,
                    "it has no answer, but a model gives one unless it saw such questions in training",
                )
        windows = encode_questions(examples.items, tokenizer, examples.report, keep_all=not training, **options)
        return Encoded(examples.items, [window.row for window in windows], windows)

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[Kept]:  # noqa: ARG002
        return list(zip(outputs["start_logits"].float().cpu(), outputs["end_logits"].float().cpu(), strict=True))

    def score(self, encoded: Encoded, kept: Sequence[Kept], loss: float) -> dict[str, float]:  # noqa: ARG002
        predictions = {each.id: each.text for each in self._predictions(encoded, kept, n_best=1)}
        truths = {question.id: [answer.text for answer in question.answers] for question in encoded.items}
        scores = answer_scores(predictions, truths)
        return {"f1": scores.f1, "exact_match": scores.exact_match}

    def answers(self, encoded: Encoded, kept: Sequence[Kept]) -> list[dict[str, Any]]:
        asked = {question.id: question.question for question in encoded.items}
        return [
            {"id": p.id, "question": asked[p.id], "answer": p.text, "candidates": [c._asdict() for c in p.candidates]}
            for p in self._predictions(encoded, kept)
        ]

    def _predictions(self, encoded: Encoded, kept: Sequence[Kept], n_best: int = 20) -> list[Prediction]:
        start, end = zip(*kept, strict=True)
        options: dict[str, Any] = {"n_best": n_best, "longest": self.max_answer_length}
        options["allow_no_answer"] = self.no_answer
        return answers_to(encoded.items, encoded.windows, start, end_logits=end, **options)
