"""A `Dataset` goes where the name of a file goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minibert.tasks import Classification, QuestionAnswering, Tagging
from minibert.training import FineTuningRecipe, finetune
from tests.beside.page import run

datasets = pytest.importorskip("datasets")

RECIPE = FineTuningRecipe(epochs=1, batch_size=4)


def test_the_program_of_the_page_learns_names_from_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    run("datasets")
    lines = capsys.readouterr().out.splitlines()
    assert any("2 labels: " in line and "bad " in line and "good " in line for line in lines)
    assert lines[-1] in ("bad", "good")


def test_it_learns_what_it_learns_from_a_file(tmp_path: Path) -> None:
    rows = [{"text": text, "label": label} for text, label in [("A fine day.", "good"), ("Rain and fog.", "bad")] * 6]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    dataset = datasets.Dataset.from_list(rows).cast_column("label", datasets.ClassLabel(names=["good", "bad"]))
    given: list[Any] = [str(tmp_path / "rows.jsonl"), dataset, rows, iter(rows), dataset.to_iterable_dataset()]
    scores = [
        finetune(Classification(), "novels-4l-256h", each, None, RECIPE, f"run-{number}", say=lambda _: None)[1]
        for number, each in enumerate(given)
    ]
    assert all(each["loss"] == scores[0]["loss"] for each in scores)


def test_tags_and_questions_are_read_too() -> None:
    tags = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=["O", "B-PER"])),
        }
    )
    people = {"tokens": [["Anna", "came", "."], ["He", "saw", "Anna"]] * 4, "ner_tags": [[1, 0, 0], [0, 0, 1]] * 4}
    said: list[str] = []
    dataset = datasets.Dataset.from_dict(people, features=tags)
    finetune(Tagging(), "novels-4l-256h", dataset, dataset, RECIPE, "tags", say=said.append)
    assert any("B-PER" in each or "PER 8" in each for each in said), said
    context = "Anna came home at noon."
    answers = {"text": ["at noon"], "answer_start": [context.index("at noon")]}
    squad = [{"id": str(n), "title": "", "context": context, "question": "When?", "answers": answers} for n in range(8)]
    asked: list[str] = []
    questions = datasets.Dataset.from_list(squad)
    finetune(QuestionAnswering(), "novels-4l-256h", questions, questions, RECIPE, "questions", say=asked.append)
    assert any("8 with an answer" in each for each in asked), asked


def test_a_whole_dictionary_of_splits_is_refused_with_what_to_do() -> None:
    splits = datasets.DatasetDict({"train": datasets.Dataset.from_list([{"text": "a", "label": "b"}])})
    with pytest.raises(ValueError, match=r"Row 1 of train is 'train', no dictionary.*one split of a Dataset"):
        finetune(Classification(), "novels-4l-256h", splits)
