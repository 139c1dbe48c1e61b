"""From a name to a folder, without the hub."""

from pathlib import Path

import pytest

from minibert.checkpoints import CheckpointError, bundled_checkpoints, locate, locate_weights, open_weights


def test_an_existing_folder_is_itself(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").touch()
    assert locate(tmp_path, filenames=["vocab.txt", "tokenizer.json"]) == tmp_path
    assert locate_weights(str(tmp_path)) == tmp_path


def test_a_bundled_name_is_found_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = locate("novels-4l-256h", filenames=["config.json"])
    assert folder == locate_weights("novels-4l-256h") == bundled_checkpoints()["novels-4l-256h"]
    with open_weights(folder) as weights:
        assert weights["bert.embeddings.word_embeddings.weight"].shape == (8192, 256)


def test_a_local_folder_comes_before_a_bundled_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "novels-4l-256h").mkdir()
    assert locate_weights("novels-4l-256h").resolve() == tmp_path / "novels-4l-256h"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "bert").mkdir()
    assert locate_weights("~/bert") == tmp_path / "bert"


def test_a_folder_without_any_of_the_files_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CheckpointError, match=r"has no vocab.txt or tokenizer.json. .* holds: notes.txt"):
        locate(tmp_path, filenames=["vocab.txt", "tokenizer.json"])


def test_a_path_to_a_file_is_no_checkpoint_folder_but_a_file_of_weights(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(CheckpointError, match="a file; give the folder it is in, or config= beside a file of weights"):
        locate(tmp_path / "model.safetensors", filenames=["vocab.txt"])
    assert locate_weights(tmp_path / "model.safetensors") == tmp_path / "model.safetensors"


def test_a_missing_folder_lists_its_neighbours_and_the_bundled_names(tmp_path: Path) -> None:
    (tmp_path / "bert-small").mkdir()
    with pytest.raises(CheckpointError, match=r"no such folder.* holds: bert-small.*novels-4l-256h"):
        locate_weights(tmp_path / "bert-smal")
