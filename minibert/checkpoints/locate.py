"""From what a user types to a folder of files: a path, a bundled name, or a name on the hub."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .bundled import bundled_checkpoints
from .errors import CheckpointError
from .files import describe_folder
from .layout import INDEX_SUFFIX, OTHER_FRAMEWORKS, WEIGHT_FILES, read_index

if TYPE_CHECKING:
    from .hub import HubRepository


def locate(
    name_or_path: str | os.PathLike[str],
    *,
    filenames: Sequence[str],
    revision: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    token: bool | str | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
) -> Path:
    """A folder that holds those of ``filenames`` that exist: at least one of them.

    Looks for a local folder first, then a checkpoint that comes with minibert, then a repository on the hub, from
    which only the files named are downloaded. The remaining arguments concern the hub alone.

    filenames: plain file names, each of them optional.
    revision: branch, tag or commit; None means "main".
    local_files_only: use the cache and no network, as ``HF_HUB_OFFLINE=1`` does.

    Raises ``CheckpointError`` if there is nothing to be had, saying why.
    """
    folder = _local_folder(name_or_path)
    if folder is not None:
        if not any((folder / filename).exists() for filename in filenames):
            raise CheckpointError(f"{folder}: has none of {', '.join(filenames)}. {describe_folder(folder)}")
        return folder
    repository = _hub_repository(name_or_path, revision, cache_dir, token, local_files_only, force_download)
    for filename in filenames:
        repository.fetch(filename)
    if repository.folder is None:
        raise repository.nothing_found(" or ".join(filenames))
    return repository.folder


def locate_weights(
    name_or_path: str | os.PathLike[str],
    *,
    revision: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    token: bool | str | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
) -> Path:
    """A folder for ``open_weights``, found as ``locate`` finds one.

    From the hub it downloads the best format the repository has (see ``layout.WEIGHT_FILES``) with all its shards, and
    no other.
    """
    folder = _local_folder(name_or_path)
    if folder is not None:
        return folder
    repository = _hub_repository(name_or_path, revision, cache_dir, token, local_files_only, force_download)
    _fetch_weights(repository)
    assert repository.folder is not None
    return repository.folder


def _hub_repository(
    name: str | os.PathLike[str],
    revision: str | None,
    cache_dir: str | os.PathLike[str] | None,
    token: bool | str | None,
    local_files_only: bool,
    force_download: bool,
) -> "HubRepository":
    from .hub import HubRepository  # here, so that working with local files never pays for importing the hub's library

    return HubRepository(
        str(name),
        revision=revision,
        cache_dir=cache_dir,
        token=token,
        local_files_only=local_files_only,
        force_download=force_download,
    )


def _local_folder(name_or_path: str | os.PathLike[str]) -> Path | None:
    """An existing folder or a bundled checkpoint; None if the name could be one on the hub."""
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return path
    bundled = bundled_checkpoints()
    if str(name_or_path) in bundled:
        return bundled[str(name_or_path)]
    if path.is_file():
        raise CheckpointError(f"{path}: a file; give the folder it is in")
    text = str(name_or_path)
    if (
        isinstance(name_or_path, os.PathLike)
        or path.is_absolute()
        or text[:1] in ".~"
        or "\\" in text
        or text.count("/") > 1
    ):
        raise CheckpointError(
            f"{name_or_path}: no such folder. {describe_folder(path.parent)}. "
            f"Bundled checkpoints: {', '.join(bundled) or 'none'}"
        )
    return None


def _fetch_weights(repository: "HubRepository") -> None:
    """Download the best format the repository has, with every shard its index names."""
    for filename in WEIGHT_FILES:
        path = repository.fetch(filename)
        if path is None:
            continue
        if filename.endswith(INDEX_SUFFIX):
            for shard in dict.fromkeys(read_index(path).values()):
                if repository.fetch(shard) is None:
                    raise repository.nothing_found(f"{shard}, which {filename} lists")
        return
    others = [kind for name, kind in OTHER_FRAMEWORKS.items() if name in (repository.file_names() or [])]
    advice = f" (it has {' and '.join(others)} weights; convert them to PyTorch first)" if others else ""
    raise repository.nothing_found(f"weights: {', '.join(WEIGHT_FILES)}{advice}")
