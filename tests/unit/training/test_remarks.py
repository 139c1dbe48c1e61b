"""What is said before a run begins: a training that cannot teach, scores that will say less than they seem to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from minibert.tasks import Classification, MaskedWords, NextSentence, QuestionAnswering, Tagging, Task
from minibert.training.finetuning import open_task
from tests.unit.cli.running import run
from tests.unit.training.small_tasks import ALONE, RECIPE, SAMPLE_TASKS, command, small_model, task_and_file

BY_HEART = "examples to evaluate on. Their scores say what was learned by heart"
ONE_LABEL = "Everything to train on has one and the same label"
NO_ANSWER = "No question to train on has an answer"
FEW_ROWS = "do not fill a batch of"


def said_of(folder: Path, task: Task, train: Path, evaluation: Path, batch_size: int = 2) -> str:
    """All that is said before the first step."""
    said: list[str] = []
    examples = task.read(train)
    recipe = replace(RECIPE, batch_size=batch_size)
    task = task.adapted_to(examples)
    open_task(task, small_model(folder / "model"), examples, task.read(evaluation), recipe, ALONE, said.append)
    return "\n".join(said)


def two_files(folder: Path, ending: str, train: str, evaluation: str) -> tuple[Path, Path]:
    paths = folder / f"train{ending}", folder / f"eval{ending}"
    for path, text in zip(paths, (train, evaluation), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


class TestExamplesInBothFiles:
    @pytest.mark.parametrize("name", SAMPLE_TASKS)
    def test_a_file_evaluated_on_what_it_trains_is_said_for_every_task(self, name: str, tmp_path: Path) -> None:
        task, path = task_and_file(name)
        count = len(task.read(path).items)
        assert f"Also trained on: {count} of the {count} {BY_HEART}" in said_of(tmp_path, task, path, path)

    @pytest.mark.parametrize(
        ("ending", "task", "train", "evaluation", "shared"),
        [
            (".csv", Classification(), "text,label\na,x\nb,y\nc,x\n", "text,label\nb,y\nd,y\n", "1 of the 2"),
            (
                ".csv",
                Classification(),
                "text,label\na,x\nb,y\n",
                "label,text\ny,b\nx,a\n",
                "2 of the 2",
            ),  # another file
            (".csv", Classification(), "text,label\na,x\nb,y\n", "text,label\nd,y\nb,x\n", ""),  # the other label
            (
                ".tsv",
                Classification(),
                "text\ttext_pair\tlabel\na\tb\tx\nc\td\ty\n",
                "text\ttext_pair\tlabel\nb\ta\tx\n",
                "",
            ),
            (".conll", Tagging(), "the O\ncat B\n\na O\n", "a O\n\nthe O\ndog B\n", "1 of the 2"),
            (".txt", MaskedWords(), "the cat\n\nthe dog\n", "the dog\n\nthe mat\n\nthe dog\n", "2 of the 3"),
        ],
        ids=["one", "all, in other columns", "another label", "turned pairs", "tags", "passages"],
    )
    def test_they_are_counted(
        self, ending: str, task: Task, train: str, evaluation: str, shared: str, tmp_path: Path
    ) -> None:
        said = said_of(tmp_path, task, *two_files(tmp_path, ending, train, evaluation))
        assert (f"{shared} {BY_HEART}" in said) if shared else (BY_HEART not in said)


class TestOneLabel:
    @pytest.mark.parametrize(
        ("ending", "task", "train"),
        [
            (".conll", Tagging(), "the O\ncat O\n\na O\ndog O\n"),
            (".conll", Tagging(), "the DET\n\na DET\n"),
            (".csv", Classification("multi_label_classification"), "text,label\na,x|y\nb,y|x\n"),
            (".csv", Classification("multi_label_classification"), "text,label\na,x\nb,x\n"),
            (".csv", Classification("regression"), "text,label\na,2\nb,2.0\n"),
            (".txt", NextSentence(seed=2), "a\na\na\na\n"),
        ],
        ids=["all O", "one part of speech", "the same labels", "one of several", "one number", "always next"],
    )
    def test_it_is_said(self, ending: str, task: Task, train: str, tmp_path: Path) -> None:
        assert ONE_LABEL in said_of(tmp_path, task, *two_files(tmp_path, ending, train, train))

    @pytest.mark.parametrize("name", SAMPLE_TASKS)
    def test_the_samples_have_more(self, name: str, tmp_path: Path) -> None:
        task, path = task_and_file(name)
        said = said_of(tmp_path, task, path, path)
        assert ONE_LABEL not in said
        assert NO_ANSWER not in said
        assert FEW_ROWS not in said

    def test_the_same_place_of_the_right_ending_is_no_label(self, tmp_path: Path) -> None:
        text = "sent1,ending0,ending1,label\na,b,c,0\nd,e,f,0\n"
        task = SAMPLE_TASKS["choices"][0]
        assert ONE_LABEL not in said_of(tmp_path, task, *two_files(tmp_path, ".csv", text, text))

    def test_questions_without_an_answer_are_said(self, tmp_path: Path) -> None:
        asked = [{"id": str(n), "question": "who", "answers": [], "is_impossible": True} for n in range(3)]
        text = json.dumps({"data": [{"paragraphs": [{"context": "the cat", "qas": asked}]}]})
        assert NO_ANSWER in said_of(tmp_path, QuestionAnswering(stride=8), *two_files(tmp_path, ".json", text, text))

    def test_of_texts_it_is_refused(self, tmp_path: Path) -> None:
        text = "text,label\na,x\nb,x\n"
        with pytest.raises(ValueError, match="there is nothing to tell apart"):
            said_of(tmp_path, Classification(), *two_files(tmp_path, ".csv", text, text))


class TestAnEpochSmallerThanABatch:
    @pytest.mark.parametrize(("rows", "batch", "is_said"), [(3, 4, True), (2, 100, True), (4, 4, False), (5, 4, False)])
    def test_it_is_said(self, rows: int, batch: int, is_said: bool, tmp_path: Path) -> None:
        text = "text,label\n" + "".join(f"the {n},{n % 2}\n" for n in range(rows))
        said = said_of(tmp_path, Classification(), *two_files(tmp_path, ".csv", text, text), batch_size=batch)
        assert (f"The rows to train on ({rows}) {FEW_ROWS} {batch}: an epoch is one step." in said) == is_said


def test_the_command_says_it_once_and_on_standard_output(tmp_path: Path) -> None:
    words = command("classify", task_and_file("one label")[1], small_model(tmp_path / "model"), tmp_path / "run")
    result = run(*words, "--epochs", "1", "--batch-size", "64")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count(BY_HEART) == result.stdout.count(FEW_ROWS) == 1


@pytest.mark.parametrize("length", ["129", "2000"])
def test_rows_longer_than_the_model_has_positions_are_refused_by_every_command(length: str, tmp_path: Path) -> None:
    path = task_and_file("one label")[1]
    words = command("classify", path, small_model(tmp_path / "model"), tmp_path / "run", "--epochs", "1")
    run(*words)
    saved = str(tmp_path / "run" / "model")
    for asked in (
        (*command("classify", path, str(tmp_path / "model"), tmp_path / "other"), "--max-length", length),
        ("predict", "the cat", "--model", saved, "--max-length", length),
        ("eval", "--model", saved, "--file", str(path), "--length", length),
    ):
        result = run(*asked)
        assert result.exit_code != 0
        assert f"length is {length}; the model has 128 positions" in result.output + str(result.exception)
