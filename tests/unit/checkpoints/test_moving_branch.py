"""A branch of the hub moves while a model is opened: config and weights are of one commit all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from minibert import BertConfig, BertModel, BertPreTrainedModel
from tests.unit.checkpoints.hub_server import HubServer, Repository
from tests.unit.tiny_bert import same_weights, tiny

Serve = Callable[[dict[str, Repository]], HubServer]
OLD, NEW = "1" * 40, "2" * 40


def files_of(folder: Path, model: BertPreTrainedModel, **how: int) -> dict[str, bytes]:
    model.save_pretrained(folder, **how)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.seconds
@pytest.mark.parametrize("kept", [True, False], ids=["the old commit stays", "the old commit is gone"])
@pytest.mark.parametrize("shards", [None, 30_000])
@pytest.mark.parametrize("revision", [None, "main", "v1"])
def test_all_is_of_one_commit(
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kept: bool,
    shards: int | None,
    revision: str | None,
) -> None:
    old, new = tiny(BertModel, hidden_act="gelu"), tiny(BertModel, seed=1, hidden_act="relu")
    sides = [files_of(tmp_path / each.config.hidden_act, each, max_shard_size=shards) for each in (old, new)]
    repository = Repository(sides[0], commit=OLD, branches=("main", "v1"))
    serve({"owner/name": repository})
    read = BertConfig.from_pretrained.__func__

    def moves_after(cls: type[BertConfig], *arguments: object, **settings: object) -> object:
        found = read(cls, *arguments, **settings)
        repository.files, repository.commit = sides[1], NEW
        repository.history = {OLD: sides[0]} if kept else {}
        return found

    monkeypatch.setattr(BertConfig, "from_pretrained", classmethod(moves_after))
    found = BertModel.from_pretrained("owner/name", cache_dir=tmp_path / "cache", revision=revision)
    expected = old if kept else new
    assert same_weights(found, expected)
    assert found.config.hidden_act == expected.config.hidden_act
    ids = torch.tensor([[2, 5, 3]])
    assert torch.equal(found(ids)[0], expected(ids)[0])
