"""A corpus is made by one process at a time; what a killed one left is removed by the next, and its processes end with it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minibert.checkpoints.changes import lock
from minibert.data.corpus import PreparedData
from minibert.data.prepare import prepare
from tests.unit.checkpoints.dying import dies_at
from tests.unit.training.small_run import text, tokenizer


def make(folder: Path, out: str = "corpus") -> None:
    for number in range(2):
        (folder / f"{number}.txt").write_text(text(number, 20), encoding="utf-8")
    prepare([folder / "0.txt", folder / "1.txt"], folder / out, tokenizer(folder), held_out=0)


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*"))


def test_a_second_process_is_told_that_one_is_at_work(tmp_path: Path) -> None:
    with lock(tmp_path / ".corpus.lock"), pytest.raises(ValueError, match=r"Another process is preparing '.*corpus'"):
        make(tmp_path)
    make(tmp_path)
    assert hidden(tmp_path) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
def test_a_kill_at_any_moment_leaves_a_whole_folder_or_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = []
    for moment in range(1, 1000, 7):
        out = f"corpus-{moment}"
        died = dies_at(moment, lambda out=out: make(tmp_path, out))
        found.append((tmp_path / out).exists())
        if not found[-1]:
            make(tmp_path, out)
        PreparedData.open(tmp_path / out)
        assert [name for name in hidden(tmp_path) if not (found[-1] and name.endswith(".lock"))] == []
        if not died:
            break
    assert found == sorted(found)
    assert {*found} == {False, True}
    assert any("what a writer that was killed had written" in record.message for record in caplog.records)


def test_only_what_was_to_become_this_folder_is_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    others = [".corpus", ".corpus.tmp", ".corpus2.0123abcd.tmp", "corpus.0123abcd.tmp", ".corpu.0123abcd.tmp"]
    for name in (*others, ".corpus.0123abcd.tmp"):
        (tmp_path / name).mkdir()
    with caplog.at_level(logging.WARNING):
        make(tmp_path)
    assert {*others} <= {path.name for path in tmp_path.iterdir()}
    assert not (tmp_path / ".corpus.0123abcd.tmp").exists()
    assert [".corpus.0123abcd.tmp" in record.getMessage() for record in caplog.records] == [True]


PARENT = """
import os, signal, time
from minibert.data.prepare import _workers
if __name__ == "__main__":
    with _workers(2) as pool:
        assert pool.submit(abs, -1).result() == 1
        pool.submit(time.sleep, 600)
        os.kill(os.getpid(), signal.{how})
        time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_the_processes_of_one_that_is_killed_end_with_it(how: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", PARENT.format(how=how)]
    parent = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    parent.communicate(timeout=60)  # returns when nobody is left who might write
    assert parent.returncode != 0
