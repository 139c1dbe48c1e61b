"""How many processes `minibert data prepare` starts: none that takes longer to start than the text takes to read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.running import output_of, run
from tests.unit.training.small_run import text


@pytest.fixture
def novels(tmp_path: Path) -> Path:
    folder = tmp_path / "novels"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.txt").write_text(text(number), encoding="utf-8")
    return folder


def asked_for(novels: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    """The number of processes that the corpus is prepared with."""
    asked: list[int] = []

    def prepare(*_: Any, processes: int, **__: Any) -> None:
        asked.append(processes)
        raise ValueError("That is enough.")

    monkeypatch.setattr("minibert.data.prepare.prepare", prepare)
    assert "That is enough." in run("data", "prepare", str(novels), "--out", str(novels / "corpus"), *options).stderr
    return asked[0]


@pytest.mark.parametrize(("bytes_", "processes"), [(7_999_999, 1), (8_000_000, 2)])
def test_a_large_text_is_read_by_two(
    novels: Path, bytes_: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.truncate(novels / "1.txt", bytes_ - (novels / "2.txt").stat().st_size)
    assert asked_for(novels, monkeypatch) == processes


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_number_that_is_given_is_kept(novels: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_for(novels, monkeypatch, "--processes", str(number)) == number


def test_a_small_text_is_prepared_in_this_process(
    novels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minibert.data.prepare._workers", lambda _: pytest.fail("another process was started"))
    said = output_of("data", "prepare", str(novels), "--out", str(tmp_path / "corpus"), "--held-out", "0")
    assert "2 files" in said
