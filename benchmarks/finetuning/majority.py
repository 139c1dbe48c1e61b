"""What one scores without looking: the answer that is most frequent in the training set, given to everybody."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from minibert.tasks import Classification, MultipleChoice, QuestionAnswering, Tagging
from minibert.tasks.metrics import answer_scores, entity_f1

from .tasks import BenchmarkTask


def majority(benchmark: BenchmarkTask, files: Path) -> float:
    """The task's main score, from 0 to 1."""
    train_file, evaluation_file = benchmark.files(files)
    train, evaluation = benchmark.task.read(train_file).items, benchmark.task.read(evaluation_file).items
    if isinstance(benchmark.task, (Classification, MultipleChoice)):
        most = most_frequent([example.label for example in train])
        return sum(example.label == most for example in evaluation) / len(evaluation)
    if isinstance(benchmark.task, Tagging):
        most = most_frequent([tag for sentence in train for tag in sentence.tags])
        return entity_f1([[most] * len(sentence.words) for sentence in evaluation], [s.tags for s in evaluation]).f1
    if isinstance(benchmark.task, QuestionAnswering):
        most = most_frequent([question.answers[0].text for question in train if question.answers])
        truths = {question.id: [answer.text for answer in question.answers] for question in evaluation}
        return answer_scores(dict.fromkeys(truths, most), truths).f1
    raise TypeError(f"There is no majority for {type(benchmark.task).__name__}.")


def most_frequent(answers: list[str]) -> str:
    """Of several alike the one that comes first."""
    return Counter(answers).most_common(1)[0][0]
