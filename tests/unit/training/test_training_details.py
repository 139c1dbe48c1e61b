"""Training, piece by piece: what a run says and when, which AdamW it takes, and what several processes are asked."""

from __future__ import annotations

import logging
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from minibert import BertConfig, BertForPreTraining
from minibert.data.corpus import HELD_OUT, PreparedData
from minibert.data.pretraining_batches import PretrainingBatches
from minibert.training import distributed, finetuning, prediction, pretraining
from minibert.training.distributed import Processes, join_processes
from minibert.training.finetuning_recipe import FineTuningRecipe
from minibert.training.loop import Trainable, stop_signals
from minibert.training.pretraining import PATIENCE, SHORTEST_PAIR, Phase, Pretraining, Recipe, pretrain, steps_in
from minibert.training.pretraining_loss import PretrainingLoss, evaluate_pretraining
from minibert.training.remarks import remarks
from minibert.training.run_files import SECONDS_BETWEEN_LINES, STATE, RunCheckpoints, RunLog
from tests.unit.training.small_run import SIZES, corpus, tokenizer
from tests.unit.training.small_tasks import ALONE

CPU, GPU = torch.device("cpu"), torch.device("cuda", 1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return corpus(tmp_path_factory.mktemp("data"))


def config(data: PreparedData) -> BertConfig:
    return BertConfig(vocab_size=data.manifest["vocab_size"], **SIZES)


class TestPretraining:
    def test_the_usual_recipe(self) -> None:
        usual = Recipe()
        assert (usual.steps, usual.tokens_per_step, usual.warmup_steps) == (2000, 8192, 100)
        assert (usual.lr, usual.beta2) == (1.5e-3, 0.98)
        assert [(phase.length, phase.share) for phase in usual.phases] == [(16, 0.2), (32, 0.2), (64, 0.3), (128, 0.3)]

    def test_rows_hold_pairs_from_the_shortest_length_for_one_up(self) -> None:
        assert [Phase(SHORTEST_PAIR + more, 1.0).pairs for more in (-1, 0, 1)] == [False, True, True]

    @pytest.mark.parametrize(("fast", "implementation"), [(True, "fused"), (False, "plain")])
    def test_a_fast_run_takes_adamw_in_one_pass(
        self, data: PreparedData, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fast: bool, implementation: str
    ) -> None:
        seen: list[Any] = []
        adamw = pretraining.AdamW
        monkeypatch.setattr(pretraining, "AdamW", lambda *a, **k: seen.append(k["implementation"]) or adamw(*a, **k))
        monkeypatch.setattr(pretraining, "train", lambda *_, **k: seen.append(k["implementation"]) or {})
        recipe = Recipe(steps=4, tokens_per_step=64, phases=(Phase(32, 1.0),), fast=fast)
        assert steps_in(0.01, data, config(data), recipe, ALONE) >= 1
        assert pretrain(data, config(data), recipe, tmp_path / "run", ALONE) == {}
        assert seen == [implementation] * 2

    def test_a_fast_evaluation_has_the_metrics_of_a_plain_one(self, data: PreparedData, tmp_path: Path) -> None:
        torch.manual_seed(0)
        losses = PretrainingLoss(BertForPreTraining(config(data)))
        rows = PretrainingBatches(data.corpus(HELD_OUT), tokenizer(tmp_path), seed=0)
        plain, fast = (
            evaluate_pretraining(losses, rows, ALONE, number=2, rows=3, length=32, fast=fast) for fast in (False, True)
        )
        assert fast == pytest.approx(plain, rel=1e-4)
        assert plain["loss"] == pytest.approx(plain["words_loss"] + plain["next_loss"])
        assert 0 < plain["next_loss"] < 2
        assert 0 < plain["words_loss"] < 10

    def test_an_evaluation_leaves_every_module_in_its_mode(self, data: PreparedData, tmp_path: Path) -> None:
        losses = PretrainingLoss(BertForPreTraining(config(data))).train()
        losses.model.bert.embeddings.eval()  # frozen, say
        modes = [module.training for module in losses.modules()]
        rows = PretrainingBatches(data.corpus(HELD_OUT), tokenizer(tmp_path), seed=0)
        evaluate_pretraining(losses, rows, ALONE, number=1, rows=2, length=32, fast=False)
        assert [module.training for module in losses.modules()] == modes

    def test_a_run_is_evaluated_on_the_rows_that_minibert_eval_draws(self, data: PreparedData) -> None:
        recipe = Recipe(steps=4, tokens_per_step=64, phases=(Phase(32, 1.0),), seed=7)
        with_seeds = Pretraining(
            BertForPreTraining(config(data)), tokenizer(data.folder.parent), data, recipe=recipe, processes=ALONE
        )
        assert (with_seeds.held_out.seed, with_seeds.rows.seed) == (0, 7)

    @pytest.mark.parametrize("length", [16, 32])
    def test_a_run_without_pairs_is_not_evaluated_on_any(self, data: PreparedData, length: int) -> None:
        recipe = Recipe(steps=4, tokens_per_step=64, phases=(Phase(length, 1.0),))
        run = Pretraining(
            BertForPreTraining(config(data)), tokenizer(data.folder.parent), data, recipe=recipe, processes=ALONE
        )
        assert ("next_loss" in run.evaluate()) == (length >= SHORTEST_PAIR)

    @pytest.mark.parametrize(("processes", "rows"), [(1, 256), (300, 300)])
    def test_an_evaluation_has_a_row_for_each_process(
        self, data: PreparedData, monkeypatch: pytest.MonkeyPatch, processes: int, rows: int
    ) -> None:
        seen: list[int] = []
        monkeypatch.setattr(pretraining, "evaluate_pretraining", lambda *_, **k: seen.append(k["rows"]) or {})
        recipe = Recipe(steps=4, tokens_per_step=64, phases=(Phase(32, 1.0),))
        run = Pretraining(
            BertForPreTraining(config(data)), tokenizer(data.folder.parent), data, recipe=recipe, processes=ALONE
        )
        run.processes = replace(ALONE, size=processes)
        run.evaluate()
        assert seen == [rows]

    def test_counting_words_is_compared_with_the_smoothed_loss(self) -> None:
        log, said, written = said_and_written()
        trained: Any = SimpleNamespace(
            state={"smoothed": None, "fell_through": None},
            recipe=Recipe(steps=10),
            data=SimpleNamespace(unigram_entropy=3.0, manifest={"parts": {HELD_OUT: {"tokens": 0}}}),
        )
        for step, loss in ((1, 5.0), (2, 4.0), (PATIENCE, 3.0), (PATIENCE + 1, -60.0), (PATIENCE + 2, 0.0)):
            Pretraining.notice(trained, step, {"words_loss": loss}, log)
            if step == 2:
                assert trained.state == {"smoothed": pytest.approx(4.95), "fell_through": None}
        assert [line.partition(":")[0] for line in said] == [
            "A model that only counts words needs 3.000 nats a word.",
            "Nothing is held out",
            f"step {PATIENCE}",
            f"step {PATIENCE + 1}",
        ]
        assert "no better than counting words yet" in said[2]
        assert "better than counting words (" in said[3]
        assert written == [(0, {"unigram_entropy": 3.0}), (PATIENCE + 1, {"fell_through": 3.0})]


def said_and_written() -> tuple[Any, list[str], list[Any]]:
    """A log that keeps what it is told to say and to write."""
    said: list[str] = []
    written: list[Any] = []
    return SimpleNamespace(say=said.append, write=lambda step, **values: written.append((step, values))), said, written


class TestWhatARunSays:
    def test_metrics_stand_in_a_row_in_words(self) -> None:
        assert Trainable.describe(ALONE, {"loss": 1.0, "macro_f1": 0.25}) == "loss 1.000, macro f1 0.250"  # type: ignore[arg-type]

    def test_elsewhere_than_on_a_terminal_a_line_is_shown_now_and_then(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = RunLog(tmp_path / "log.jsonl", steps=9)
        log.show(1, "loss 3")
        log.shown -= SECONDS_BETWEEN_LINES
        log.show(2, "loss 2")
        log.show(3, "loss 1")
        assert capsys.readouterr().out == "step 2 of 9: loss 2\n"
        log.bar = SimpleNamespace(disable=False, n=3, update=int, set_postfix_str=lambda *_, **__: None)  # a terminal's
        log.shown -= SECONDS_BETWEEN_LINES
        log.show(4, "loss 0")
        assert capsys.readouterr().out == ""

    def test_a_checkpoint_that_cannot_be_read_is_named_with_the_reason_and_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "step-00000001").mkdir()
        (tmp_path / "step-00000001" / STATE).write_bytes(b"half")
        with pytest.raises(ValueError, match=r"cannot be read \(it is damaged, or none of a training: \w+\)\. Remove"):
            RunCheckpoints(tmp_path).load(1)

    @pytest.mark.parametrize(
        ("epochs", "said"), [(3, "The whole run is 6 steps, in"), (500, None), (None, "is 0 steps")]
    )
    def test_a_run_of_few_steps_is_remarked_with_their_number(self, epochs: int | None, said: str | None) -> None:
        rows = [{"input_ids": [2, 3], "labels": label} for label in (0, 1, 1, 0)]
        some: Any = SimpleNamespace(items=["a", "b", "c", "d"], rows=rows)
        others: Any = SimpleNamespace(items=["e"], rows=rows[:1])
        found = list(remarks(some, others, FineTuningRecipe(epochs=epochs, batch_size=2)))
        assert len(found) == (said is not None)
        assert all(said in line for line in found if said)

    def test_what_loading_says_is_said_by_the_packages_own_logger(self) -> None:
        assert finetuning.logger is prediction.logger is logging.getLogger("minibert")

    def test_a_signal_is_noted_and_the_next_one_is_handled_as_before(self) -> None:
        came: list[int] = []
        outside = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
        before = signal.getsignal(signal.SIGTERM)
        try:
            with stop_signals() as asked:
                signal.raise_signal(signal.SIGTERM)
                assert (asked, came) == ([signal.SIGTERM], [])
                signal.raise_signal(signal.SIGTERM)
                assert (asked, came) == ([signal.SIGTERM], [signal.SIGTERM])
            assert signal.getsignal(signal.SIGTERM) is before
        finally:
            signal.signal(signal.SIGTERM, outside)


class Elsewhere(nn.Module):
    """A module that says that it is on whatever device it is asked to go to."""

    def to(self, device: torch.device) -> Elsewhere:  # type: ignore[override]
        self.device = device
        return self


class TestSeveralProcesses:
    @pytest.mark.parametrize(("device", "backend"), [(CPU, "gloo"), (GPU, "nccl")])
    def test_they_talk_by_what_is_made_for_their_devices(
        self, monkeypatch: pytest.MonkeyPatch, device: torch.device, backend: str
    ) -> None:
        used: list[torch.device] = []
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setattr(distributed, "best_device", lambda _: device)
        monkeypatch.setattr(torch.cuda, "set_device", used.append)

        def no_group(name: str, **_: Any) -> None:
            raise RuntimeError(name)

        monkeypatch.setattr(distributed.dist, "init_process_group", no_group)
        with pytest.raises(RuntimeError, match=f"^{backend}$"), join_processes():
            pass
        assert used == ([device] if device is GPU else [])

    def test_each_ones_value_is_gathered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def gather(values: list[Any], value: Any) -> None:
            values[:] = [f"{value} of {rank}" for rank in range(len(values))]

        monkeypatch.setattr(distributed.dist, "all_gather_object", gather)
        assert Processes(0, 3, CPU).gather("a") == ["a of 0", "a of 1", "a of 2"]

    @pytest.mark.parametrize(("device", "ids"), [(CPU, None), (GPU, [GPU])])
    def test_a_module_is_wrapped_on_its_device(
        self, monkeypatch: pytest.MonkeyPatch, device: torch.device, ids: list[torch.device] | None
    ) -> None:
        module = Elsewhere()
        monkeypatch.setattr(distributed, "DistributedDataParallel", lambda module, device_ids: (module, device_ids))
        assert Processes(0, 2, device).wrap(module) == (module, ids)
        assert module.device == device

    def test_shards_are_spread_over_all_of_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        spread: list[Any] = []
        module, shard = Elsewhere(), nn.Linear(1, 1)
        monkeypatch.setattr(distributed, "_MESHES", [])
        monkeypatch.setattr(distributed, "init_device_mesh", lambda kind, shape: (kind, shape))
        monkeypatch.setattr(distributed, "fully_shard", lambda each, mesh: spread.append((each, mesh)))
        assert Processes(0, 2, CPU).wrap(module, [shard]) is module
        assert spread == [(shard, ("cpu", (2,))), (module, ("cpu", (2,)))]
