"""What a student reads is what runs: from Python, training takes the plain way, and the fast way gives the same when it is asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from minibert.data.corpus import PreparedData
from minibert.model.layer import BertLayer
from minibert.optim import AdamW
from minibert.training import loop
from minibert.training.finetuning import finetune
from minibert.training.pretraining import Phase, Pretraining, Recipe, pretrain
from minibert.training.run_files import check_same_recipe
from tests.unit.training.small_run import SIZES, corpus, log_of
from tests.unit.training.small_tasks import ALONE, QUIET, RECIPE, SAMPLE_TASKS, small_model, task_and_file
from tests.unit.training.test_fast_finetuning import opened

SMALL = Recipe(steps=12, tokens_per_step=256, phases=(Phase(16, 0.5), Phase(32, 0.5)), warmup_steps=3)


@pytest.fixture
def data(tmp_path: Path) -> PreparedData:
    return corpus(tmp_path)


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often the `BertLayer.forward` of the source is entered, for each layer of the model."""
    counts: Counter[int] = Counter()
    forward = BertLayer.forward

    def counting(layer: BertLayer, *arguments: Any, **named: Any) -> Any:
        counts[id(layer)] += 1
        return forward(layer, *arguments, **named)

    monkeypatch.setattr(BertLayer, "forward", counting)
    return counts


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the optimizers of the runs compute."""
    found: list[str] = []

    class Noticed(AdamW):
        def __init__(self, *arguments: Any, implementation: str, **named: Any):
            found.append(implementation)
            super().__init__(*arguments, implementation=implementation, **named)

    monkeypatch.setattr(loop, "AdamW", Noticed)
    return found


def config(data: PreparedData) -> Any:
    from minibert import BertConfig

    dropouts = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return BertConfig(vocab_size=data.manifest["vocab_size"], **SIZES, **dropouts)


class TestPretraining:
    def test_every_layers_own_forward_runs(
        self, data: PreparedData, tmp_path: Path, entered: Counter[int], updates: list[str]
    ) -> None:
        pretrain(data, config(data), SMALL, tmp_path / "run", ALONE)
        evaluations = 10
        assert list(entered.values()) == [SMALL.steps + evaluations] * SIZES["num_hidden_layers"]
        assert updates == ["plain"]

    @pytest.mark.seconds
    def test_asked_to_be_fast_the_last_layer_runs_only_where_it_is_read(
        self, data: PreparedData, tmp_path: Path, entered: Counter[int], updates: list[str]
    ) -> None:
        pretrain(data, config(data), replace(SMALL, fast=True), tmp_path / "run", ALONE)
        assert len(entered) == SIZES["num_hidden_layers"] - 1
        assert updates == ["fused"]

    @pytest.mark.slow
    def test_a_fast_run_is_a_plain_one(self, data: PreparedData, tmp_path: Path) -> None:
        for name, fast in (("plain", False), ("fast", True)):
            pretrain(data, config(data), replace(SMALL, fast=fast), tmp_path / name, ALONE)
        for plain, fast_line in zip(log_of(tmp_path / "plain"), log_of(tmp_path / "fast"), strict=True):
            assert fast_line == pytest.approx(plain, abs=1e-4)

    def test_the_batches_of_a_run_come_from_a_loader_and_can_begin_anywhere(self, data: PreparedData) -> None:
        from minibert import BertForPreTraining, BertTokenizer

        tokenizer = BertTokenizer.from_pretrained(data.folder)
        trained = Pretraining(BertForPreTraining(config(data)), tokenizer, data, SMALL, ALONE)
        whole = list(trained.batches(1))
        assert isinstance(trained.batches(1), DataLoader)
        assert len(whole) == SMALL.steps
        for step, batch in enumerate(trained.batches(8), start=8):
            phase, rows, before = SMALL.at(step)
            expected = trained.rows.batch(step, before, range(rows), phase.length, phase.pairs)
            assert batch.keys() == expected.keys() == whole[step - 1].keys()
            for name, column in batch.items():
                assert torch.equal(column, expected[name])
                assert torch.equal(column, whole[step - 1][name])


class TestFineTuning:
    @pytest.mark.seconds
    @pytest.mark.parametrize("name", ["one label", "tags"])
    def test_every_layers_own_forward_runs(
        self, name: str, tmp_path: Path, entered: Counter[int], updates: list[str]
    ) -> None:
        model = small_model(tmp_path / "model")
        task, path = task_and_file(name)
        recipe = replace(RECIPE, epochs=1, evaluate_every=10_000)
        trained, _ = finetune(task, model, path, path, recipe, tmp_path / "plain", ALONE, say=QUIET)
        layers = trained.model.base_model.encoder.layer
        counts = [entered[id(layer)] for layer in layers]
        assert counts == [counts[0]] * len(layers)
        assert counts[0] > trained.steps
        finetune(task, model, path, path, recipe, tmp_path / "blocked", ALONE, say=QUIET, adamw="blocked")
        finetune(task, model, path, path, replace(recipe, fast=True), tmp_path / "fast", ALONE, say=QUIET)
        assert updates == ["plain", "blocked", "fused"]

    @pytest.mark.parametrize("name", SAMPLE_TASKS)
    def test_the_batches_of_a_run_come_from_a_loader_and_can_begin_anywhere(self, name: str, tmp_path: Path) -> None:
        trained = opened(name, tmp_path / "model", RECIPE)
        before = torch.get_rng_state()
        whole = list(trained.batches(1))
        assert isinstance(trained.batches(1), DataLoader)
        assert len(whole) == trained.steps
        for step, batch in enumerate(trained.batches(3), start=3):
            assert all(torch.equal(column, whole[step - 1][name]) for name, column in batch.items())
        assert torch.equal(torch.get_rng_state(), before)


def test_a_run_that_was_saved_before_there_was_a_choice_goes_on(tmp_path: Path) -> None:
    """Its recipe has no `fast`: it was always fast, and the command still is."""
    recipe = {"lr": 0.1, "fast": True}
    check_same_recipe(recipe, {"lr": 0.1}, tmp_path)
    with pytest.raises(ValueError, match=r"another run: it has lr=0\.2, this one lr=0\.1\."):
        check_same_recipe(recipe, {"lr": 0.2}, tmp_path)
