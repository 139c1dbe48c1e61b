"""Where the disk becomes full at any moment, what was there stays whole, and the error says so.

Each writer is tried in forks of this process: one for each file or folder that it makes, which is the first that cannot be made; and with
files that cannot grow beyond some size, as where the disk is full in the middle of one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from click import ClickException

from minibert import BertConfig, BertForPreTraining, BertTokenizer
from minibert.checkpoints import write_text_atomically
from minibert.cli import main as minibert
from minibert.data.corpus import PreparedData
from minibert.data.prepare import prepare
from minibert.microscope.plots import new_figure, save_figure
from minibert.training.run_files import RunCheckpoints, RunLog, keep_best, read_log
from tests.unit.checkpoints.dying import full_disk_at
from tests.unit.tiny_bert import same_weights, tiny
from tests.unit.training.small_run import SPECIAL, text, tokenizer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it forks")
MOST_FILES = 200
MANY_FILES = ("run", "prepared text", "vocabulary", "plot")


def model(number: int) -> BertForPreTraining:
    return tiny(BertForPreTraining, seed=number, hidden_act=("gelu", "relu")[number])


def save_model(**form: object) -> Callable[[Path, int], object]:
    return lambda folder, number: model(number).save_pretrained(folder / "model", **form)


def opened_model(folder: Path) -> int:
    found = BertForPreTraining.from_pretrained(folder)
    (number,) = (
        n for n in (0, 1) if same_weights(found, model(n)) and found.config.hidden_act == model(n).config.hidden_act
    )
    return number


def save_tokenizer(folder: Path, number: int) -> None:
    words = [*SPECIAL, *("ab" if number else "ba")]
    BertTokenizer({word: i for i, word in enumerate(words)}, do_lower_case=bool(number)).save_pretrained(
        folder / "words"
    )


def opened_tokenizer(folder: Path) -> int:
    found = BertTokenizer.from_pretrained(folder / "words")
    assert found.do_lower_case == (found.convert_tokens_to_ids("a") == 5)
    return int(found.do_lower_case)


def save_step(folder: Path, number: int) -> None:
    """A step of a run, its line in the log, and the best model."""
    state = {"step": 1 + number, "numbers": torch.full((2000,), float(number))}
    log = RunLog(folder / "log.jsonl", 2, first=number)
    RunCheckpoints(folder / "checkpoints").save(1 + number, state, model(number).save_pretrained, best=None)
    keep_best(folder, 1 + number)
    log.write(1 + number, loss=0.5)


def opened_step(folder: Path) -> int:
    checkpoints = RunCheckpoints(folder / "checkpoints")
    checkpoints.remove_unfinished()
    newest = checkpoints.newest()
    state = checkpoints.load(newest)
    assert state["numbers"].tolist() == [newest - 1.0] * 2000
    assert opened_model(checkpoints.path(newest)) == newest - 1
    best = opened_model(folder / "model")
    assert {line["step"] for line in read_log(folder / "log.jsonl")} <= {1, 2}
    return min(best, newest - 1)


def prepare_text(folder: Path, number: int) -> None:
    (folder / "corpus").exists() or os.mkdir(folder / "corpus")
    source = folder / "text.txt"
    if not source.exists():
        source.write_text(text(0, 400), encoding="utf-8")
        tokenizer(folder)
    words = BertTokenizer(str(folder / "vocab.txt"))
    prepare([source], folder / "corpus" / str(number), words, held_out=0)


def opened_text(folder: Path) -> int:
    for path in sorted((folder / "corpus").iterdir()):
        PreparedData.open(path)
    return len(list((folder / "corpus").iterdir())) - 1


def save_plot(folder: Path, number: int) -> None:
    figure = new_figure(2, 2)
    figure.text(0.1, 0.5, f"number {number}")
    save_figure(figure, folder / "plot.svg")


def train_vocabulary(folder: Path, number: int) -> None:
    source = folder / "text.txt"
    if not source.exists():
        source.write_text(text(0), encoding="utf-8")
    case = ["--cased"] * (1 - number)
    words = ["vocab", "train", str(source), "--size", "60", "--out", str(folder / "words"), *case]
    try:
        minibert(words, standalone_mode=False)
    except ClickException as error:
        raise OSError(error.message) from error


def opened_vocabulary(folder: Path) -> int:
    found = BertTokenizer.from_pretrained(folder / "words")
    assert found.do_lower_case == ("B" not in found.vocab)
    return int(found.do_lower_case)


class Writer(NamedTuple):
    """write(folder, number): writes the old one, 0, or the new one, 1, into it. read: which one it finds, whole."""

    write: Callable[[Path, int], object]
    read: Callable[[Path], int]


def first_number(name: str) -> Callable[[Path], int]:
    """Which one a text is, by its ending `number N`."""
    return lambda folder: int((folder / name).read_text(encoding="utf-8").split("number ")[1][0])


WRITERS = {
    "model": Writer(save_model(), lambda folder: opened_model(folder / "model")),
    "shards": Writer(save_model(max_shard_size=30_000), lambda folder: opened_model(folder / "model")),
    "pickle": Writer(save_model(safe_serialization=False), lambda folder: opened_model(folder / "model")),
    "config": Writer(
        lambda folder, number: BertConfig(num_labels=2 + number).save_pretrained(folder),
        lambda folder: BertConfig.from_pretrained(folder).num_labels - 2,
    ),
    "tokenizer": Writer(save_tokenizer, opened_tokenizer),
    "run": Writer(save_step, opened_step),
    "prepared text": Writer(prepare_text, opened_text),
    "vocabulary": Writer(train_vocabulary, opened_vocabulary),
    "page": Writer(
        lambda folder, number: write_text_atomically(folder / "page.html", f"{'x' * 9000} number {number}"),
        first_number("page.html"),
    ),
    "plot": Writer(save_plot, first_number("plot.svg")),
}


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.seconds
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in MANY_FILES else []) for n in WRITERS]
)
def test_at_any_file(tmp_path: Path, name: str) -> None:
    if name == "plot":
        pytest.importorskip("matplotlib")
    writer, found = WRITERS[name], []
    for moment in range(1, MOST_FILES):
        folder = tmp_path / str(moment)
        folder.mkdir()
        writer.write(folder, 0)
        before = files_of(folder)
        said = full_disk_at(moment, lambda folder=folder: writer.write(folder, 1))
        found.append(writer.read(folder))
        if said is None:
            break
        assert "No space left on device" in said
        assert not said.startswith(("RuntimeError", "TypeError", "AttributeError", "Exception"))
        if found[-1] == 0 and name != "run":
            assert files_of(folder) == before
        writer.write(folder, 1)
        assert writer.read(folder) == 1
    assert found == sorted(found)
    assert {*found} == {0, 1}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.seconds
@pytest.mark.parametrize("name", WRITERS)
def test_in_the_middle_of_a_file(tmp_path: Path, name: str) -> None:
    if name == "plot":
        pytest.importorskip("matplotlib")
    writer = WRITERS[name]
    writer.write(tmp_path, 0)
    before = files_of(tmp_path)
    largest = max(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file() and path.name != "text.txt")
    for size in (0, 1, 100, largest // 10, largest // 2, largest * 9 // 10):
        with (
            files_of_at_most(size),
            pytest.raises(OSError, match=r"File too large|\d+ requested and \d+ written") as failed,
        ):
            writer.write(tmp_path, 1)
        assert str(tmp_path) in str(failed.value)
        assert writer.read(tmp_path) == 0
        assert files_of(tmp_path) == before
