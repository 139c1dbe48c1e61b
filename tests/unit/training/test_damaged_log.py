"""A log that was damaged stops no run: its good lines are kept, the others are left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minibert.training.run_files import RunLog, read_log, results_table

GOOD = [{"step": 1, "loss": 0.5}, {"step": 2, "evaluation_loss": 0.25}]
DAMAGED = {
    "a number": b"5\n",
    "a list": b"[]\n",
    "null": b"null\n",
    "no step": b'{"a": 1}\n',
    "step is text": b'{"step": "x"}\n',
    "step is true": b'{"step": true}\n',
    "step is half": b'{"step": 1.5}\n',
    "not UTF-8": b"\xff\xfe\n",
    "deep": b"[" * 100_000 + b"\n",
    "zeros": bytes(100) + b"\n",
    "a long number": b'{"step": ' + b"9" * 5_000 + b"}\n",
    "empty": b"\n\n",
    "line ends of Windows": b"\r\n",
    "cut": b'{"step": 2, "lo\n',
}


@pytest.mark.parametrize("line", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_damaged_line_is_left_out_and_the_run_goes_on(tmp_path: Path, line: bytes, place: int) -> None:
    path = tmp_path / "log.jsonl"
    lines = [json.dumps(each).encode() + b"\n" for each in GOOD]
    path.write_bytes(b"".join([*lines[:place], line, *lines[place:]]))
    assert read_log(path) == GOOD
    log = RunLog(path, steps=10, first=2)
    log.write(3, loss=0.1)
    log.close()
    assert read_log(path) == [*GOOD, {"step": 3, "loss": 0.1}]


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"step": 1, "loss": 0.5}\n{"step": 2, "evaluation_loss": 0.2')
    assert read_log(path) == GOOD[:1]


@pytest.mark.parametrize("value", ["x", None, [], {}, True])
def test_a_table_of_results_has_a_question_mark_where_a_score_is_none(value: object) -> None:
    log = [{"step": 1, "evaluation_loss": 0.5, "evaluation_f1": value}, {"step": 2, "evaluation_loss": 0.25}]
    assert "?" in results_table([*log, {"step": 3, "evaluation_loss": 0.1, "evaluation_f1": 1.0}], 2)


def test_a_log_without_an_evaluation_has_an_empty_table() -> None:
    assert results_table([{"step": 1}], 1).split() == ["step", "────"]


def test_lines_of_a_run_cannot_drive_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = RunLog(tmp_path / "log.jsonl", steps=1)
    log.say("labels: \x1b[2J\u202e\nnext line")
    log.close()
    assert "labels: \\x1b[2J\\u202e\nnext line" in capsys.readouterr().out
