"""Pre-training learns, stops and goes on, alone and in company."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from minibert import BertConfig, BertForPreTraining
from minibert.data.corpus import TRAIN, PreparedData
from minibert.data.pretraining_batches import PretrainingBatches
from minibert.fast.last_layer import last_layer_at_labels
from minibert.tokenization import BertTokenizer
from minibert.training import loop
from minibert.training.distributed import Processes
from minibert.training.loop import LoopOptions, NotFiniteError, Trainable
from minibert.training.pretraining import Phase, Recipe, parse_phases, pretrain
from minibert.training.pretraining_loss import PretrainingLoss, count_labels
from minibert.training.run_files import STATE, RunCheckpoints, RunLog, read_log
from tests.forks import Fork, company, minibert

from .small_run import SIZES, command, config_file, corpus, dying, log_of, options, start, wait_for

ALONE = Processes(0, 1, torch.device("cpu"))
SMALL = Recipe(steps=12, tokens_per_step=256, phases=(Phase(16, 0.5), Phase(32, 0.5)), warmup_steps=3)


@pytest.fixture
def data(tmp_path: Path) -> PreparedData:
    return corpus(tmp_path)


def config(data: PreparedData, **overrides: Any) -> BertConfig:
    dropouts = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return BertConfig(**{"vocab_size": data.manifest["vocab_size"], **SIZES, **dropouts, **overrides})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return BertForPreTraining.from_pretrained(folder).state_dict()


def assert_same_bits(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


class TestLoss:
    def batch(self, data: PreparedData, pairs: bool) -> dict[str, torch.Tensor]:
        tokenizer = BertTokenizer.from_pretrained(data.folder)
        return PretrainingBatches(data.corpus(TRAIN), tokenizer, seed=0).batch(1, 0, range(8), 32, pairs)

    @pytest.mark.seconds
    @pytest.mark.parametrize(
        "how",
        [
            {},
            {"attn_implementation": "sdpa"},
            {"attn_implementation": "packed"},
            {"position_embedding_type": "relative_key_query"},
            {"num_hidden_layers": 1},
            {"chunk_size_feed_forward": 1},
        ],
    )
    @pytest.mark.parametrize("fast", [False, True])
    def test_scoring_where_words_are_hidden_gives_the_models_loss_and_gradients(
        self, data: PreparedData, how: dict, fast: bool
    ) -> None:
        batch = self.batch(data, pairs=True)
        torch.manual_seed(0)
        model = BertForPreTraining(config(data, initializer_range=0.3, **how))
        with last_layer_at_labels(model.bert, batch) if fast else nullcontext(batch) as read:
            losses = PretrainingLoss(model)(**read)
            losses.mean(*count_labels(batch)).backward()
        gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
        assert any(gradient is not None for gradient in gradients.values())
        model.zero_grad()
        outputs = model(**batch)
        outputs.loss.backward()
        torch.testing.assert_close(losses.mean(*count_labels(batch)), outputs.loss)
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:  # relative positions leave the table of absolute ones alone
                torch.testing.assert_close(gradients[name], parameter.grad, msg=name)

    def test_right_guesses_are_counted(self, data: PreparedData) -> None:
        batch = self.batch(data, pairs=True)
        torch.manual_seed(0)
        model = BertForPreTraining(config(data)).eval()
        outputs = model(batch["input_ids"], batch["attention_mask"], batch["token_type_ids"])
        hidden = batch["labels"] != -100
        right = (outputs.prediction_logits.argmax(-1)[hidden] == batch["labels"][hidden]).sum()
        following = (outputs.seq_relationship_logits.argmax(-1) == batch["next_sentence_label"]).sum()
        losses = PretrainingLoss(model)(**batch)
        assert (losses.words_right, losses.next_sentence_right) == (right, following)

    def test_without_pairs_every_parameter_still_has_a_gradient(self, data: PreparedData) -> None:
        model = BertForPreTraining(config(data))
        batch = self.batch(data, pairs=False)
        PretrainingLoss(model)(**batch).mean(*count_labels(batch)).backward()
        assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
        assert (model.cls.seq_relationship.weight.grad == 0).all()


class TestRecipe:
    def test_phases_follow_one_another_and_count_their_rows(self) -> None:
        recipe = Recipe(steps=10, tokens_per_step=64, phases=parse_phases("4:0.2,8:0.3,16:0.5"))
        seen = [recipe.at(step) for step in range(1, 11)]
        assert [phase.length for phase, *_ in seen] == [4] * 2 + [8] * 3 + [16] * 5
        assert [rows for _, rows, _ in seen] == [16] * 2 + [8] * 3 + [4] * 5
        assert [before for *_, before in seen] == [0, 16, 0, 8, 16, 0, 4, 8, 12, 16]

    def test_a_length_that_comes_again_goes_on_in_the_text(self) -> None:
        recipe = Recipe(steps=10, tokens_per_step=64, phases=parse_phases("8:0.3,16:0.3,8:0.4"))
        assert [recipe.at(step)[2] for step in range(1, 11)] == [0, 8, 16, 0, 4, 8, 24, 32, 40, 48]

    def test_each_process_needs_a_row(self, data: PreparedData, tmp_path: Path) -> None:
        company = replace(ALONE, size=9)
        with pytest.raises(ValueError, match="256: 8 rows of 32 positions for 9 processes, each of which needs one"):
            pretrain(data, config(data), SMALL, tmp_path, company)

    @pytest.mark.parametrize("rows", [[4, 3], [5, 6], [2, 1], [3, 9]])
    def test_processes_that_lend_each_other_layers_have_as_many_parts(self, rows: list[int]) -> None:
        batches = [{"input_ids": torch.arange(number)} for number in rows]
        processes = SimpleNamespace(device="cpu", gather=lambda _: rows)
        sharded: Any = SimpleNamespace(recipe=replace(SMALL, accumulate=3), sharded=True, processes=processes)
        parts = [Trainable.parts(sharded, batch) for batch in batches]
        assert len(parts[0]) == len(parts[1]) == min(3, *rows)
        for batch, own in zip(batches, parts, strict=True):
            assert torch.cat([part["input_ids"] for part in own]).tolist() == batch["input_ids"].tolist()
            assert all(len(part["input_ids"]) for part in own)

    def test_a_corpus_that_was_prepared_otherwise_is_another_run(self, data: PreparedData, tmp_path: Path) -> None:
        pretrain(data, config(data), replace(SMALL, steps=2), tmp_path, ALONE)
        other = replace(data, manifest={**data.manifest, "held_out_by": "documents"})
        with pytest.raises(ValueError, match=r"holds another run: it has prepared\.held_out_by=.files., this one"):
            pretrain(other, config(data), replace(SMALL, steps=2), tmp_path, ALONE)

    def test_a_run_that_goes_on_takes_the_ways_that_were_faster(
        self, data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kind, recipe = (torch.float32, 1, 2, 3, 1, False), replace(SMALL, steps=2)
        monkeypatch.setattr(loop, "FASTER", {kind: True})
        pretrain(data, config(data), recipe, tmp_path, ALONE)
        monkeypatch.setattr(loop, "FASTER", found := {})
        pretrain(data, config(data), recipe, tmp_path, ALONE)
        assert found[kind] is True

    @pytest.mark.seconds
    def test_accumulated_parts_train_like_a_whole_batch(self, data: PreparedData, tmp_path: Path) -> None:
        pretrain(data, config(data), SMALL, tmp_path / "whole", ALONE)
        pretrain(data, config(data), replace(SMALL, accumulate=3), tmp_path / "parts", ALONE)
        for a, b in zip(log_of(tmp_path / "whole"), log_of(tmp_path / "parts"), strict=True):
            assert a == pytest.approx(b, rel=1e-4)

    @pytest.mark.slow
    def test_the_loss_falls_below_counting_words_and_the_run_says_so(
        self, data: PreparedData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recipe = Recipe(steps=150, tokens_per_step=512, phases=(Phase(32, 1.0),), warmup_steps=10, lr=5e-3)
        best = pretrain(data, config(data, hidden_size=32), recipe, tmp_path / "run", ALONE)
        assert best["words_loss"] < data.unigram_entropy
        log = read_log(tmp_path / "run" / "log.jsonl")
        assert log[0] == {"step": 0, "unigram_entropy": data.unigram_entropy}
        assert any("fell_through" in line for line in log)
        assert "better than counting words" in capsys.readouterr().out

    @pytest.mark.slow
    def test_a_loss_that_stands_still_is_pointed_out(
        self, data: PreparedData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recipe = Recipe(steps=301, tokens_per_step=32, phases=(Phase(8, 1.0),), lr=0.0)
        pretrain(data, config(data), recipe, tmp_path / "run", ALONE)
        assert "no better than counting words yet" in capsys.readouterr().out


class TestResuming:
    @pytest.mark.slow(5)
    def test_a_run_killed_again_and_again_ends_with_the_bits_of_a_whole_one(
        self, data: PreparedData, tmp_path: Path
    ) -> None:
        config_file(tmp_path, data, dropout=0.1)
        whole = Fork(minibert(options(tmp_path, "whole")), tmp_path / "whole.txt").end()
        assert whole[0] == 0, whole[1]
        # Checkpoints are written every 5 steps, each with several flushes: the kills fall between them and into them.
        for what, when in (("step", 9), ("flush", 2), ("step", 7), ("flush", 8)):
            code, output = Fork(dying(options(tmp_path, "killed"), what, when), tmp_path / "killed.txt").end()
            assert code == -signal.SIGKILL, output
        assert RunCheckpoints(tmp_path / "killed" / "checkpoints").newest() == 10
        last = Fork(minibert(options(tmp_path, "killed")), tmp_path / "last.txt").end()
        assert last[0] == 0, last[1]
        assert_same_bits(weights(tmp_path / "killed" / "model"), weights(tmp_path / "whole" / "model"))
        final = [torch.load(tmp_path / run / "checkpoints/step-00000030" / STATE) for run in ("killed", "whole")]
        for a, b in zip(*(state["optimizers"][0]["state"].values() for state in final), strict=True):
            assert torch.equal(a["exp_avg"], b["exp_avg"])
            assert torch.equal(a["exp_avg_sq"], b["exp_avg_sq"])
        assert log_of(tmp_path / "killed") == log_of(tmp_path / "whole")
        assert list((tmp_path / "killed" / "checkpoints").glob(".*")) == []

    @pytest.mark.slow(5)
    def test_being_asked_to_stop_saves_and_the_same_command_goes_on(self, data: PreparedData, tmp_path: Path) -> None:
        config_file(tmp_path, data)
        endless = command(tmp_path, "run", "--steps", "100000", "--save-every", "100000")
        run = start(endless)
        wait_for(run, "only counts words")
        run.send_signal(signal.SIGTERM)
        output = run.communicate(timeout=60)[0]
        assert run.returncode == 128 + signal.SIGTERM, output
        assert "The same command goes on from here." in output
        stopped_at = RunCheckpoints(tmp_path / "run" / "checkpoints").newest()
        again = start(endless)
        assert wait_for(again, "Going on") == f"Going on from step {stopped_at}.\n"
        again.kill()
        again.communicate()

    def test_another_recipe_is_refused(self, data: PreparedData, tmp_path: Path) -> None:
        pretrain(data, config(data), SMALL, tmp_path / "run", ALONE)
        with pytest.raises(ValueError, match=r"another run: it has lr=0.0015, this one lr=0.1\."):
            pretrain(data, config(data), replace(SMALL, lr=0.1), tmp_path / "run", ALONE)

    def test_the_newest_and_the_best_are_kept(self, tmp_path: Path) -> None:
        checkpoints = RunCheckpoints(tmp_path, keep=2)
        for step in (10, 20, 30, 40):
            checkpoints.save(step, {"step": step}, lambda _: None, best=10)
        assert checkpoints.steps() == [10, 30, 40]
        assert checkpoints.load(30) == {"step": 30}

    def test_a_half_written_checkpoint_is_never_read(self, tmp_path: Path) -> None:
        checkpoints = RunCheckpoints(tmp_path)
        checkpoints.save(1, {"step": 1}, lambda _: None, best=None)
        unfinished = tmp_path / ".unfinished-2-99"
        unfinished.mkdir()
        (unfinished / STATE).write_bytes(b"half")
        (tmp_path / "step-00000003").mkdir()  # no state in it
        assert checkpoints.newest() == 1
        checkpoints.remove_unfinished()
        assert not unfinished.exists()

    def test_a_log_forgets_what_will_happen_again(self, tmp_path: Path) -> None:
        path = tmp_path / "log.jsonl"
        path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"step": 4, "wor', encoding="utf-8")
        before = path.read_bytes()
        RunLog(path, steps=5, first=2, quiet=True).write(3, loss=1.0)  # another process, which leaves the file alone
        assert path.read_bytes() == before
        RunLog(path, steps=5, first=2).write(3, loss=1.0)
        assert read_log(path) == [{"step": 1}, {"step": 2}, {"step": 3, "loss": 1.0}]


@pytest.mark.slow(10)
class TestCompany:
    LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")

    @pytest.mark.parametrize("more", [(), ("--shard",)])
    def test_two_processes_lose_what_one_loses(self, data: PreparedData, tmp_path: Path, more: tuple[str, ...]) -> None:
        config_file(tmp_path, data)
        steps = ("--steps", "50", "--save-every", "25")
        one = Fork(minibert(options(tmp_path, "one", *steps)), tmp_path / "one.txt")
        codes, output = company(minibert(options(tmp_path, "two", *steps, *more)), tmp_path / "two.txt")
        assert codes == [0, 0], output
        assert one.end()[0] == 0, one.end()[1]
        one, two = log_of(tmp_path / "one"), log_of(tmp_path / "two")
        assert [line.keys() for line in one] == [line.keys() for line in two]
        for a, b in zip(one, two, strict=True):
            for name in a.keys() - {"norm", "rate"}:
                assert a[name] == pytest.approx(b[name], rel=0, abs=1e-5), (a["step"], name)
        assert sum("loss" in line for line in one) == 5
        for name, tensor in weights(tmp_path / "one" / "model").items():
            torch.testing.assert_close(weights(tmp_path / "two" / "model")[name], tensor, rtol=1e-3, atol=1e-4)

    def test_a_run_spread_over_two_processes_goes_on_to_the_bit(self, data: PreparedData, tmp_path: Path) -> None:
        config_file(tmp_path, data)
        spread = minibert(options(tmp_path, "run", "--shard"))
        codes, output = company(spread, tmp_path / "first.txt")
        assert codes == [0, 0], output
        last = tmp_path / "run" / "checkpoints" / "step-00000030"
        ending = weights(last)
        shutil.rmtree(last)
        codes, output = company(spread, tmp_path / "again.txt")
        assert codes == [0, 0], output
        assert "Going on from step 25." in output
        assert_same_bits(weights(last), ending)

    def test_a_worker_that_dies_ends_the_run_with_an_error(self, data: PreparedData, tmp_path: Path) -> None:
        config_file(tmp_path, data)
        run = start(command(tmp_path, "run", "--steps", "1000000"), self.LAUNCHER)
        wait_for(run, "only counts words")
        workers = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        if not workers.is_file():
            run.kill()
            pytest.skip("needs /proc to find the workers")
        os.kill(int(workers.read_text().split()[-1]), signal.SIGKILL)
        output = run.communicate(timeout=90)[0]
        assert run.returncode not in (0, None)
        assert "SIGKILL" in output or "exitcode" in output

    def test_shares_cover_a_batch_once(self) -> None:
        for size in (1, 2, 3, 7):
            shares = [Processes(rank, size, torch.device("cpu")).share(20) for rank in range(size)]
            assert [row for share in shares for row in share] == list(range(20))


class TestFailures:
    def test_a_loss_that_is_not_finite_stops_the_run_before_the_weights_are_touched(
        self, data: PreparedData, tmp_path: Path
    ) -> None:
        with pytest.raises(NotFiniteError, match=r"step \d+ is (nan|inf).*lower learning rate"):
            pretrain(data, config(data), replace(SMALL, lr=1e30, warmup_steps=0, clip=0.0), tmp_path / "run", ALONE)

    def test_a_full_disk_names_the_last_good_checkpoint_and_leaves_it(self, tmp_path: Path) -> None:
        checkpoints = RunCheckpoints(tmp_path)
        checkpoints.save(1, {"step": 1}, lambda _: None, best=None)

        def fail(folder: Path) -> None:
            (folder / "half").write_bytes(b"x")
            raise OSError(28, "No space left on device")

        with pytest.raises(
            OSError, match=r"step 2 could not be written.*No space left.*last good checkpoint is step 1\."
        ):
            checkpoints.save(2, {"step": 2}, fail, best=None)
        assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]

    @pytest.mark.slow
    def test_a_real_limit_on_file_sizes_stops_the_run_in_one_line(self, data: PreparedData, tmp_path: Path) -> None:
        config_file(tmp_path, data)
        words = command(tmp_path, "run")
        limited = (
            "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
            "sys.argv = ['minibert', *sys.argv[1:]]; runpy.run_module('minibert', run_name='__main__')"
        )
        run = start(["-c", limited, *words[2:]])
        output = run.communicate(timeout=120)[0]
        assert run.returncode == 1, output
        assert "could not be written" in output
        assert "Traceback" not in output
        assert list((tmp_path / "run" / "checkpoints").iterdir()) == []

    def test_a_folder_that_cannot_be_made_is_named(self, data: PreparedData, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(OSError, match="file"):
            pretrain(data, config(data), SMALL, tmp_path / "file" / "run", ALONE)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("16", "LENGTH:SHARE"),
            ("16:0.5", "sum to 1"),
            ("2:1", "at least 4"),
            ("16:0,8:1", "above 0"),
            ("a:1", "LENGTH"),
        ],
    )
    def test_phases_that_make_no_sense(self, text: str, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            parse_phases(text)

    def test_options_that_make_no_sense(self) -> None:
        with pytest.raises(ValueError, match="steps is 0"):
            Recipe(steps=0)
        with pytest.raises(ValueError, match="not one row of 128"):
            Recipe(tokens_per_step=100)
        with pytest.raises(ValueError, match="float32 or bfloat16"):
            Recipe(precision="float16")
        with pytest.raises(ValueError, match="save_every is 0"):
            LoopOptions(10, save_every=0)

    def test_a_config_that_does_not_fit_the_text(self, data: PreparedData, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="vocab_size 99"):
            pretrain(data, config(data, vocab_size=99), SMALL, tmp_path / "run", ALONE)
        with pytest.raises(ValueError, match="do not fit 24"):
            pretrain(data, config(data, max_position_embeddings=24), SMALL, tmp_path / "run", ALONE)

    def test_the_recipe_is_plain_data(self, data: PreparedData, tmp_path: Path) -> None:
        pretrain(data, config(data), SMALL, tmp_path / "run", ALONE)
        state = RunCheckpoints(tmp_path / "run" / "checkpoints").load(12)
        assert json.loads(json.dumps(state["recipe"]))["steps"] == 12
        assert math.isfinite(state["best"]["loss"])
