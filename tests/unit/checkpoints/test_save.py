"""Saving weights: the reference's files, all of them or none."""

import errno
import json
import os
import stat
from pathlib import Path

import pytest
import torch
from hypothesis import given, strategies as st
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from minibert.checkpoints import (
    CheckpointError,
    open_weights,
    replacing,
    save as saving,
    save_weights,
    write_text_atomically,
)


def tensors(value: float = 1.0, count: int = 4) -> dict[str, Tensor]:
    """``count`` tensors of 400 bytes."""
    return {f"layer.{n}": torch.full((10, 10), value + n) for n in range(count)}


def read_all(folder: Path) -> dict[str, Tensor]:
    with open_weights(folder) as weights:
        return {name: tensor.read() for name, tensor in weights.items()}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


FORMS = [
    pytest.param({}, ["model.safetensors"], id="safetensors"),
    pytest.param({"safe_serialization": False}, ["pytorch_model.bin"], id="pickle"),
    pytest.param(
        {"max_shard_size": 800},
        ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"],
        id="sharded safetensors",
    ),
    pytest.param(
        {"max_shard_size": "1KB", "safe_serialization": False},
        ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"],
        id="sharded pickle",
    ),
]


@pytest.mark.parametrize(("options", "expected"), FORMS)
def test_what_is_saved_comes_back_from_files_with_the_reference_names(
    tmp_path: Path, options: dict[str, object], expected: list[str]
) -> None:
    written = save_weights(tensors(), tmp_path, **options)
    assert names(tmp_path) == sorted(path.name for path in written) == expected
    assert same(read_all(tmp_path), tensors())


@pytest.mark.parametrize(("first", "_"), FORMS)
@pytest.mark.parametrize(("second", "expected"), FORMS)
def test_a_second_save_replaces_the_first_whatever_its_form(
    tmp_path: Path, first: dict[str, object], _: object, second: dict[str, object], expected: list[str]
) -> None:
    save_weights(tensors(1.0, count=4), tmp_path, **first)
    save_weights(tensors(7.0, count=4), tmp_path, **second)
    assert names(tmp_path) == expected
    assert same(read_all(tmp_path), tensors(7.0))


def test_files_that_are_not_ours_stay(tmp_path: Path) -> None:
    for name in ("config.json", "vocab.txt", "tf_model.h5", "model-final.safetensors"):
        (tmp_path / name).touch()
    save_weights(tensors(), tmp_path)
    assert set(names(tmp_path)) > {"config.json", "vocab.txt", "tf_model.h5", "model-final.safetensors"}


def test_the_header_says_that_the_tensors_are_pytorch_ones(tmp_path: Path) -> None:
    (path,) = save_weights(tensors(), tmp_path)
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_the_index_lists_every_tensor_and_the_total_size(tmp_path: Path) -> None:
    save_weights(tensors(), tmp_path, max_shard_size=800)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 1600
    assert {name: index["weight_map"][name] for name in ("layer.0", "layer.3")} == {
        "layer.0": "model-00001-of-00002.safetensors",
        "layer.3": "model-00002-of-00002.safetensors",
    }


@given(st.lists(st.integers(1, 50), min_size=1, max_size=12), st.integers(1, 200))
def test_no_shard_exceeds_the_limit_unless_it_is_a_single_tensor(sizes: list[int], limit: int) -> None:
    given_tensors = {str(n): torch.zeros(size, dtype=torch.uint8) for n, size in enumerate(sizes)}
    parts = saving._split(given_tensors, limit)
    assert [name for part in parts for name in part] == list(given_tensors)
    for part in parts:
        assert len(part) == 1 or sum(tensor.nbytes for tensor in part.values()) <= limit


@pytest.mark.parametrize(
    ("text", "size"), [("10KB", 10_000), ("1 MB", 10**6), ("2GiB", 2 << 30), ("5gb", 5 * 10**9), ("77", 77), (12, 12)]
)
def test_sizes_are_read_as_people_write_them(text: str | int, size: int) -> None:
    assert saving.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "big", "-5MB", "0", "1.5GB", 0])
def test_what_is_no_size_is_refused(text: str | int) -> None:
    with pytest.raises(ValueError, match="max_shard_size"):
        saving.parse_size(text)


@pytest.mark.parametrize("safe", [True, False])
def test_views_and_transposed_tensors_are_saved_as_what_they_show(tmp_path: Path, safe: bool) -> None:
    base = torch.arange(100_000.0)
    given_tensors = {"row": base[:10], "turned": torch.arange(6.0).view(2, 3).t()}
    (path,) = save_weights(given_tensors, tmp_path, safe_serialization=safe)
    assert same(read_all(tmp_path), given_tensors)
    assert path.stat().st_size < 10_000


def test_one_tensor_under_two_names_is_refused(tmp_path: Path) -> None:
    tensor = torch.ones(3)
    with pytest.raises(ValueError, match="'a' and 'b' share their memory"):
        save_weights({"a": tensor, "b": tensor}, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("safe", [True, False])
def test_a_saved_file_is_as_readable_as_any_new_file(tmp_path: Path, safe: bool) -> None:
    (tmp_path / "ordinary").touch()
    (path,) = save_weights(tensors(), tmp_path, safe_serialization=safe)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "ordinary").stat().st_mode)


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    save_weights(tensors(), tmp_path / "new" / "folder")
    assert names(tmp_path / "new" / "folder") == ["model.safetensors"]


@pytest.mark.parametrize(("options", "_"), FORMS)
def test_a_full_disk_leaves_the_old_checkpoint_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object], _: object
) -> None:
    save_weights(tensors(1.0), tmp_path, **options)
    before = names(tmp_path)
    calls = iter(range(100))
    full_at = 1 if "max_shard_size" in options else 0  # the second shard, or the only file

    def flush(_: Path) -> None:
        if next(calls) == full_at:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(saving, "flush_to_disk", flush)
    with pytest.raises(CheckpointError, match=r"could not be saved .No space left on device"):
        save_weights(tensors(7.0), tmp_path, **options)
    assert names(tmp_path) == before
    assert same(read_all(tmp_path), tensors(1.0))


def test_an_interruption_leaves_the_old_checkpoint_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_weights(tensors(1.0), tmp_path)

    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, "flush_to_disk", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_weights(tensors(7.0), tmp_path)
    assert names(tmp_path) == ["model.safetensors"]
    assert same(read_all(tmp_path), tensors(1.0))


def test_a_failure_between_two_shards_never_leaves_a_mixture_that_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_weights(tensors(1.0), tmp_path, max_shard_size=800)
    replace = Path.replace

    def fail_at_second(self: Path, target: Path) -> Path:
        if "00002-of" in target.name:
            raise PermissionError(errno.EACCES, "in use")
        return replace(self, target)

    with monkeypatch.context() as system:
        system.setattr(Path, "replace", fail_at_second)
        with pytest.raises(CheckpointError, match=r"is whole and cannot be moved to its place.*in use"):
            save_weights(tensors(7.0), tmp_path, max_shard_size=800)
        with pytest.raises(CheckpointError, match=r"is whole and cannot be moved to its place.*in use"):
            read_all(tmp_path)
    assert same(read_all(tmp_path), tensors(7.0))  # as soon as that can be done
    assert len(names(tmp_path)) == 3


def test_open_weights_survive_a_save_over_their_file(tmp_path: Path) -> None:
    save_weights(tensors(1.0), tmp_path)
    with open_weights(tmp_path) as weights:
        before = weights["layer.0"].read()
        save_weights(tensors(7.0), tmp_path)
        assert before[0, 0] == 1.0
        assert same({name: tensor.read() for name, tensor in weights.items()}, tensors(1.0))


def test_the_library_reads_what_is_saved(tmp_path: Path) -> None:
    (path,) = save_weights(tensors(), tmp_path)
    assert same(load_file(path), tensors())


def test_text_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    write_text_atomically(path, "first ✓\n")
    with pytest.raises(UnicodeEncodeError):
        write_text_atomically(path, "second \ud800")
    assert path.read_bytes() == "first ✓\n".encode()
    assert names(tmp_path) == ["config.json"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    new = tmp_path / "new"

    def write(folder: Path, stop: bool) -> None:
        with replacing(folder) as draft:
            (draft / "inner").mkdir(parents=True)
            (draft / "inner" / "file").write_text("whole")
            assert not folder.exists()
            if stop:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(new, stop=True)
    assert names(tmp_path) == []
    write(new, stop=False)
    assert (new / "inner" / "file").read_text() == "whole"
    assert names(tmp_path) == ["new"]


def test_a_folder_with_something_in_it_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").write_text("precious")
    with pytest.raises(OSError), replacing(tmp_path / "old") as draft:  # noqa: PT011  # its text is the system's
        draft.mkdir()
    assert (tmp_path / "old" / "file").read_text() == "precious"
    assert names(tmp_path) == ["old"]


def test_text_that_cannot_be_written_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"missing.config\.json: cannot be written"):
        write_text_atomically(tmp_path / "missing" / "config.json", "{}")
