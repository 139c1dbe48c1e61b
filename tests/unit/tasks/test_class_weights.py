"""Class weights: what they are, and that the loss with them is PyTorch's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from minibert.tasks import Classification, Examples, Labels, Tagging, Task
from minibert.tasks.class_weights import class_weights
from minibert.training.finetuning import FineTuning, finetune, open_task
from tests.unit.cli.running import run
from tests.unit.tiny_bert import same_weights
from tests.unit.training.small_tasks import ALONE, QUIET, RECIPE, small_model, task_and_file

LABELS = Labels(("ham", "spam", "rare=odd"))


def rows(*labels: Any) -> list[dict[str, Any]]:
    return [{"input_ids": [1, 2], "labels": label} for label in labels]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 0, 0, 1], [4 / 6, 4 / 2, 0]),
        ([0, 1, 2], [1, 1, 1]),
        ([0] * 8 + [1] + [2], [10 / 24, 10 / 3, 10 / 3]),
        ([1, 1, 1], [0, 1, 0]),
        ([[-100, 0, 0, -100], [-100, 1, -100]], [3 / 4, 3 / 2, 0]),  # tags: what is ignored does not count
        ([[-100, 2, 2, 2], [-100, 0]], [4 / 2, 0, 4 / 6]),
    ],
    ids=["one rare", "even", "two rare", "one class", "tags", "tags of two rows"],
)
def test_balanced_weights_are_labels_by_classes_and_count(labels: list[Any], expected: list[float]) -> None:
    assert class_weights("balanced", LABELS, rows(*labels)).tolist() == pytest.approx(expected)


def test_balanced_every_class_weighs_the_same_in_sum_and_a_label_one_on_average() -> None:
    labels = [0] * 70 + [1] * 25 + [2] * 5
    sums = class_weights("balanced", LABELS, rows(*labels)) * torch.tensor([70, 25, 5])
    assert sums.tolist() == pytest.approx([100 / 3] * 3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1,2,3.5", [1, 2, 3.5]),
        (" 1 , 2 , 0.5 ", [1, 2, 0.5]),
        ((1.0, 2, 3), [1, 2, 3]),
        ("spam=20", [1, 20, 1]),
        ("spam=20, ham=0.5", [0.5, 20, 1]),
        ("rare=odd=7", [1, 1, 7]),
        ("1e1,1,1", [10, 1, 1]),
    ],
)
def test_numbers_are_in_the_order_of_the_labels_or_by_name(given: Any, expected: list[float]) -> None:
    assert class_weights(given, LABELS, rows(0, 1, 2)).tolist() == expected


@pytest.mark.parametrize(
    "given",
    ["1,2", "1,2,3,4", "eggs=2", "spam=2,3", "spam=2,spam=3", "1,2,x", "1,2,-1", "1,2,0", "inf,1,1", "nan,1,1", ""],
)
def test_what_is_no_weight_of_these_classes_is_refused_with_their_names(given: str) -> None:
    with pytest.raises(ValueError, match=r"3 numbers above 0 .* The labels are ham, spam, rare=odd"):
        class_weights(given, LABELS, rows(0, 1, 2))


@pytest.mark.parametrize(
    "name", ["several labels", "a number", "questions", "choices", "next sentences", "hidden words"]
)
def test_a_task_without_classes_is_told_so(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="class_weights is for one label a text, and for tags"):
        opened(*task_and_file(name), small_model(tmp_path / "model"), class_weights="balanced")


def opened(task: Task, path: Path, model: str, **choices: Any) -> FineTuning:
    examples: Examples = task.read(path)
    recipe = replace(RECIPE, **choices)
    return open_task(task.adapted_to(examples), model, examples, task.read(path), recipe, ALONE, QUIET)


CASES: dict[str, tuple[Task, str, str, Any]] = {
    "balanced texts": (Classification(), "t.csv", "text,label\nthe cat,a\na dog,a\nwho ran,a\non,b\n", "balanced"),
    "numbers": (Classification(), "t.csv", "text,label\nthe cat,a\na dog,b\nwho ran,a\non,b\n", "1,30"),
    "names": (Classification(), "t.csv", "text,label\nthe cat,2\na dog,10\nwho ran,0\n", "10=4,0=0.1"),
    "pairs": (
        Classification(),
        "t.tsv",
        "text\ttext_pair\tlabel\nthe\tcat\tno\na\tdog\tyes\nwho\tran\tno\n",
        "balanced",
    ),
    "tags": (Tagging(), "t.conll", "the O\ncat B-x\n\nthe O\ndog O\nran O\n", "balanced"),
    "tags by name": (Tagging(), "t.conll", "the O\nunables B-x\n\nthe O\ndog I-x\nran O\n", "O=0.2"),
}


@pytest.mark.parametrize("name", CASES)
class TestTheLoss:
    @pytest.fixture
    def weighted(self, name: str, tmp_path: Path) -> FineTuning:
        task, file, text, given = CASES[name]
        (tmp_path / file).write_text(text, encoding="utf-8")
        model = small_model(tmp_path / "model", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        return opened(task, tmp_path / file, model, class_weights=given, batch_size=4)

    def test_it_is_pytorchs_to_the_bit(self, name: str, weighted: FineTuning) -> None:
        weights = class_weights(CASES[name][3], weighted.task.labels, weighted.train.rows)
        batch = weighted.batch(1)
        figures = weighted.backward(1, batch)
        theirs = {name: parameter.grad.clone() for name, parameter in weighted.model.named_parameters()}
        weighted.model.zero_grad()
        labels = batch.pop("labels")
        logits = weighted.model(**batch).logits
        loss = nn.CrossEntropyLoss(weight=weights)(logits.view(-1, logits.shape[-1]), labels.view(-1))
        loss.backward()
        assert figures == {"loss": loss.item()}
        for each, parameter in weighted.model.named_parameters():
            assert torch.equal(parameter.grad, theirs[each]), each

    @pytest.mark.parametrize("fast", [False, True])
    def test_in_parts_and_fast_the_gradient_is_the_same(self, fast: bool, weighted: FineTuning) -> None:
        figures = weighted.backward(1, weighted.batch(1))
        expected = [parameter.grad for parameter in weighted.model.parameters()]
        weighted.model.zero_grad()
        recipe = replace(weighted.recipe, accumulate=3, fast=fast)
        parts = FineTuning(
            weighted.model, weighted.tokenizer, weighted.task, ALONE, weighted.train, weighted.evaluation, recipe
        )
        assert parts.backward(1, parts.batch(1))["loss"] == pytest.approx(figures["loss"], rel=1e-5)
        for parameter, gradient in zip(parts.model.parameters(), expected, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)

    @pytest.mark.seconds
    def test_the_evaluation_is_not_weighted(self, weighted: FineTuning) -> None:
        plain = replace(weighted.recipe, class_weights=None)
        other = FineTuning(
            weighted.model, weighted.tokenizer, weighted.task, ALONE, weighted.train, weighted.evaluation, plain
        )
        assert weighted.evaluate() == other.evaluate()


@pytest.mark.slow
def test_a_rare_class_is_found_with_weights_and_missed_without(tmp_path: Path) -> None:
    """Two texts that look alike, one label 19 times, the other once: which is answered is a matter of weights."""
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "the cat,often\n" * 19 + "the cat,rare\n", encoding="utf-8")
    model = small_model(tmp_path / "model", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    shares = {}
    for given in (None, "balanced", "rare=190"):
        recipe = replace(RECIPE, epochs=40, batch_size=20, class_weights=given, evaluate_every=10_000)
        trained, _ = finetune(Classification(), model, path, path, recipe, tmp_path / str(given), ALONE, say=QUIET)
        kept, _ = trained.outputs(trained.evaluation)
        shares[given] = float(kept[0].softmax(-1)[1])
    assert shares[None] == pytest.approx(1 / 20, abs=0.02)
    assert shares["balanced"] == pytest.approx(1 / 2, abs=0.02)
    assert shares["rare=190"] == pytest.approx(190 / 209, abs=0.02)


class TestRuns:
    def test_the_weights_are_said_and_part_of_the_run(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("text,label\n" + "the cat,no\n" * 3 + "a dog,yes\n", encoding="utf-8")
        words = ("finetune", "classify", "--model", small_model(tmp_path / "model"), "--train", str(path))
        words += ("--eval", str(path), "--epochs", "1", "--out", str(tmp_path / "run"), "--class-weights")
        said = run(*words, "balanced")
        assert said.exit_code == 0, said.output
        assert "Weights of the classes: no 0.667, yes 2." in said.output
        other = run(*words, "yes=5")
        assert "holds another run" in other.output + str(other.exception)

    def test_equal_weights_train_as_none_do(self, tmp_path: Path) -> None:
        task, path = task_and_file("one label")
        model = small_model(tmp_path / "model")
        runs = [
            finetune(
                task, model, path, path, replace(RECIPE, class_weights=given), tmp_path / str(given), ALONE, say=QUIET
            )
            for given in (None, "1,1")
        ]
        assert same_weights(runs[0][0].model, runs[1][0].model)


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_an_array_is_as_good_as_a_list(kind: Any) -> None:
    assert class_weights(kind([1.0, 2.0, 4.0]), LABELS, rows(0, 1, 2)).tolist() == [1.0, 2.0, 4.0]
