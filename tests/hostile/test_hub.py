"""Downloads that fail: each way has an error of its own, one that says what to do, with the library's as its cause."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from minibert.checkpoints import CheckpointError, locate, locate_weights
from tests.unit.checkpoints.hub_server import HubServer, Repository

Serve = Callable[[dict[str, Repository]], HubServer]
WEIGHTS = save({"w": torch.arange(600.0)})


def message_of(action: Callable[[], object]) -> str:
    """The error's text: short, and without the library's tracebacks and addresses."""
    with pytest.raises(CheckpointError) as caught:
        action()
    text = str(caught.value)
    assert "Traceback" not in text
    assert "http://" not in text
    assert "\n" not in text
    return text


def test_a_missing_repository(serve: Serve, tmp_path: Path) -> None:
    serve({})
    text = message_of(lambda: locate("owner/typo", filenames=["config.json"], cache_dir=tmp_path))
    assert "'owner/typo' is neither a folder here, nor a bundled checkpoint, nor a model repository" in text


def test_the_library_error_is_kept_as_the_cause(serve: Serve, tmp_path: Path) -> None:
    serve({})
    with pytest.raises(CheckpointError) as caught:
        locate("owner/typo", filenames=["config.json"], cache_dir=tmp_path)
    assert type(caught.value.__cause__).__name__ == "RepositoryNotFoundError"


def test_a_private_repository_looks_missing_and_the_message_mentions_the_token(serve: Serve, tmp_path: Path) -> None:
    serve({"owner/private": Repository({"config.json": b"{}"}, token="hf_secret")})
    assert "pass token=" in message_of(lambda: locate_weights("owner/private", cache_dir=tmp_path))


def test_a_gated_repository(serve: Serve, tmp_path: Path) -> None:
    serve({"owner/gated": Repository({"config.json": b"{}"}, gated=True)})
    text = message_of(lambda: locate("owner/gated", filenames=["config.json"], cache_dir=tmp_path))
    assert "gated: its owner wants you to ask first" in text


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_request(serve: Serve, tmp_path: Path, status: int) -> None:
    serve({"owner/tiny": Repository({"config.json": b"{}"}, status=status)})
    text = message_of(lambda: locate("owner/tiny", filenames=["config.json"], cache_dir=tmp_path))
    assert "log in with `hf auth login`" in text


def test_a_missing_revision(serve: Serve, tmp_path: Path) -> None:
    serve({"owner/tiny": Repository({"config.json": b"{}"})})
    text = message_of(lambda: locate("owner/tiny", filenames=["config.json"], revision="v9", cache_dir=tmp_path))
    assert "revision 'v9': there is no such branch, tag or commit" in text


def test_none_of_the_files_asked_for(serve: Serve, tmp_path: Path) -> None:
    serve({"owner/tiny": Repository({"config.json": b"{}", "README.md": b"hello"})})
    text = message_of(lambda: locate("owner/tiny", filenames=["vocab.txt", "tokenizer.json"], cache_dir=tmp_path))
    assert "has no vocab.txt or tokenizer.json" in text
    assert "It holds: README.md, config.json" in text


def test_a_repository_without_weights_tells_of_those_for_other_frameworks(serve: Serve, tmp_path: Path) -> None:
    serve({"owner/tf": Repository({"config.json": b"{}", "tf_model.h5": b"", "flax_model.msgpack": b""})})
    text = message_of(lambda: locate_weights("owner/tf", cache_dir=tmp_path))
    assert "has no weights: model.safetensors, " in text
    assert "TensorFlow and Flax weights" in text


def test_no_connection_and_nothing_cached(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve({})
    with HubServer({}) as gone:
        monkeypatch.setenv("HF_ENDPOINT", gone.url)
    text = message_of(lambda: locate("owner/tiny", filenames=["config.json"], cache_dir=tmp_path))
    assert "the hub cannot be reached" in text
    assert "no config.json is in the cache" in text


def test_a_hub_in_trouble(serve: Serve, tmp_path: Path) -> None:
    serve({"owner/tiny": Repository({"config.json": b"{}"}, status=503)})
    text = message_of(lambda: locate("owner/tiny", filenames=["config.json"], cache_dir=tmp_path))
    assert "HTTP status 503" in text
    assert "Try again later" in text


def test_a_hub_in_trouble_is_not_asked_for_the_next_file(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository({}, status=503)})
    message_of(lambda: locate("owner/tiny", filenames=["vocab.txt", "tokenizer.json"], cache_dir=tmp_path))
    assert {path.rsplit("/", 1)[-1] for _, path in hub.requests} == {"vocab.txt"}


def test_offline_and_nothing_cached(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository({"config.json": b"{}"})})
    text = message_of(
        lambda: locate("owner/tiny", filenames=["config.json"], cache_dir=tmp_path, local_files_only=True)
    )
    assert "offline mode is on and no config.json is in the cache" in text
    assert hub.requests == []


def test_forcing_a_download_offline_is_a_contradiction(serve: Serve, tmp_path: Path) -> None:
    serve({})
    with pytest.raises(ValueError, match="force_download=True needs the network"):
        locate_weights("owner/tiny", cache_dir=tmp_path, local_files_only=True, force_download=True)


def test_a_download_that_keeps_breaking_off_leaves_nothing_behind_and_can_be_retried(
    serve: Serve, tmp_path: Path
) -> None:
    repository = Repository({"model.safetensors": WEIGHTS}, cut_after={"model.safetensors": 0}, cuts_left=100)
    serve({"owner/tiny": repository})
    text = message_of(lambda: locate_weights("owner/tiny", cache_dir=tmp_path))
    assert "the download of model.safetensors failed" in text
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name == "model.safetensors"]

    repository.cuts_left = 0
    folder = locate_weights("owner/tiny", cache_dir=tmp_path)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


def test_a_connection_cut_midway_never_yields_half_a_file(serve: Serve, tmp_path: Path) -> None:
    repository = Repository({"model.safetensors": WEIGHTS}, cut_after={"model.safetensors": 1000}, cuts_left=1)
    serve({"owner/tiny": repository})
    with suppress(CheckpointError):  # newer versions of the library resume by themselves, older ones give up
        locate_weights("owner/tiny", cache_dir=tmp_path)
    assert repository.cuts_left == 0
    assert {path.read_bytes() for path in tmp_path.rglob("model.safetensors")} <= {WEIGHTS}
    folder = locate_weights("owner/tiny", cache_dir=tmp_path)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    "shard", ["../../etc/passwd", "/etc/passwd", "..\\secret", "C:secret", "..", "sub/model.bin", ""]
)
def test_an_index_cannot_lead_a_download_out_of_the_repository(serve: Serve, tmp_path: Path, shard: str) -> None:
    index = json.dumps({"weight_map": {"w": shard}}).encode()
    hub = serve({"owner/evil": Repository({"model.safetensors.index.json": index})})
    text = message_of(lambda: locate_weights("owner/evil", cache_dir=tmp_path))
    assert "which is not the name of a file in the same folder" in text
    assert hub.downloads() == ["model.safetensors.index.json"]


def test_an_index_with_a_missing_shard(serve: Serve, tmp_path: Path) -> None:
    index = json.dumps({"weight_map": {"w": "model-00001-of-00002.safetensors"}}).encode()
    serve({"owner/half": Repository({"model.safetensors.index.json": index})})
    text = message_of(lambda: locate_weights("owner/half", cache_dir=tmp_path))
    assert "has no model-00001-of-00002.safetensors, which model.safetensors.index.json lists" in text


@pytest.mark.parametrize("name", ["what is this", "a--b", "owner/", "name?"])
def test_a_name_that_no_repository_can_have(serve: Serve, tmp_path: Path, name: str) -> None:
    hub = serve({})
    assert "possible name" in message_of(lambda: locate(name, filenames=["config.json"], cache_dir=tmp_path))
    assert hub.requests == []


@pytest.mark.parametrize("name", ["./missing", "../missing", "a/b/c", "~/missing-folder", "C:\\models\\bert"])
def test_what_looks_like_a_path_is_never_sent_to_the_hub(serve: Serve, tmp_path: Path, name: str) -> None:
    hub = serve({})
    assert "no such folder" in message_of(lambda: locate_weights(name, cache_dir=tmp_path))
    assert hub.requests == []
