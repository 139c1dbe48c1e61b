"""A downloaded folder that holds what a killed writer would leave: opening it, or saving in it, costs nobody a file."""

import json
import os
from pathlib import Path

import pytest

from minibert import BertModel, BertTokenizer
from minibert.checkpoints import CheckpointError
from minibert.checkpoints.changes import SAVING, lock
from minibert.checkpoints.files import is_saved
from tests.unit.tiny_bert import tiny

needs_links = pytest.mark.skipif(os.name == "nt", reason="only some users may make links there")
WAYS = ["", "whole", "whole/change.json"]  # where, in the hidden folder, a link may stand


def plant(saving: Path, **change: list[str]) -> None:
    (saving / "whole").mkdir(parents=True)
    (saving / "whole" / "change.json").write_text(json.dumps({"names": [], "removed": [], **change}))


def contents(folder: Path) -> dict[str, str]:
    return {str(each.relative_to(folder)): each.read_text() for each in folder.rglob("*") if each.is_file()}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    tiny(BertModel).save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Somebody's folder, with files of the names that a writer has."""
    plant(tmp_path / "elsewhere", names=["config.json"])
    for name in ("lock", "draft", "whole/config.json", "whole/precious.txt"):
        (tmp_path / "elsewhere" / name).write_text("here")
    return tmp_path / "elsewhere"


def link(checkpoint: Path, elsewhere: Path, way: str) -> None:
    at = checkpoint / SAVING / way
    at.parent.mkdir(parents=True, exist_ok=True)
    at.symlink_to(elsewhere / way, target_is_directory=True)


@needs_links
@pytest.mark.parametrize("way", WAYS)
def test_a_link_in_place_of_the_saved_folder_is_not_followed(checkpoint: Path, elsewhere: Path, way: str) -> None:
    before = contents(elsewhere)
    link(checkpoint, elsewhere, way)
    BertModel.from_pretrained(checkpoint)
    assert contents(elsewhere) == before


@needs_links
@pytest.mark.parametrize("way", WAYS)
def test_saving_beside_such_a_link_is_refused(checkpoint: Path, elsewhere: Path, way: str) -> None:
    before = contents(elsewhere)
    link(checkpoint, elsewhere, way)
    with pytest.raises(CheckpointError, match=rf"\{SAVING}.*remove it"):
        tiny(BertModel).save_pretrained(checkpoint)
    assert contents(elsewhere) == before


@needs_links
def test_a_lock_that_is_a_link_makes_no_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="lock"), lock(tmp_path / "lock"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_files_without_a_list_of_them_stay_where_they_are(checkpoint: Path) -> None:
    precious = checkpoint / SAVING / "whole" / "precious.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("here")
    BertModel.from_pretrained(checkpoint)
    with pytest.raises(CheckpointError, match="holds what saving does not write; move it elsewhere"):
        tiny(BertModel).save_pretrained(checkpoint)
    assert precious.read_text() == "here"


@pytest.mark.parametrize("how", ["names", "removed"])
@pytest.mark.parametrize("name", ["README.md", "notes.txt", "train.py", "tokenizer.json", "vocab.txt.old"])
def test_a_planted_list_touches_no_file_that_saving_does_not_write(checkpoint: Path, name: str, how: str) -> None:
    (checkpoint / name).write_text("{}")
    plant(checkpoint / SAVING, **{how: [name]})
    (checkpoint / SAVING / "whole" / name).write_text("planted")
    BertModel.from_pretrained(checkpoint)
    assert (checkpoint / name).read_text() == "{}"


@pytest.mark.parametrize("form", [{}, {"max_shard_size": 30_000}, {"safe_serialization": False}], ids=str)
def test_all_that_saving_a_model_writes_is_known(tmp_path: Path, form: dict[str, object]) -> None:
    tiny(BertModel).save_pretrained(tmp_path, **form)  # type: ignore[arg-type]
    assert all(map(is_saved, os.listdir(tmp_path)))


@pytest.mark.parametrize("prefix", [None, "my-own"])
def test_all_that_saving_a_tokenizer_writes_is_known(tmp_path: Path, prefix: str | None) -> None:
    tokenizer = BertTokenizer({word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"])})
    tokenizer.add_tokens(["new"])
    tokenizer.save_pretrained(tmp_path, filename_prefix=prefix)
    assert len(os.listdir(tmp_path)) == 4
    assert all(map(is_saved, os.listdir(tmp_path)))
