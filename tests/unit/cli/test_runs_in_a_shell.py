"""Runs as a shell sees them: exit codes of what was stopped, lines where there is no terminal, a learning rate that fits the model."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from course.samples import sample
from minibert.training.finetuning_recipe import usual_lr
from minibert.training.loop import stop_signals
from minibert.training.run_files import RunLog
from tests.unit.cli.running import run
from tests.unit.training.small_tasks import command, small_model

REVIEWS = sample("reviews.csv")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_ends_with_the_signals_exit_code_and_can_be_resumed(
    number: signal.Signals, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = RunLog.show

    def stop_at_step_two(log: RunLog, step: int, text: str) -> None:
        show(log, step, text)
        if step == 2:
            os.kill(os.getpid(), number)

    words = command("classify", REVIEWS, model, tmp_path / "run", "--batch-size", "8", "--epochs", "1")
    monkeypatch.setattr(
        "minibert.training.finetuning.min", lambda *_: 1, raising=False
    )  # a line in the log for each step
    with monkeypatch.context() as patched:
        patched.setattr(RunLog, "show", stop_at_step_two)
        stopped = run(*words)
    assert stopped.exit_code == 128 + number
    assert "Stopped at step 2. The same command goes on from here." in stopped.stdout
    resumed = run(*words)
    assert resumed.exit_code == 0
    assert "Going on from step 2." in resumed.stdout


def test_a_command_that_is_interrupted_before_it_trains_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("minibert.BertTokenizer.from_pretrained", interrupted)
    result = run("tokenize", "hello")
    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")


def test_both_signals_are_noted_and_the_handlers_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_signals() as arrived:
        os.kill(os.getpid(), signal.SIGTERM)
        assert arrived == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_terminal_a_run_prints_a_line_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = RunLog(tmp_path / "log.jsonl", steps=40)
    log.show(10, "loss 2.000")
    assert capsys.readouterr().out == ""  # the last line is not long ago
    monkeypatch.setattr("minibert.training.run_files.SECONDS_BETWEEN_LINES", 0)
    log.show(20, "loss 1.000")
    assert capsys.readouterr().out == "step 20 of 40: loss 1.000\n"
    RunLog(tmp_path / "other.jsonl", steps=40, quiet=True).show(20, "loss 1.000")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("width", "lr"), [(1024, 3e-5), (768, 5e-5), (512, 1e-4), (384, 2e-4), (256, 3e-4), (128, 9e-4), (16, 1e-3)]
)
def test_the_usual_learning_rate_grows_as_models_get_narrower(width: int, lr: float) -> None:
    assert usual_lr(width) == lr


def test_a_run_says_the_learning_rate_it_chose_and_keeps_one_that_is_given(model: str, tmp_path: Path) -> None:
    chosen = run(*command("classify", REVIEWS, model, tmp_path / "chosen", "--epochs", "1"))
    assert "Learning rate: 0.001, as usual for the model's width; choose another with --lr …." in chosen.stdout
    given = run(*command("classify", REVIEWS, model, tmp_path / "given", "--epochs", "1", "--lr", "1e-5"))
    assert given.exit_code == 0
    assert "Learning rate" not in given.stdout
