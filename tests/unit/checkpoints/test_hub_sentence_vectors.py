"""A folder of sentence-transformers on the hub: its modules' files are fetched from the same commit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from minibert import BertModel, BertTokenizer
from minibert.checkpoints import CheckpointError
from minibert.vectors import SentenceEncoder
from tests.unit.checkpoints.hub_server import HubServer, Repository
from tests.unit.tiny_bert import BUNDLED, tiny

Serve = Callable[[dict[str, Repository]], HubServer]
MODULES = [
    {"path": path, "type": f"sentence_transformers.models.{name}"}
    for path, name in (("", "Transformer"), ("1_Pooling", "Pooling"))
]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    tiny(BertModel, vocab_size=8192).save_pretrained(tmp_path / "model")
    BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path / "model")
    found = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}
    found["modules.json"] = json.dumps(MODULES).encode()
    found["1_Pooling/config.json"] = json.dumps({"pooling_mode_max_tokens": True}).encode()
    return found


def test_the_pooling_of_a_repository_is_the_one_that_its_folder_says(
    serve: Serve, files: dict[str, bytes], tmp_path: Path
) -> None:
    serve({"owner/sentences": Repository(files)})
    encoder = SentenceEncoder.open("owner/sentences")
    assert encoder.settings.poolings == ("max",)
    expected = SentenceEncoder.open(tmp_path / "model", "max").encode(["the sea"])
    np.testing.assert_allclose(encoder.encode(["the sea"]), expected, atol=1e-6)


def test_a_repository_without_modules_gives_the_mean(serve: Serve, files: dict[str, bytes]) -> None:
    del files["modules.json"]
    serve({"owner/plain": Repository(files)})
    assert SentenceEncoder.open("owner/plain").settings.poolings == ("mean",)


def test_a_repository_that_lacks_a_modules_file_is_refused(serve: Serve, files: dict[str, bytes]) -> None:
    del files["1_Pooling/config.json"]
    serve({"owner/half": Repository(files)})
    with pytest.raises(CheckpointError, match=r"has no 1_Pooling/config\.json"):
        SentenceEncoder.open("owner/half")
