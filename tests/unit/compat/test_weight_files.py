"""Several files of weights in one folder: which is read is said, and a newer one that differs is warned of."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from minibert import BertForPreTraining, BertModel
from tests.unit.tiny_bert import same_weights, tiny

TENSORFLOW = Path(__file__).parents[2] / "fixtures" / "tensorflow"


def trained_on(seed: int = 9) -> BertForPreTraining:
    return tiny(BertForPreTraining, seed=seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved model."""
    trained_on(1).save_pretrained(tmp_path)
    return tmp_path


def make_newer(*paths: Path, seconds: int = 5) -> None:
    """Give files a later time than any other in their folder."""
    latest = max(path.stat().st_mtime_ns for path in paths[0].parent.iterdir())
    for path in paths:
        os.utime(path, ns=(latest, latest + seconds * 10**9))


def warnings_of(caplog: pytest.LogCaptureFixture, folder: Path, **arguments: Any) -> list[str]:
    caplog.clear()
    BertForPreTraining.from_pretrained(folder, **arguments)
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def write_bin(folder: Path) -> list[Path]:
    torch.save(trained_on().state_dict(), folder / "pytorch_model.bin")
    return [folder / "pytorch_model.bin"]


def write_wrapped_bin(folder: Path) -> list[Path]:
    torch.save({f"module.{name}": t for name, t in trained_on().state_dict().items()}, folder / "pytorch_model.bin")
    return [folder / "pytorch_model.bin"]


def write_sharded_bin(folder: Path) -> list[Path]:
    trained_on().save_pretrained(folder / "new", safe_serialization=False, max_shard_size="20KB")
    return [Path(shutil.copy(path, folder)) for path in sorted((folder / "new").glob("pytorch_model*"))]


def write_one_shard(folder: Path) -> list[Path]:
    write_sharded_bin(folder)
    return sorted(folder.glob("pytorch_model-*"))[:1]


def write_sharded_safetensors(folder: Path) -> list[Path]:
    trained_on().save_pretrained(folder / "new", max_shard_size="20KB")
    return [Path(shutil.copy(path, folder)) for path in sorted((folder / "new").glob("model*"))]


def write_tensorflow(folder: Path) -> list[Path]:
    return [Path(shutil.copy(path, folder)) for path in sorted((TENSORFLOW / "pretraining").glob("bert_model*"))]


def write_body(folder: Path) -> list[Path]:
    torch.save(trained_on(1).bert.state_dict(), folder / "pytorch_model.bin")
    return [folder / "pytorch_model.bin"]


def write_half(folder: Path) -> list[Path]:
    torch.save(trained_on(1).half().state_dict(), folder / "pytorch_model.bin")
    return [folder / "pytorch_model.bin"]


def write_nonsense(folder: Path) -> list[Path]:
    (folder / "pytorch_model.bin").write_bytes(b"no checkpoint")
    return [folder / "pytorch_model.bin"]


WRITERS = [
    *(write_bin, write_wrapped_bin, write_sharded_bin, write_one_shard, write_sharded_safetensors),
    *(write_tensorflow, write_body, write_half, write_nonsense),
]


@pytest.mark.parametrize("write", WRITERS)
def test_newer_weights_beside_those_that_are_read_are_warned_of(
    write: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_newer(*write(folder))
    [warning] = warnings_of(caplog, folder)
    other = next(
        name for name in (*("pytorch_model.bin", "model.safetensors.index.json"), "bert_model.ckpt") if name in warning
    )
    assert warning.startswith(f"{folder / 'model.safetensors'} is read, but {other}")
    assert "Remove the file that is not meant: model.safetensors or " in warning


def test_written_right_after_they_are_warned_of_too(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_bin(folder)  # within the same tick of the clock, perhaps
    assert len(warnings_of(caplog, folder)) == 1


@pytest.mark.parametrize("write", WRITERS)
def test_older_weights_are_not(write: Any, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder)
    make_newer(folder / "model.safetensors")
    assert warnings_of(caplog, folder) == []


def test_the_same_weights_in_another_format_are_not_whenever_they_were_copied(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = trained_on(1)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")  # with the counter, and tied tensors twice
    make_newer(folder / "pytorch_model.bin")
    assert warnings_of(caplog, folder) == []
    model.save_pretrained(folder / "new", max_shard_size="20KB")
    for path in (folder / "new").glob("model*"):
        make_newer(Path(shutil.copy(path, folder)))
    assert warnings_of(caplog, folder) == []


def test_a_tensorflow_checkpoint_and_what_was_made_from_it_are_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(TENSORFLOW / "pretraining", tmp_path, dirs_exist_ok=True)
    BertForPreTraining.from_pretrained(tmp_path).save_pretrained(tmp_path)
    make_newer(*tmp_path.glob("bert_model*"))
    assert warnings_of(caplog, tmp_path) == []


def test_the_newest_shard_counts_for_the_weights_that_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trained_on(1).save_pretrained(tmp_path, max_shard_size="20KB")
    make_newer(*write_bin(tmp_path))
    make_newer(sorted(tmp_path.glob("model-*"))[-1])
    assert warnings_of(caplog, tmp_path) == []
    make_newer(tmp_path / "pytorch_model.bin")
    [warning] = warnings_of(caplog, tmp_path)
    assert f"{tmp_path / 'model.safetensors.index.json'} is read, but pytorch_model.bin" in warning


@pytest.mark.parametrize("arguments", [{"state_dict": {}}, {"from_tf": True}])
def test_whoever_names_the_weights_needs_no_warning(
    arguments: dict[str, Any], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(TENSORFLOW / "pretraining", folder, dirs_exist_ok=True)
    make_newer(*write_bin(folder))
    if "state_dict" in arguments:
        arguments = {"state_dict": trained_on().state_dict()}
    else:
        (folder / "config.json").unlink()
    assert warnings_of(caplog, folder, **arguments) == []


def test_which_file_is_read_is_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_bin(folder)
    make_newer(folder / "model.safetensors")
    with caplog.at_level(logging.INFO, logger="minibert"):
        model = BertForPreTraining.from_pretrained(folder)
    assert f"{folder / 'model.safetensors'} is read; beside it, not read: pytorch_model.bin." in caplog.text
    assert model.loading_report.files == ["model.safetensors"]
    assert "tensors of model.safetensors" in str(model.loading_report)
    assert same_weights(model, trained_on(1))


def test_the_report_names_every_shard(tmp_path: Path) -> None:
    tiny(BertModel).save_pretrained(tmp_path, max_shard_size="20KB")
    report = BertModel.from_pretrained(tmp_path).loading_report
    assert sorted(report.files) == sorted(path.name for path in tmp_path.glob("model-*"))
    assert (
        BertModel.from_pretrained(
            None, config=tiny(BertModel).config, state_dict=tiny(BertModel).state_dict()
        ).loading_report.files
        == []
    )


def test_one_changed_number_is_enough(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["bert.embeddings.word_embeddings.weight"][-1, -1] += 1
    save_file(tensors, folder / "new.safetensors")
    torch.save(tensors, folder / "pytorch_model.bin")
    (folder / "new.safetensors").unlink()
    make_newer(folder / "pytorch_model.bin")
    assert len(warnings_of(caplog, folder)) == 1
