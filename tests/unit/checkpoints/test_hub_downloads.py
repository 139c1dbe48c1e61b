"""Downloads that work: what is asked for, what comes from the cache, and that a commit stays together."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from minibert.checkpoints import locate, locate_weights, open_weights
from tests.unit.checkpoints.hub_server import HubServer, Repository

CONFIG = json.dumps({"model_type": "bert"}).encode()
WEIGHTS = save({"w": torch.arange(6.0)})
Serve = Callable[[dict[str, Repository]], HubServer]


def files(**changes: bytes) -> dict[str, bytes]:
    return {"config.json": CONFIG, "vocab.txt": b"[PAD]\n", "model.safetensors": WEIGHTS, **changes}


def test_a_first_load_downloads_and_a_second_one_does_not(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository(files())})
    folders = []
    for _ in range(2):
        folders.append(locate("owner/tiny", filenames=["config.json"], cache_dir=tmp_path))
        folders.append(locate_weights("owner/tiny", cache_dir=tmp_path))
    assert len(set(folders)) == 1
    assert hub.downloads() == ["config.json", "model.safetensors"]
    with open_weights(folders[0]) as weights:
        assert torch.equal(weights["w"].read(), torch.arange(6.0))


def test_only_the_files_asked_for_are_downloaded(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository(files())})
    folder = locate("owner/tiny", filenames=["vocab.txt", "tokenizer.json"], cache_dir=tmp_path)
    assert [path.name for path in folder.iterdir()] == ["vocab.txt"]
    assert hub.downloads() == ["vocab.txt"]


def test_the_tokenizer_of_a_repository_without_an_owner_is_found(serve: Serve, tmp_path: Path) -> None:
    serve({"tiny": Repository(files())})
    assert (locate("tiny", filenames=["vocab.txt"], cache_dir=tmp_path) / "vocab.txt").read_text() == "[PAD]\n"


def test_an_absent_optional_file_is_asked_for_once(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository(files())})
    for _ in range(2):
        locate("owner/tiny", filenames=["vocab.txt", "added_tokens.json"], cache_dir=tmp_path)
    assert sum("added_tokens.json" in path for _, path in hub.requests) == 1


def test_safetensors_are_preferred_and_the_pickle_is_left_on_the_hub(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository(files(**{"pytorch_model.bin": b"never read"}))})
    locate_weights("owner/tiny", cache_dir=tmp_path)
    assert hub.downloads() == ["model.safetensors"]


def test_all_shards_of_an_index_are_downloaded(serve: Serve, tmp_path: Path) -> None:
    shards = {f"model-0000{n}-of-00002.safetensors": save({f"w{n}": torch.full((2,), float(n))}) for n in (1, 2)}
    index = {"weight_map": {f"w{n}": f"model-0000{n}-of-00002.safetensors" for n in (1, 2)}}
    hub = serve({"owner/big": Repository({**shards, "model.safetensors.index.json": json.dumps(index).encode()})})
    with open_weights(locate_weights("owner/big", cache_dir=tmp_path)) as weights:
        assert [weights[f"w{n}"].read().tolist() for n in (1, 2)] == [[1, 1], [2, 2]]
    assert sorted(hub.downloads()) == sorted([*shards, "model.safetensors.index.json"])


def test_an_old_repository_with_only_a_pickle_is_read(serve: Serve, tmp_path: Path) -> None:
    torch.save({"w": torch.ones(3)}, tmp_path / "saved.bin")
    serve({"owner/old": Repository({"pytorch_model.bin": (tmp_path / "saved.bin").read_bytes()})})
    with open_weights(locate_weights("owner/old", cache_dir=tmp_path / "cache")) as weights:
        assert weights["w"].read().tolist() == [1, 1, 1]


@pytest.mark.parametrize("revision", ["main", "v1.0", "1" * 40])
def test_a_revision_is_a_branch_a_tag_or_a_commit(serve: Serve, tmp_path: Path, revision: str) -> None:
    hub = serve({"owner/tiny": Repository(files(), branches=("main", "v1.0"))})
    folder = locate("owner/tiny", filenames=["config.json"], revision=revision, cache_dir=tmp_path)
    assert (folder / "config.json").read_bytes() == CONFIG
    assert hub.requests[0] == ("HEAD", f"/owner/tiny/resolve/{revision}/config.json")


def test_every_file_of_one_call_comes_from_one_commit(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository(files())})
    locate("owner/tiny", filenames=["config.json", "vocab.txt"], cache_dir=tmp_path)
    assert ("HEAD", f"/owner/tiny/resolve/{'1' * 40}/vocab.txt") in hub.requests


def test_a_new_commit_is_noticed(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository(files())})
    locate("owner/tiny", filenames=["vocab.txt"], cache_dir=tmp_path)
    hub.repositories["owner/tiny"] = Repository(files(**{"vocab.txt": b"[UNK]\n"}), commit="2" * 40)
    assert (locate("owner/tiny", filenames=["vocab.txt"], cache_dir=tmp_path) / "vocab.txt").read_text() == "[UNK]\n"


def test_force_download_fetches_again(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository(files())})
    for _ in range(2):
        locate("owner/tiny", filenames=["vocab.txt"], cache_dir=tmp_path, force_download=True)
    assert hub.downloads() == ["vocab.txt", "vocab.txt"]


def test_a_token_opens_a_private_repository(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/private": Repository(files(), token="hf_secret")})
    locate("owner/private", filenames=["config.json"], cache_dir=tmp_path, token="hf_secret")
    assert set(hub.tokens) == {"Bearer hf_secret"}


@pytest.mark.parametrize("how", ["argument", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_the_cache_is_enough_and_the_network_is_not_touched(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    hub = serve({"owner/tiny": Repository(files())})
    online = locate_weights("owner/tiny", cache_dir=tmp_path)
    hub.requests.clear()
    if how != "argument":
        monkeypatch.setenv(how, "1")
    assert locate_weights("owner/tiny", cache_dir=tmp_path, local_files_only=how == "argument") == online
    assert hub.requests == []


def test_a_hub_that_is_down_does_not_matter_once_the_files_are_cached(serve: Serve, tmp_path: Path) -> None:
    hub = serve({"owner/tiny": Repository(files())})
    online = locate_weights("owner/tiny", cache_dir=tmp_path)
    hub.repositories["owner/tiny"].status = 503
    assert locate_weights("owner/tiny", cache_dir=tmp_path) == online


@pytest.mark.seconds
def test_local_files_never_import_the_hub_library() -> None:
    program = (
        "import sys; from minibert.checkpoints import locate; locate('novels-4l-256h', filenames=['config.json']);"
        "sys.exit('huggingface_hub' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
