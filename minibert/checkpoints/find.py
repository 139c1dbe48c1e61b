"""From what a user types to the files meant: a path, the name of a bundled checkpoint, or a name on the hub.

The checkpoints that come with minibert lie in ``weights/`` beside the package in a checkout (and an editable install);
a wheel carries that folder inside the package, as ``minibert/weights/``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from .files import (
    CONFIG_FILE,
    INDEX_SUFFIX,
    OTHER_FRAMEWORKS,
    TENSORFLOW_CONFIG_FILE,
    TENSORFLOW_INDEX_SUFFIX,
    TENSORFLOW_INDEXES,
    CheckpointError,
    describe_folder,
    read_index,
    search_order,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .hub import HubRepository

_PACKAGE = Path(__file__).resolve().parents[1]
_WEIGHTS_FOLDERS = (_PACKAGE / "weights", _PACKAGE.parent / "weights")


class HubOptions(TypedDict, total=False):
    """How to fetch from the hub; without effect on local files.

    revision: branch, tag or commit; None means "main". cache_dir: where downloads are kept, None for the place that
    all programs share. token: for private repositories. local_files_only: use the cache and no network, as
    ``HF_HUB_OFFLINE=1`` does. force_download: fetch again what is cached.
    """

    revision: str | None
    cache_dir: str | os.PathLike[str] | None
    token: bool | str | None
    local_files_only: bool
    force_download: bool


def bundled_checkpoints() -> dict[str, Path]:
    """Name → folder of every bundled checkpoint."""
    return {
        config.parent.name: config.parent
        for weights in reversed(_WEIGHTS_FOLDERS)  # the first folder wins
        for config in sorted(weights.glob(f"*/{CONFIG_FILE}"))
    }


def locate(
    name_or_path: str | os.PathLike[str], *, filenames: Sequence[str], **hub_options: Unpack[HubOptions]
) -> Path:
    """A folder that holds those of ``filenames`` that exist: at least one of them.

    Looks for a local folder first, then a checkpoint that comes with minibert, then a repository on the hub, from
    which only the files named are downloaded.

    filenames: plain file names, each of them optional. hub_options: see ``HubOptions``.
    Raises ``CheckpointError`` if there is nothing to be had, saying why.
    """
    folder = _local_folder(name_or_path)
    if folder is not None:
        if not any((folder / filename).exists() for filename in filenames):
            raise CheckpointError(f"{folder}: has none of {', '.join(filenames)}. {describe_folder(folder)}")
        return folder
    repository = _hub_repository(name_or_path, hub_options)
    for filename in filenames:
        repository.fetch(filename)
    if repository.folder is None:
        raise repository.nothing_found(" or ".join(filenames))
    return repository.folder


def locate_config(name_or_path: str | os.PathLike[str], **hub_options: Unpack[HubOptions]) -> Path:
    """The file that holds a checkpoint's hyper-parameters, found as ``locate`` finds one, or a file named directly.

    It is `config.json`; where there is none, the `bert_config.json` of Google's TensorFlow code.
    """
    index = _tensorflow_index(name_or_path)
    path = Path(name_or_path).expanduser()
    if index is None and path.is_file():
        return path
    folder = index.parent if index is not None else _local_folder(name_or_path)
    if folder is not None:
        for filename in (CONFIG_FILE, TENSORFLOW_CONFIG_FILE):
            if (folder / filename).exists():
                return folder / filename
        raise CheckpointError(f"{folder}: has no {CONFIG_FILE} or {TENSORFLOW_CONFIG_FILE}. {describe_folder(folder)}")
    repository = _hub_repository(name_or_path, hub_options)
    found = repository.fetch(CONFIG_FILE) or repository.fetch(TENSORFLOW_CONFIG_FILE)
    if found is None:
        raise repository.nothing_found(CONFIG_FILE)
    return found


def locate_weights(
    name_or_path: str | os.PathLike[str], *, from_tf: bool = False, **hub_options: Unpack[HubOptions]
) -> Path:
    """What ``open_weights`` takes: a folder, found as ``locate`` finds one, or a TensorFlow checkpoint named directly.

    From the hub it downloads the best format the repository has (see ``files.search_order``) with all its shards, and
    no other. from_tf: the same as for ``open_weights``.
    """
    local = _tensorflow_index(name_or_path) or _local_folder(name_or_path)
    if local is not None:
        return local
    repository = _hub_repository(name_or_path, hub_options)
    for filename in search_order(from_tf):
        path = repository.fetch(filename)
        if path is None:
            continue
        for shard in _shards(path):
            if repository.fetch(shard) is None:
                raise repository.nothing_found(f"{shard}, which {filename} lists")
        return path.parent
    others = [kind for name, kind in OTHER_FRAMEWORKS.items() if name in (repository.file_names() or [])]
    advice = f" (it has {' and '.join(others)} weights; convert them to PyTorch first)" if others else ""
    raise repository.nothing_found(f"weights: {', '.join(search_order(from_tf))}{advice}")


def _shards(path: Path) -> list[str]:
    """The files that an index names; none where the file is no index."""
    if path.name.endswith(INDEX_SUFFIX):
        return list(dict.fromkeys(read_index(path).values()))
    if path.name in TENSORFLOW_INDEXES:
        from .tensorflow.bundle import read_bundle  # here, since few checkpoints are TensorFlow's

        return list(dict.fromkeys(entry.data_file for entry in read_bundle(path).values()))
    return []


def _hub_repository(name: str | os.PathLike[str], hub_options: HubOptions) -> HubRepository:
    from .hub import HubRepository  # here, so that working with local files never pays for importing the hub's library

    return HubRepository(str(name), **hub_options)


def _local_folder(name_or_path: str | os.PathLike[str]) -> Path | None:
    """An existing folder or a bundled checkpoint; None if the name could be one on the hub."""
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return path
    bundled = bundled_checkpoints()
    text = str(name_or_path)
    if text in bundled:
        return bundled[text]
    if path.is_file():
        raise CheckpointError(f"{path}: a file; give the folder it is in")
    written_as_path = text[:1] in ".~" or "\\" in text or text.count("/") > 1
    if isinstance(name_or_path, os.PathLike) or path.is_absolute() or written_as_path:
        raise CheckpointError(
            f"{name_or_path}: no such folder. {describe_folder(path.parent)}. "
            f"Bundled checkpoints: {', '.join(bundled) or 'none'}"
        )
    return None


def _tensorflow_index(name_or_path: str | os.PathLike[str]) -> Path | None:
    """The index of a TensorFlow checkpoint named directly: `bert_model.ckpt.index`, or as TensorFlow has it, `bert_model.ckpt`."""
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return None
    candidates = (path, Path(f"{path}{TENSORFLOW_INDEX_SUFFIX}"))
    return next((p for p in candidates if p.suffix == TENSORFLOW_INDEX_SUFFIX and p.is_file()), None)
