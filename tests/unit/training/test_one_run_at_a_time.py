"""One run at a time in a folder; what it left damaged is named, and does not stop the next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from minibert.training import run_files
from minibert.training.run_files import STATE, RunCheckpoints, RunLog, alone_in, read_log
from tests.unit.training.small_tasks import command, small_model, task_and_file

HOLD = """
import sys
from collections.abc import Iterator
from pathlib import Path
from minibert.training.run_files import alone_in
with alone_in(Path(sys.argv[1])):
    print("at work", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def at_work(tmp_path: Path):
    """Another process with a run in tmp_path/out."""
    run = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "out")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert run.stdout.readline().startswith(b"at work")
    yield run
    run.kill()
    run.communicate()


class TestOneRunAtATime:
    @pytest.mark.seconds
    @pytest.mark.usefixtures("at_work")
    def test_a_second_one_says_that_another_is_at_work(self, tmp_path: Path) -> None:
        with (
            pytest.raises(ValueError, match=r"Another run is at work in .*out'. Wait until it has ended"),
            alone_in(tmp_path / "out"),
        ):
            pass

    def test_what_a_killed_run_left_half_written_is_removed(self, tmp_path: Path) -> None:
        for name in (".log.0123abcd.tmp.jsonl", ".curve.89abcdef.tmp.png", ".mine.tmp", ".log.0123abc.tmp.jsonl"):
            (tmp_path / name).touch()
        with alone_in(tmp_path):
            assert {path.name for path in tmp_path.iterdir()} == {".running", ".mine.tmp", ".log.0123abc.tmp.jsonl"}

    @pytest.mark.slow
    @pytest.mark.usefixtures("at_work")
    def test_the_command_line_says_so_in_a_line(self, tmp_path: Path) -> None:
        _, file = task_and_file("one label")
        words = [
            sys.executable,
            "-m",
            "minibert",
            *command("classify", file, small_model(tmp_path / "model"), tmp_path / "out"),
        ]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 1
        assert "Another run is at work in" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "out" / "log.jsonl").exists()

    @pytest.mark.seconds
    def test_after_a_kill_the_next_may_begin(self, tmp_path: Path, at_work: subprocess.Popen[bytes]) -> None:
        at_work.kill()
        at_work.communicate()
        with alone_in(tmp_path / "out"):
            pass
        assert list((tmp_path / "out").iterdir()) == []

    @pytest.mark.seconds
    @pytest.mark.usefixtures("at_work")
    def test_other_processes_of_the_same_run_do_not_ask(self, tmp_path: Path) -> None:
        with alone_in(tmp_path / "out", leads=False):
            pass

    @pytest.mark.seconds
    @pytest.mark.usefixtures("at_work")
    def test_another_folder_is_free(self, tmp_path: Path) -> None:
        with alone_in(tmp_path / "other"), pytest.raises(ValueError, match="at work"), alone_in(tmp_path / "other"):
            pass

    def test_an_error_frees_the_folder(self, tmp_path: Path) -> None:
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt), alone_in(tmp_path):
                raise KeyboardInterrupt


GOOD = b'{"step": 1, "loss": 2.5}\n'
DAMAGE = {
    "a number": b"5\n",
    "a list": b"[]\n",
    "text": b'"step"\n',
    "nothing": b"null\n",
    "no step": b'{"a": 1}\n',
    "a step that is text": b'{"step": "x"}\n',
    "a step that is true": b'{"step": true}\n',
    "a step of half": b'{"step": 1.5}\n',
    "not UTF-8": b"\xff\xfe\n",
    "brackets": b"[" * 100_000 + b"\n",
    "zeros": bytes(100) + b"\n",
    "an empty line": b"\n",
    "half a line": b'{"st\n',
}


@pytest.mark.parametrize("damage", DAMAGE)
class TestDamagedLogs:
    def test_a_run_goes_on(self, tmp_path: Path, damage: str) -> None:
        path = tmp_path / "log.jsonl"
        path.write_bytes(GOOD + DAMAGE[damage] + GOOD + b'{"step": 7')
        log = RunLog(path, steps=10, first=5)
        log.write(6, loss=1.0)
        log.close()
        assert [line["step"] for line in read_log(path)] == [1, 1, 6]


STATES = {
    "empty": b"",
    "text": b"hello",
    "a number": 5,
    "a list": [1],
    "without a step": {"a": 1},
    "of code": {"step": 1, "recipe": print},
    "zeros": bytes(1000),
    "the beginning": None,
}


@pytest.mark.parametrize("name", STATES)
def test_a_damaged_state_is_refused_by_its_name_without_unsafe_advice(tmp_path: Path, name: str) -> None:
    checkpoints = RunCheckpoints(tmp_path)
    path = checkpoints.path(3) / STATE
    path.parent.mkdir(parents=True)
    content = STATES[name]
    if content is None:
        torch.save({"step": 3, "w": torch.ones(100)}, path)
        path.write_bytes(path.read_bytes()[:400])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ValueError, match="Remove its folder to go on from the one before") as caught:
        checkpoints.load(3)
    assert str(path) in str(caught.value)
    assert "weights_only" not in str(caught.value)


def test_the_best_model_is_exchanged_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no moment is there no model, and none is left of an older one."""
    best = tmp_path / "checkpoints" / "step-00000001"
    small_model(best)
    (best / STATE).write_bytes(b"state")
    small_model(tmp_path / "model", hidden_size=64)
    (tmp_path / "model" / "pytorch_model.bin").write_bytes(b"older")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(run_files.shutil, "copytree", full)
        with pytest.raises(OSError, match="No space left on device"):
            run_files.keep_best(tmp_path, 1)
    assert (tmp_path / "model" / "pytorch_model.bin").exists()
    run_files.keep_best(tmp_path, 1)
    assert {path.name for path in (tmp_path / "model").iterdir()} == {path.name for path in best.iterdir()} - {STATE}
