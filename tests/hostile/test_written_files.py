"""What is written has the permissions that the umask asks for, and what is temporary is gone after any exit."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from minibert import BertConfig, BertForMaskedLM, BertTokenizer
from minibert.checkpoints import replacing, write_text_atomically
from minibert.cli import main as minibert
from minibert.data.prepare import prepare
from minibert.training.run_files import RunCheckpoints
from tests.unit.checkpoints.dying import asked_to_end_at
from tests.unit.tiny_bert import tiny
from tests.unit.training.small_run import tokenizer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permissions and signals of POSIX")


def prepare_text(folder: Path) -> None:
    (folder / "text.txt").write_text("ban dor.", encoding="utf-8")
    prepare([folder / "text.txt"], folder / "corpus", tokenizer(folder), held_out=0)
    (folder / "text.txt").unlink()


WRITERS: dict[str, Callable[[Path], object]] = {
    "model": lambda folder: tiny(BertForMaskedLM).save_pretrained(folder / "model"),
    "pickle": lambda folder: tiny(BertForMaskedLM).save_pretrained(folder / "model", safe_serialization=False),
    "shards": lambda folder: tiny(BertForMaskedLM).save_pretrained(folder / "model", max_shard_size="20KB"),
    "config": lambda folder: BertConfig().save_pretrained(folder / "config"),
    "tokenizer": lambda folder: tokenizer(folder).save_pretrained(folder / "tokenizer"),
    "corpus": prepare_text,
    "checkpoint of a run": lambda folder: RunCheckpoints(folder / "run").save(
        1, {"step": 1}, tiny(BertForMaskedLM).save_pretrained, best=None
    ),
    "text": lambda folder: write_text_atomically(folder / "text.json", "{}"),
}


@pytest.fixture(params=[0o077, 0o022, 0o002, 0o027])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.seconds
@pytest.mark.parametrize("what", WRITERS)
def test_permissions_follow_the_umask(tmp_path: Path, umask: int, what: str) -> None:
    WRITERS[what](tmp_path)
    written = list(tmp_path.rglob("*"))
    assert written
    for path in written:
        expected = (0o777 if path.is_dir() else 0o666) & ~umask
        assert oct(stat.S_IMODE(path.stat().st_mode)) == oct(expected), path


@pytest.mark.parametrize("error", [ValueError, OSError, MemoryError, KeyboardInterrupt, SystemExit, RecursionError])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_draft_is_gone_after_any_error(tmp_path: Path, error: type[BaseException], kind: str) -> None:
    with pytest.raises(error), replacing(tmp_path / "out") as draft:  # noqa: PT012
        if kind == "folder":
            draft.mkdir()
            (draft / "inside").write_text("x")
        else:
            draft.write_text("x")
        raise error
    assert list(tmp_path.iterdir()) == []


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
import minibert.checkpoints.files as files
from minibert import BertTokenizer
real = files.flush_to_disk
def flush(path):
    os.kill(os.getpid(), int(sys.argv[2]))
    real(path)
files.flush_to_disk = flush
BertTokenizer({"[UNK]": 0, "[PAD]": 1}).save_pretrained(sys.argv[1])
"""


@pytest.mark.seconds
def test_ctrl_c_in_the_middle_of_saving_leaves_no_temporary_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "out"), "2"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "KeyboardInterrupt" in ended.stderr
    assert [path.name for path in tmp_path.rglob("*") if "tmp" in path.name] == []


COMMANDS = {
    "data prepare": ["data", "prepare", "a.txt", "b.txt", "--held-out", "0", "--processes", "1"],
    "vocab train": ["vocab", "train", "a.txt", "--size", "60"],
    "explore": ["explore", "the cat", "--model", "model"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_sigterm_at_any_moment_leaves_nothing_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for letter in "ab":
        (tmp_path / f"{letter}.txt").write_text("ban dor. " * 40, encoding="utf-8")
    words = tokenizer(tmp_path)
    tiny(BertForMaskedLM, vocab_size=len(words)).save_pretrained("model")
    words.save_pretrained("model")
    before, codes = {path.name for path in tmp_path.iterdir()}, []
    for moment in range(1, 1000, 11):
        out = tmp_path / f"out-{moment}"
        command = [*COMMANDS[name], "--out", str(out)]
        codes.append(asked_to_end_at(moment, lambda command=command: minibert(command, standalone_mode=False)))
        assert {path.name for path in tmp_path.iterdir()} <= before | {out.name}
        assert {path.name for path in out.rglob(".*")} <= {".saving"}  # empty: its removal was the moment
        assert list(out.glob(".saving/*")) == []
        before.add(out.name)
        if codes[-1] == 0:
            break
    assert codes[0] in (143, -15)  # before the command has begun, nothing of it listens
    assert codes[1:] == [143] * (len(codes) - 2) + [0]
    assert len(codes) > 3


def test_a_tokenizer_that_was_saved_opens(tmp_path: Path) -> None:
    tokenizer(tmp_path).save_pretrained(tmp_path / "out")
    assert len(BertTokenizer.from_pretrained(tmp_path / "out")) == len(tokenizer(tmp_path))
