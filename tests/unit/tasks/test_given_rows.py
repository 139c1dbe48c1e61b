"""Rows that a program holds go where a file's name goes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from minibert.tasks import Classification, QuestionAnswering, Tagging
from minibert.tasks.given_rows import as_files


class Table(list[dict[str, Any]]):
    """Rows that know their features, as those of the library datasets do."""

    features: dict[str, Any]


def test_files_are_themselves_and_stay(tmp_path: Path) -> None:
    with as_files(str(tmp_path / "a.csv"), tmp_path / "b.csv") as files:
        assert files == [tmp_path / "a.csv", tmp_path / "b.csv"]
    with as_files("a.csv", None) as files:
        assert files == [Path("a.csv")]


def test_rows_become_a_file_for_as_long_as_it_is_read() -> None:
    rows = [{"text": "fine “day”", "label": "good"}, {"text": "fog\nand rain", "label": "bad"}]
    with as_files(rows, iter(rows[:1])) as (train, evaluation):
        assert [json.loads(line) for line in train.read_text(encoding="utf-8").splitlines()] == rows
        assert [example.text for example in Classification().read(train).items] == ["fine “day”", "fog\nand rain"]
        assert len(Classification().read(evaluation).items) == 1
    assert not train.exists()


def test_the_number_of_a_class_is_written_as_its_name_and_an_unknown_one_as_none() -> None:
    kinds = SimpleNamespace(names=["bad", "good"])
    table = Table([{"text": "fine", "label": 1}, {"text": "fog", "label": 0}, {"text": "who knows", "label": -1}])
    table.features = {"text": SimpleNamespace(), "label": kinds}
    with as_files(table, None) as [file]:
        examples, report = Classification().read(file)
    assert [example.label for example in examples] == ["good", "bad"]
    assert "1 × it has no label, but '-'" in str(report)


def test_lists_of_classes_are_tags() -> None:
    table = Table([{"tokens": ["Anna", "came"], "ner_tags": [1, 0]}])
    table.features = {"ner_tags": SimpleNamespace(feature=SimpleNamespace(names=["O", "B-PER"]))}
    with as_files(table, None) as [file]:
        [sentence] = Tagging().read(file).items
    assert (list(sentence.words), list(sentence.tags)) == (["Anna", "came"], ["B-PER", "O"])


def test_questions_with_their_answers_in_columns_are_squads() -> None:
    context = "Anna came home at noon."
    answers = {"text": ["at noon"], "answer_start": [15]}
    rows = [{"id": "1", "title": "", "context": context, "question": "When?", "answers": answers}]
    rows.append({**rows[0], "id": "2", "question": "Why?", "answers": {"text": [], "answer_start": []}})
    with as_files(rows, None) as [file]:
        questions = QuestionAnswering().read(file).items
    assert [[answer.text for answer in question.answers] for question in questions] == [["at noon"], []]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ({"train": [], "test": []}, r"Row 1 of train is 'train', no dictionary of columns\. Give a file, .* one split"),
        ([["fine", "good"]], r"Row 1 of train is \['fine', 'good'\]"),
        ([{"text": torch.zeros(1)}], r"The rows of train are no plain data: .*Tensor.*with_format\(None\)"),
        ([], r"train.jsonl' is empty"),
        ([{"context": "a", "question": "b", "answers": {"text": [], "answer_start": []}}], r"'id' is None"),
        ([{"context": "a", "question": 1, "id": "1", "answers": {}}], r"'question' is 1"),
    ],
)
def test_what_are_no_rows_is_refused_with_what_to_give(rows: Any, complaint: str) -> None:
    task = QuestionAnswering() if "context" in str(rows) else Classification()
    with pytest.raises(ValueError, match=complaint), as_files(rows, None) as [file]:
        task.read(file)
