"""Frozen parts: by name, without gradient or decay, and as they were at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from minibert import BertForMaskedLM, BertForQuestionAnswering, BertForSequenceClassification
from minibert.training.finetuning import FineTuning, finetune, open_task
from minibert.training.frozen import freeze
from tests.unit.cli.running import run
from tests.unit.tiny_bert import tiny
from tests.unit.training.small_tasks import ALONE, QUIET, RECIPE, command, small_model, task_and_file

FOUR = {"num_hidden_layers": 4}


def trained_names(model: torch.nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize(
    ("parts", "begins"),
    [
        ("embeddings", ("bert.embeddings.",)),
        ("embeddings,encoder.layer.0-1", ("bert.embeddings.", "bert.encoder.layer.0.", "bert.encoder.layer.1.")),
        ("encoder.layer.2", ("bert.encoder.layer.2.",)),
        ("layer.1-3", ("bert.encoder.layer.1.", "bert.encoder.layer.2.", "bert.encoder.layer.3.")),
        (" encoder , pooler ", ("bert.encoder.", "bert.pooler.")),
        ("body", ("bert.",)),
        ("bert.embeddings.word_embeddings", ("bert.embeddings.word_embeddings.",)),
        ("word_embeddings,classifier", ("bert.embeddings.word_embeddings.", "classifier.")),
        ("encoder.layer.0-3.attention", tuple(f"bert.encoder.layer.{n}.attention." for n in range(4))),
    ],
)
def test_parts_are_stretches_of_names(parts: str, begins: tuple[str, ...]) -> None:
    model = tiny(BertForSequenceClassification, **FOUR)
    frozen = freeze(model, parts)
    names = {name for name, _ in model.named_parameters()}
    assert set(frozen) == {name for name in names if name.startswith(begins)}
    assert trained_names(model) == names - set(frozen)


def test_layer_1_is_not_layer_10() -> None:
    model = tiny(BertForSequenceClassification, num_hidden_layers=11)
    assert all(".layer.1." in name for name in freeze(model, "encoder.layer.1"))


def test_nothing_is_frozen_unless_asked_for() -> None:
    assert freeze(tiny(BertForSequenceClassification), "") == {}


def test_what_is_tied_is_frozen_under_both_names() -> None:
    model = tiny(BertForMaskedLM)
    frozen = freeze(model, "embeddings")
    assert "cls.predictions.decoder.weight" not in frozen
    assert not model.cls.predictions.decoder.weight.requires_grad
    assert model.cls.predictions.bias.requires_grad


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ("embedings", "'embedings'"),
        ("encoder.layer.0-9", r"'encoder\.layer\.4'"),
        ("encoder.layer.4", r"'encoder\.layer\.4'"),
        ("encoder.layer.3-1", r"'encoder\.layer\.3-1'"),
        ("embeddings,", "''"),
        ("embed", "'embed'"),
        ("encoder.layer.0 encoder.layer.1", r"'encoder\.layer\.0 encoder\.layer\.1'"),
        ("qa_outputs", "'qa_outputs'"),
    ],
)
def test_a_part_that_names_nothing_is_refused_with_what_there_is(parts: str, named: str) -> None:
    there = r"There are body, embeddings, encoder, pooler, classifier; encoder\.layer\.0-3"
    with pytest.raises(ValueError, match=rf"freeze: {named} names no parameter\. {there}"):
        freeze(tiny(BertForSequenceClassification, **FOUR), parts)


def test_a_model_without_a_pooler_has_none_to_freeze() -> None:
    with pytest.raises(ValueError, match=r"There are body, embeddings, encoder, qa_outputs;"):
        freeze(tiny(BertForQuestionAnswering), "pooler")


def opened(model: str, **choices: object) -> FineTuning:
    task, path = task_and_file("one label")
    examples = task.read(path)
    recipe = replace(RECIPE, **choices)
    return open_task(task.adapted_to(examples), model, examples, task.read(path), recipe, ALONE, QUIET)


class TestRuns:
    @pytest.mark.parametrize("choices", [{}, {"fast": True}, {"accumulate": 3}], ids=["plain", "fast", "in parts"])
    def test_what_is_frozen_has_no_gradient_and_ends_as_it_began(self, choices: dict, tmp_path: Path) -> None:
        model, (task, path) = small_model(tmp_path / "model"), task_and_file("one label")
        parts = "embeddings,encoder.layer.0"
        recipe = replace(RECIPE, freeze=parts, weight_decay=0.5, **choices)
        before = opened(model).model.state_dict()
        trained, _ = finetune(task, model, path, path, recipe, tmp_path / "run", ALONE, say=QUIET)
        trained.backward(1, trained.batch(1))
        for name, parameter in trained.model.named_parameters():
            is_frozen = name.startswith(("bert.embeddings.", "bert.encoder.layer.0."))
            assert (parameter.grad is None) == is_frozen, name
            assert torch.equal(parameter, before[name]) == is_frozen, name

    def test_the_rest_has_the_gradient_it_always_had(self, tmp_path: Path) -> None:
        model = small_model(tmp_path / "model", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        whole, part = opened(model), opened(model, freeze="body")
        for trained in (whole, part):
            trained.backward(1, trained.batch(1))
        assert torch.equal(whole.model.classifier.weight.grad, part.model.classifier.weight.grad)

    def test_a_run_goes_on_to_the_bit_and_not_with_other_parts(self, tmp_path: Path, interrupted) -> None:
        model, (task, path) = small_model(tmp_path / "dropout"), task_and_file("one label")
        interrupted(task, model, path, replace(RECIPE, epochs=4, freeze="encoder.layer.0"))
        with pytest.raises(ValueError, match=r"another run: it has freeze='encoder\.layer\.0', this one freeze='body'"):
            finetune(
                task, model, path, path, replace(RECIPE, epochs=4, freeze="body"), tmp_path / "cut", ALONE, say=QUIET
            )

    def test_the_command_says_what_is_frozen(self, tmp_path: Path) -> None:
        words = command("classify", task_and_file("one label")[1], small_model(tmp_path / "model"), tmp_path / "run")
        said = run(*words, "--epochs", "1", "--freeze", "body")
        assert said.exit_code == 0, said.output
        model = opened(str(tmp_path / "model"), freeze="body").model
        numbers = [sum(each.numel() for each in part.parameters()) for part in (model.bert, model)]
        assert f"Frozen: body, {numbers[0]:,} of {numbers[1]:,} parameters." in said.output

    def test_a_part_that_is_new_and_frozen_is_named(self, tmp_path: Path) -> None:
        words = command("classify", task_and_file("one label")[1], small_model(tmp_path / "model"), tmp_path / "run")
        said = run(*words, "--epochs", "1", "--freeze", "classifier").output
        assert (
            "Newly initialised and frozen, so they stay as they were drawn at random: classifier.bias, classifier.weight."
            in said
        )

    def test_nothing_left_to_train_is_refused(self, tmp_path: Path) -> None:
        task, path = task_and_file("one label")
        recipe = replace(RECIPE, freeze="body,classifier")
        with pytest.raises(ValueError, match="there is nothing to train"):
            finetune(task, small_model(tmp_path / "model"), path, path, recipe, tmp_path / "run", ALONE, say=QUIET)

    def test_a_part_that_names_nothing_ends_the_command_with_a_sentence(self, tmp_path: Path) -> None:
        words = command("classify", task_and_file("one label")[1], small_model(tmp_path / "model"), tmp_path / "run")
        refused = run(*words, "--freeze", "encoder.layer.7")
        assert refused.exit_code != 0
        assert "'encoder.layer.7' names no parameter" in refused.output + str(refused.exception)
