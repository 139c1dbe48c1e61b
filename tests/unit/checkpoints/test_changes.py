"""Saving is one change of a whole checkpoint: who reads meanwhile, or after a kill, finds the old one or the new one."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from minibert import BertForPreTraining, BertModel, BertTokenizer
from minibert.checkpoints import CheckpointError, changes, open_weights, save_weights
from minibert.checkpoints.changes import SAVING, changing, lock, read_together, settle
from tests.unit.checkpoints.dying import dies_at
from tests.unit.tiny_bert import same_weights, tiny

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
LONGEST = 500  # file events that a save may take

# Form → arguments of `save_pretrained` for the older and the newer checkpoint; they differ in weights and in config.
FORMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one file": ({}, {}),
    "shards": ({"max_shard_size": 30_000}, {"max_shard_size": 30_000}),
    "fewer shards": ({"max_shard_size": 30_000}, {"max_shard_size": 50_000}),
    "one file over shards": ({"max_shard_size": 30_000}, {}),
    "shards over one file": ({}, {"max_shard_size": 30_000}),
    "a pickle over safetensors": ({}, {"safe_serialization": False}),
    "safetensors over pickled shards": ({"safe_serialization": False, "max_shard_size": 30_000}, {}),
}


def models() -> tuple[BertModel, BertModel]:
    return tiny(BertModel, hidden_act="gelu"), tiny(BertModel, seed=1, hidden_act="relu")


def which(folder: Path) -> str:
    """What a folder opens as: a mixture of weights and config is neither."""
    old, new = models()
    found = BertModel.from_pretrained(folder)
    for name, model in (("old", old), ("new", new)):
        if same_weights(found, model) and found.config.hidden_act == model.config.hidden_act:
            return name
    return "neither"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def whole_change(saving: Path, text: str) -> Path:
    """What a writer of `config.json` leaves in `.saving` when it is killed before the file is in its place."""
    whole = saving / "whole"
    whole.mkdir(parents=True)
    (whole / "config.json").write_text(text, encoding="utf-8")
    (whole / "change.json").write_text('{"names": ["config.json"], "removed": []}', encoding="utf-8")
    return saving


@needs_fork
class TestKilledWriters:
    @pytest.mark.seconds
    @pytest.mark.parametrize(
        "form",
        [
            form if form in ("one file", "fewer shards") else pytest.param(form, marks=pytest.mark.slow)
            for form in FORMS
        ],
    )
    def test_at_whatever_moment_leave_the_old_model_or_the_new_one(
        self, tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        (before, after), (old, new), found = FORMS[form], models(), []
        old.save_pretrained(tmp_path / "before", **before)
        new.save_pretrained(tmp_path / "after", **after)
        for moment in range(1, LONGEST, 1 if form in ("one file", "fewer shards") else 3):
            folder = tmp_path / f"killed {moment}"
            shutil.copytree(tmp_path / "before", folder)
            died = dies_at(moment, lambda folder=folder: new.save_pretrained(folder, **after))
            found.append(which(folder))
            if found[-1] == "new":
                assert {*names(folder)} - {SAVING} == {*names(tmp_path / "after")}  # opening it moved the rest
            new.save_pretrained(folder, **after)
            assert names(folder) == names(tmp_path / "after")  # nothing of the killed writer is left
            if not died:
                break
        assert found == sorted(found, reverse=True)  # old, old, …, new, new
        assert {*found} == {"old", "new"}
        assert any("what a writer that was killed had written" in record.message for record in caplog.records)

    @pytest.mark.slow
    @pytest.mark.parametrize("added", [[], ["[NEW]"]])
    def test_of_tokenizers_too(self, tmp_path: Path, added: list[str]) -> None:
        def tokenizer(cased: bool, *pieces: str) -> BertTokenizer:
            words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *pieces]
            return BertTokenizer({word: i for i, word in enumerate(words)}, do_lower_case=not cased)

        old, new = tokenizer(True, "a", "b"), tokenizer(False, "b", "a", "c")
        old.add_tokens(["[OLD]"])
        new.add_tokens(added)
        old.save_pretrained(tmp_path / "before")
        found = []
        for moment in range(1, LONGEST):
            folder = tmp_path / f"killed {moment}"
            shutil.copytree(tmp_path / "before", folder)
            died = dies_at(moment, lambda folder=folder: new.save_pretrained(folder))
            opened = BertTokenizer.from_pretrained(folder)
            ways = [(each.get_vocab(), each.do_lower_case) for each in (old, new)]
            found.append(ways.index((opened.get_vocab(), opened.do_lower_case)))
            if not died:
                break
        assert found == sorted(found)
        assert {*found} == {0, 1}

    @pytest.mark.seconds
    def test_may_be_several_in_a_row(self, tmp_path: Path) -> None:
        old, new = models()
        old.save_pretrained(tmp_path, max_shard_size=30_000)
        for moment in range(1, 60, 3):
            writer, form = ((new, {}), (old, {"max_shard_size": 30_000}))[moment % 2]
            dies_at(moment, lambda writer=writer, form=form: writer.save_pretrained(tmp_path, **form))
            assert which(tmp_path) in ("old", "new")

    @pytest.mark.seconds
    def test_an_older_save_that_is_whole_is_put_in_place_before_a_new_one(self, tmp_path: Path) -> None:
        save_weights({"w": torch.zeros(3)}, tmp_path)
        whole = tmp_path / SAVING / "whole"
        moment = next(
            n
            for n in range(1, LONGEST)
            if dies_at(n, lambda: save_weights({"w": torch.ones(3)}, tmp_path)) and whole.exists()
        )
        assert moment > 1
        with pytest.raises(ValueError, match="of my own"), changing(tmp_path, replaced=lambda _: False):
            raise ValueError("of my own")
        assert names(tmp_path) == ["model.safetensors"]
        with open_weights(tmp_path) as weights:
            assert weights["w"].read().tolist() == [1, 1, 1]

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="who may do everything is refused nothing")
    def test_a_folder_that_cannot_be_written_to_says_so(self, tmp_path: Path) -> None:
        (tmp_path / SAVING / "whole").mkdir(parents=True)
        (tmp_path / SAVING / "whole" / "change.json").write_text('{"names": [], "removed": ["config.json"]}')
        (tmp_path / "config.json").touch()
        tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
        with pytest.raises(CheckpointError, match="cannot be moved to its place"):
            BertModel.from_pretrained(tmp_path)


class TestHostileFolders:
    """A downloaded folder can hold anything, what looks like a killed writer's too."""

    @pytest.mark.parametrize("name", ["../precious", "/precious", "a/../../precious", "..", ".", "", "C:precious"])
    @pytest.mark.parametrize("how", ["names", "removed"])
    def test_nothing_outside_the_folder_is_touched(self, tmp_path: Path, name: str, how: str) -> None:
        folder = tmp_path / "folder"
        whole = folder / SAVING / "whole"
        whole.mkdir(parents=True)
        (tmp_path / "precious").write_text("here")
        lists = {"names": [], "removed": [], how: [name.replace("/precious", str(tmp_path / "precious"))]}
        (whole / "change.json").write_text(str(lists).replace("'", '"'))
        with pytest.raises(CheckpointError):
            BertModel.from_pretrained(folder)
        assert (tmp_path / "precious").read_text() == "here"

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"names": 5, "removed": []}', "{", '{"removed": [[]]}', "\xff"])
    def test_a_damaged_list_is_an_error_of_ours(self, tmp_path: Path, text: str) -> None:
        whole = tmp_path / SAVING / "whole"
        whole.mkdir(parents=True)
        (whole / "change.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(CheckpointError, match=str(tmp_path)):
            BertModel.from_pretrained(tmp_path)


@contextmanager
def at_work(work: Callable[[], object]) -> Iterator[None]:
    """Another process that does `work` again and again until the block ends."""
    child = os.fork()
    if child == 0:
        try:
            while True:
                work()
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


@needs_fork
class TestWritersAndReadersAtOnce:
    @pytest.mark.slow
    @pytest.mark.parametrize("shards", [None, 30_000])
    def test_a_reader_never_gets_a_mixture(self, tmp_path: Path, shards: int | None) -> None:
        old, new = models()
        old.save_pretrained(tmp_path, max_shard_size=shards)

        def save_both() -> None:
            for model in (new, old):
                model.save_pretrained(tmp_path, max_shard_size=shards)

        with at_work(save_both):
            found = [which(tmp_path) for _ in range(15)]
        assert {*found} <= {"old", "new"}

    def test_two_writers_leave_one_of_their_checkpoints(self, tmp_path: Path) -> None:
        old, new = models()

        def save_old() -> None:
            old.save_pretrained(tmp_path, max_shard_size=30_000)

        save_old()
        for _ in range(3):
            with at_work(save_old):
                for _ in range(5):
                    new.save_pretrained(tmp_path, max_shard_size=50_000)
            assert which(tmp_path) in ("old", "new")
        new.save_pretrained(tmp_path)
        assert names(tmp_path) == ["config.json", "model.safetensors"]

    def test_a_folder_that_goes_between_two_looks_is_made_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Python's mkdir then says that it exists, for it looks twice: once to make it, once at what is there."""
        make, refusals = os.mkdir, [True]

        def mkdir(path: Path, mode: int = 0o777) -> None:
            if Path(path).name == SAVING and refusals:
                refusals.pop()
                raise FileExistsError(errno.EEXIST, "File exists", str(path))
            make(path, mode)

        monkeypatch.setattr(os, "mkdir", mkdir)
        with lock(tmp_path / SAVING / "lock"):
            assert refusals == []

    def test_a_file_where_the_folder_should_be_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / SAVING).write_text("mine", encoding="utf-8")
        with pytest.raises(FileExistsError), lock(tmp_path / SAVING / "lock"):
            pass
        assert (tmp_path / SAVING).read_text(encoding="utf-8") == "mine"

    def test_threads_wait_for_each_other(self, tmp_path: Path) -> None:
        tensors = [{f"w{n}": torch.full((10,), float(thread)) for n in range(4)} for thread in range(6)]
        writers = [threading.Thread(target=save_weights, args=(each, tmp_path, 80)) for each in tensors]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        with open_weights(tmp_path) as weights:
            assert len({float(weights[name].read()[0]) for name in weights}) == 1
        assert SAVING not in names(tmp_path)

    def test_a_writer_that_begins_while_a_reader_tidies_up_is_no_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        remove, begun = os.rmdir, [whole_change(tmp_path / "1", "new"), whole_change(tmp_path / "2", "newer")]
        folder = tmp_path / "model"
        folder.mkdir()
        begun.pop(0).rename(folder / SAVING)

        def rmdir(path: Path, **options: Any) -> None:
            if Path(path) == folder / SAVING and begun:
                shutil.copytree(begun.pop(), path, dirs_exist_ok=True)
            remove(path, **options)

        monkeypatch.setattr(os, "rmdir", rmdir)
        settle(folder)
        assert (folder / "config.json").read_text(encoding="utf-8") == "new"
        settle(folder)
        assert (folder / "config.json").read_text(encoding="utf-8") == "newer"
        assert begun == []
        assert names(folder) == ["config.json"]

    def test_a_tokenizers_files_are_of_one_save(self, tmp_path: Path) -> None:
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        both = [
            BertTokenizer({word: i for i, word in enumerate([*words, *more])}, do_lower_case=lower)
            for more, lower in ((["a", "b"], True), (["b", "a"], False))
        ]
        both[0].save_pretrained(tmp_path)

        def save_both() -> None:
            for tokenizer in reversed(both):
                tokenizer.save_pretrained(tmp_path)

        with at_work(save_both):
            for _ in range(20):
                found = BertTokenizer.from_pretrained(tmp_path)
                assert (found.convert_tokens_to_ids("a") == 5) == found.do_lower_case


class TestReadingTogether:
    def test_what_changes_meanwhile_is_read_again(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("1")
        (tmp_path / "b").write_text("1")
        calls = []

        def read() -> str:
            first = (tmp_path / "a").read_text()
            if not calls:
                for name in ("a", "b"):
                    (tmp_path / "new").write_text("2")
                    (tmp_path / "new").replace(tmp_path / name)
            calls.append(1)
            return first + (tmp_path / "b").read_text()

        assert read_together(tmp_path, read, {"a", "b"}.__contains__) == "22"
        assert len(calls) == 2

    def test_what_changes_all_the_time_ends_in_an_error(self, tmp_path: Path) -> None:
        def read() -> None:
            (tmp_path / "new").touch()
            (tmp_path / "new").replace(tmp_path / "a")

        with pytest.raises(CheckpointError, match="again and again while it was being opened; try again"):
            read_together(tmp_path, read, "a".__eq__)

    def test_other_files_may_change(self, tmp_path: Path) -> None:
        assert read_together(tmp_path, lambda: (tmp_path / "log").write_text("x"), "a".__eq__) == 1

    def test_an_error_that_no_change_explains_is_raised_at_once(self, tmp_path: Path) -> None:
        calls = []

        def read() -> None:
            calls.append(1)
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            read_together(tmp_path, read, "a".__eq__)
        assert len(calls) == 1


HOLD = """
import sys
from pathlib import Path
from minibert.checkpoints.changes import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class TestLocks:
    @pytest.mark.seconds
    def test_one_process_at_a_time_and_none_after_its_end(self, tmp_path: Path) -> None:
        path = tmp_path / "lock"
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout.readline().startswith(b"held")
        with pytest.raises(BlockingIOError, match="another process has locked"), lock(path):
            pass
        holder.kill()
        holder.communicate()
        with lock(path):
            assert path.exists()
        assert not path.exists()

    def test_a_file_system_without_locks_is_worked_on_without(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none(_: int) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(changes, "_lock", none)
        save_weights({"w": torch.ones(2)}, tmp_path)
        assert names(tmp_path) == ["model.safetensors"]

    def test_a_lock_is_held_within_one_process_too(self, tmp_path: Path) -> None:
        with lock(tmp_path / "lock"), pytest.raises(BlockingIOError), lock(tmp_path / "lock"):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
class TestAFullDisk:
    @contextmanager
    def smallest_files(self, size: int) -> Iterator[None]:
        """As on a disk where no file can become larger than this."""
        import resource

        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("size", [1000, 10_000, 19_000])
    def test_leaves_the_old_model_and_says_what_the_system_says(self, tmp_path: Path, form: str, size: int) -> None:
        (before, after), (old, new) = FORMS[form], models()
        old.save_pretrained(tmp_path, **before)
        files = names(tmp_path)
        with self.smallest_files(size), pytest.raises(CheckpointError, match=r"could not be saved .*File too large"):
            new.save_pretrained(tmp_path, **after)
        assert names(tmp_path) == files
        assert which(tmp_path) == "old"

    def test_of_a_config_or_tokenizer_too(self, tmp_path: Path) -> None:
        tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
        tokenizer.save_pretrained(tmp_path)
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        tokenizer.add_tokens(["[NEW]"])
        with self.smallest_files(500), pytest.raises(CheckpointError, match="File too large"):
            tokenizer.save_pretrained(tmp_path)
        with self.smallest_files(10), pytest.raises(CheckpointError, match="File too large"):
            tiny(BertModel).config.save_pretrained(tmp_path)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_shows_nothing_of_how_it_was_saved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        tiny(BertForPreTraining).save_pretrained(tmp_path)
    assert names(tmp_path) == ["config.json", "model.safetensors"]
    assert caplog.records == []


def test_files_that_a_save_does_not_write_stay(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "vocab.txt").write_text("[UNK]\n")
    tiny(BertModel).save_pretrained(tmp_path)
    assert names(tmp_path) == ["README.md", "config.json", "model.safetensors", "vocab.txt"]
