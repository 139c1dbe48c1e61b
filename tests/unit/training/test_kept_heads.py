"""A trained head goes on with its labels under their own numbers, or starts anew; and which of the two is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from minibert import BertForMultipleChoice, BertForSequenceClassification, BertForTokenClassification
from minibert.tasks import Classification, Labels, MultipleChoice, Tagging, Task
from minibert.training.finetuning import FineTuning, finetune, open_task
from minibert.training.prediction import TrainedModel
from tests.unit.tasks.tiny_tokenizer import PIECES, tiny_tokenizer
from tests.unit.tiny_bert import tiny
from tests.unit.training.small_tasks import ALONE, QUIET, RECIPE, small_model

SIZES = {"vocab_size": len(PIECES), "max_position_embeddings": 128}


def published(folder: Path, cls: type, *labels: str, **fields) -> str:
    """A trained model of somebody else's, its labels in this order."""
    tiny(cls, id2label=dict(enumerate(labels)), **SIZES, **fields).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return str(folder)


def write(folder: Path, name: str, *labels: str) -> Path:
    """A file of examples with these labels; several of one example stand between bars."""
    path = folder / name
    if name.endswith(".conll"):
        path.write_text("".join(f"cat\t{label}\n" for label in labels) * 2, encoding="utf-8")
    else:
        path.write_text("text,label\n" + "".join(f"the cat,{label}\n" for label in labels) * 2, encoding="utf-8")
    return path


def opened(task: Task, model: str, file: Path, say=QUIET) -> FineTuning:
    """Ready to go on from a checkpoint."""
    examples = task.read(file)
    return open_task(task.adapted_to(examples), model, examples, task.read(file), RECIPE, ALONE, say)


@pytest.mark.parametrize(
    ("names", "own", "kept"),
    [
        (["negative", "positive"], ["positive", "negative"], ["positive", "negative"]),
        (["B-PER", "O"], ["O", "B-PER"], ["O", "B-PER"]),
        (["entailment", "neutral"], ["ENTAILMENT", "NEUTRAL"], ["entailment", "neutral"]),  # the file's spelling
        (["Neutral", "entailment"], ["Entailment", "NEUTRAL"], ["entailment", "Neutral"]),
        (["B-LOC", "O"], ["O", "B-MISC", "B-LOC"], ["O", "B-MISC", "B-LOC"]),  # the file has a part of them
        (["0", "1"], ["LABEL_0", "LABEL_1"], ["0", "1"]),
        (["0", "2"], ["LABEL_0", "LABEL_1", "LABEL_2"], ["0", "LABEL_1", "2"]),
        (["LABEL_0", "LABEL_1"], ["LABEL_0", "LABEL_1"], ["LABEL_0", "LABEL_1"]),
        (["No", "no"], ["no", "No"], ["no", "No"]),  # two labels that differ in letter case alone stay two
        (["ΣΟΦΟΣ", "straße"], ["STRASSE", "σοφος"], ["straße", "ΣΟΦΟΣ"]),
    ],
)
def test_labels_that_a_head_knows_keep_the_numbers_it_has_for_them(names, own, kept):
    assert Labels(tuple(names)).numbered_as(Labels(tuple(own))) == Labels(tuple(kept))


@pytest.mark.parametrize(
    ("names", "own"),
    [
        (["negative", "neutral", "positive"], ["positive", "negative"]),  # one more than the head has
        (["bad", "good"], ["positive", "negative"]),
        (["bad", "good"], ["LABEL_0", "LABEL_1"]),  # names that say nothing: which row is which is not known
        (["0", "1"], ["negative", "positive"]),
        (["1", "2"], ["LABEL_0", "LABEL_1"]),
        (["0", "1"], ["LABEL_1", "LABEL_0"]),
        (["NO", "yes"], ["no", "No", "yes"]),  # which of the two?
        (["No", "no"], ["NO", "yes"]),
    ],
)
def test_labels_that_a_head_does_not_know_are_never_given_its_numbers(names, own):
    assert Labels(tuple(names)).numbered_as(Labels(tuple(own))) is None


@pytest.mark.parametrize(
    ("task", "cls", "order", "file"),
    [
        (Tagging(), BertForTokenClassification, ["O", "B-PER", "B-LOC"], ("t.conll", "B-LOC", "B-PER", "O")),
        (Tagging(), BertForTokenClassification, ["NOUN", "ADV", "VERB"], ("t.conll", "VERB", "NOUN")),
        (Classification(), BertForSequenceClassification, ["positive", "negative"], ("t.csv", "negative", "positive")),
        (Classification(), BertForSequenceClassification, ["YES", "MAYBE", "NO"], ("t.csv", "no", "yes")),
        (Classification(), BertForSequenceClassification, ["LABEL_0", "LABEL_1"], ("t.csv", "1", "0")),
        (
            Classification("multi_label_classification"),
            BertForSequenceClassification,
            ["toxic", "insult"],
            ("t.csv", "insult|toxic", "toxic"),
        ),
    ],
)
def test_a_head_that_knows_the_labels_goes_on_bit_for_bit(task, cls, order, file, tmp_path: Path):
    model, said = published(tmp_path / "model", cls, *order), []
    trained = opened(task, model, write(tmp_path, *file), said.append)
    theirs = cls.from_pretrained(model).classifier
    assert torch.equal(trained.model.classifier.weight, theirs.weight)
    assert [name.casefold().removeprefix("label_") for name in trained.task.labels.names] == [
        name.casefold().removeprefix("label_") for name in order
    ]
    assert trained.model.config.id2label == trained.task.labels.id2label
    assert sum("is kept, and the order of its labels" in line for line in said) == 1
    assert not any("Newly initialised" in line for line in said)


@pytest.mark.parametrize(
    ("task", "cls", "order", "file", "why"),
    [
        (Tagging(), BertForTokenClassification, ["O", "B-PER"], ("t.conll", "B-LOC", "O"), "labels are 'O', 'B-PER'"),
        (Classification(), BertForSequenceClassification, ["b", "a"], ("t.csv", "a", "c"), "of the file 'a', 'c'"),
        (Classification(), BertForSequenceClassification, ["a", "b"], ("t.csv", "a", "b", "c"), "of the file 'a', 'b', 'c'"),
        (Classification(), BertForSequenceClassification, ["LABEL_0", "LABEL_1"], ("t.csv", "no", "yes"), "'LABEL_0'"),
        (Classification(), BertForTokenClassification, ["a", "b"], ("t.csv", "a", "b"), "BertForTokenClassification"),
        (Classification("regression"), BertForMultipleChoice, ["LABEL_0"], ("t.csv", "1", "2"), "BertForMultipleChoice"),
        (Tagging(), BertForSequenceClassification, ["O", "X"], ("t.conll", "O", "X"), "BertForSequenceClassification"),
        (Classification("regression"), BertForSequenceClassification, ["LABEL_0", "LABEL_1"], ("t.csv", "1", "2.5"), "'LABEL_1'"),
        (Classification("regression"), BertForSequenceClassification, ["x", "LABEL_0", "y"], ("t.csv", "1", "2.5"), "'x'"),
    ],
)  # fmt: skip
def test_a_head_that_does_not_know_the_labels_starts_anew_and_that_is_said(task, cls, order, file, why, tmp_path: Path):
    model, said = published(tmp_path / "model", cls, *order), []
    trained = opened(task, model, write(tmp_path, *file), said.append)
    theirs = cls.from_pretrained(model).classifier
    assert not torch.equal(trained.model.classifier.weight[:1], theirs.weight[:1])
    [line] = [line for line in said if "is not kept" in line]
    assert why in line
    assert any(line.startswith("Newly initialised") and "classifier.weight" in line for line in said)
    again = opened(task, model, write(tmp_path, *file))
    assert torch.equal(trained.model.classifier.weight, again.model.classifier.weight)  # the seed decides


@pytest.mark.parametrize(
    ("id2label", "label2id", "said"),
    [
        ({"0": "b", "1": "a"}, {"b": 1, "a": 0}, "its id2label ('b', 'a') and its label2id contradict each other"),
        ({"0": "b", "1": "a"}, {"b": 0, "a": 1}, "is kept, and the order of its labels: 'b', 'a'"),
        ({"1": "a", "0": "b"}, {"a": 1, "b": 0}, "is kept, and the order of its labels: 'b', 'a'"),
        ({"0": "b", "2": "a"}, {"b": 0, "a": 2}, None),
        ({"1": "b", "2": "a"}, {"b": 1, "a": 2}, None),
        ({"0": "LABEL_0", "1": "LABEL_1"}, {"b": 0, "a": 1}, "is not kept: its labels are 'LABEL_0', 'LABEL_1'"),
    ],
)
def test_labels_that_a_config_numbers_in_another_way(id2label, label2id, said, tmp_path: Path):
    model, lines = published(tmp_path / "model", BertForSequenceClassification, "b", "a"), list[str]()
    file = tmp_path / "model" / "config.json"
    config = json.loads(file.read_text(encoding="utf-8")) | {"id2label": id2label, "label2id": label2id}
    file.write_text(json.dumps(config), encoding="utf-8")
    path = write(tmp_path, "t.csv", "a", "b")
    if said is None:
        for use in (lambda: opened(Classification(), model, path), lambda: TrainedModel.open(model, ALONE)):
            with pytest.raises(ValueError, match="id2label must number its labels 0, 1, 2"):
                use()
    else:
        opened(Classification(), model, path, lines.append)
        assert sum(said in line for line in lines) == 1


def test_labels_may_be_whole_numbers_in_a_config():
    assert Labels.of_config({0: 3, 1: 5}).names == ("3", "5")  # type: ignore[dict-item]


def test_a_number_goes_on_whatever_its_column_is_called(tmp_path: Path):
    model = published(tmp_path / "model", BertForSequenceClassification, "similarity", problem_type="regression")
    trained = opened(Classification("regression"), model, write(tmp_path, "t.csv", "1.5", "2"))
    theirs = BertForSequenceClassification.from_pretrained(model).classifier
    assert torch.equal(trained.model.classifier.weight, theirs.weight)


def test_a_new_head_on_a_pre_trained_model_is_not_called_unfit(tmp_path: Path):
    said: list[str] = []
    opened(Classification(), small_model(tmp_path / "model"), write(tmp_path, "t.csv", "a", "b"), said.append)
    assert not any("not kept" in line for line in said)
    assert "Newly initialised, to be trained: classifier.weight, classifier.bias." in said


def test_choices_have_no_labels_to_lose(tmp_path: Path):
    model = published(tmp_path / "model", BertForMultipleChoice, "LABEL_0")
    path = tmp_path / "t.csv"
    path.write_text("sent1,ending0,ending1,label\nthe cat,sat,ran,0\nthe dog,sat,ran,1\n", encoding="utf-8")
    trained = opened(MultipleChoice(), model, path)
    theirs = BertForMultipleChoice.from_pretrained(model).classifier
    assert torch.equal(trained.model.classifier.weight, theirs.weight)


@pytest.mark.parametrize(
    ("task", "cls", "order", "file"),
    [
        (Tagging(), BertForTokenClassification, ["O", "B-per", "B-loc"], ("t.conll", "O", "B-PER", "B-LOC", "O")),
        (Classification(), BertForSequenceClassification, ["POSITIVE", "NEGATIVE"], ("t.csv", "negative", "positive")),
        (Classification(), BertForSequenceClassification, ["LABEL_0", "LABEL_1"], ("t.csv", "0", "1")),
    ],
)
def test_a_model_of_somebody_elses_is_measured_before_and_after_a_run_that_learns_nothing(
    task, cls, order, file, tmp_path: Path
):
    model, path = published(tmp_path / "model", cls, *order), write(tmp_path, *file)
    before, _ = TrainedModel.open(model, ALONE).evaluate(path)
    recipe = replace(RECIPE, epochs=1, lr=0.0)
    trained, _ = finetune(task, model, path, path, recipe, tmp_path / "run", ALONE, say=QUIET)
    assert trained.evaluate() == pytest.approx(before)
    assert trained.model.config.num_labels == len(order)
