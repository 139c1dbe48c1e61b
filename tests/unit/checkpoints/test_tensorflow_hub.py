"""TensorFlow checkpoints that are published on the hub."""

from collections.abc import Callable
from pathlib import Path

import pytest

from minibert import BertForPreTraining
from minibert.checkpoints import CheckpointError, locate_config, locate_weights, open_weights
from tests.unit.checkpoints.hub_server import HubServer, Repository

FIXTURES = Path(__file__).parents[2] / "fixtures" / "tensorflow"
Serve = Callable[[dict[str, Repository]], HubServer]


def files(name: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (FIXTURES / name).iterdir() if path.suffix != ".safetensors"}


@pytest.mark.parametrize("name", ["pretraining", "sharded"])
def test_the_index_its_data_and_the_config_are_downloaded(serve: Serve, tmp_path: Path, name: str) -> None:
    hub = serve({"google/tiny": Repository(files(name))})
    model = BertForPreTraining.from_pretrained("google/tiny", cache_dir=tmp_path)
    assert model.config.hidden_size == 8
    assert sorted(hub.downloads()) == sorted(files(name))


def test_weights_in_another_format_come_first_unless_tensorflows_are_asked_for(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"google/tiny": Repository({**files("pretraining"), "pytorch_model.bin": b"never read"})})
    locate_weights("google/tiny", cache_dir=tmp_path)
    assert hub.downloads() == ["pytorch_model.bin"]
    place = locate_weights("google/tiny", cache_dir=tmp_path, from_tf=True)
    with open_weights(place, from_tf=True) as weights:
        assert "global_step" in weights


def test_a_config_json_is_the_only_config_asked_for(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"google/tiny": Repository({**files("pretraining"), "config.json": b"{}"})})
    assert locate_config("google/tiny", cache_dir=tmp_path).name == "config.json"
    assert not any("bert_config" in path for _, path in hub.requests)


def test_a_data_file_the_repository_lacks_is_named(serve: Serve, tmp_path: Path) -> None:
    held = files("sharded")
    del held["model.ckpt.data-00001-of-00002"]
    serve({"google/tiny": Repository(held)})
    with pytest.raises(CheckpointError, match=r"has no model.ckpt.data-00001-of-00002, which model.ckpt.index lists"):
        locate_weights("google/tiny", cache_dir=tmp_path)
