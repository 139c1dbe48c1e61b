"""The stretch of a text that answers a question: `BertForQuestionAnswering`.

Scores: exact match and F1 of the answers' words, as SQuAD's script counts them. Where training questions without an answer are among
the others, as in SQuAD 2.0, "no answer" is an answer too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from torch import Tensor

from ...config import BertConfig
from ...data.tasks import AnswerWindow, Prediction, Question, answers_to, encode_questions, read_squad
from ...data.tasks.answer_windows import NOT_HERE, answer_positions
from ...heads import BertForQuestionAnswering
from ...outputs import ModelOutput
from ...tokenization import BertTokenizer
from ..metrics import answer_scores
from .kind import Encoded, Examples, TaskKind

Kept = tuple[Tensor, Tensor]
"""Of a row, the scores of its positions as start and as end."""


@dataclass(frozen=True)
class QuestionAnswering(TaskKind):
    """stride: pieces that windows of a long context share. no_answer: whether a question may have none. n_best: answers to tell of."""

    stride: int = 128
    no_answer: bool = False
    n_best: int = 20

    name = "qa"
    model_class = BertForQuestionAnswering
    usual_length = 384

    @property
    def decisive(self) -> str:
        return "f1"

    def read(self, path: Path, labelled: bool = True) -> Examples:
        return Examples(*read_squad(path, labelled=labelled))

    def learn(self, examples: Examples) -> QuestionAnswering:
        return replace(self, no_answer=any(not question.answers for question in examples.items))

    def settings(self) -> dict[str, Any]:
        return {"stride": self.stride, "no_answer": self.no_answer}

    def config_fields(self) -> dict[str, Any]:
        return {"num_labels": 2}  # a start and an end

    @classmethod
    def of_config(cls, config: BertConfig, settings: dict[str, Any]) -> QuestionAnswering:  # noqa: ARG003
        return cls(**{name: settings[name] for name in ("stride", "no_answer") if name in settings})

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:
        windows = encode_questions(
            examples.items,
            tokenizer,
            examples.report,
            max_length=max_length,
            stride=self.stride,
            labelled=training,  # to be scored every question is kept, also one whose answer no window holds whole
        )
        if not training:
            _label(windows, examples.items)
        return Encoded(examples.items, [window.row for window in windows], windows)

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[Kept]:  # noqa: ARG002
        return list(zip(outputs["start_logits"].float().cpu(), outputs["end_logits"].float().cpu(), strict=True))

    def score(self, encoded: Encoded, kept: Sequence[Kept], loss: float) -> dict[str, float]:  # noqa: ARG002
        predictions = {prediction.id: prediction.text for prediction in self._predictions(encoded, kept, n_best=1)}
        truths = {question.id: [answer.text for answer in question.answers] for question in encoded.items}
        scores = answer_scores(predictions, truths)
        return {"f1": scores.f1, "exact_match": scores.exact_match}

    def answers(self, encoded: Encoded, kept: Sequence[Kept]) -> list[dict[str, Any]]:
        asked = {question.id: question.question for question in encoded.items}
        return [
            {
                "id": prediction.id,
                "question": asked[prediction.id],
                "answer": prediction.text,
                "candidates": [vars(candidate) for candidate in prediction.candidates],
            }
            for prediction in self._predictions(encoded, kept, self.n_best)
        ]

    def _predictions(self, encoded: Encoded, kept: Sequence[Kept], n_best: int) -> list[Prediction]:
        starts, ends = [start for start, _ in kept], [end for _, end in kept]
        return answers_to(encoded.items, encoded.windows, starts, ends, n_best=n_best, allow_no_answer=self.no_answer)


def _label(windows: Sequence[AnswerWindow], questions: Sequence[Question]) -> None:
    """Give windows the positions of the first answer: so questions that are only asked have a loss as well."""
    for number, group in groupby(windows, key=lambda window: window.question):
        of_question = list(group)
        answers = questions[number].answers
        positions = [NOT_HERE] * len(of_question)
        if answers:
            positions = answer_positions(answers[0], [window.offsets for window in of_question])
        for window, (first, last) in zip(of_question, positions, strict=True):
            window.row["start_positions"], window.row["end_positions"] = first, last
