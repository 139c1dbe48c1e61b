"""From what a user types to the files meant: a path, the name of a bundled checkpoint, or a name on the hub.

hub_options, without effect on local files, are those of ``hub.HubRepository``: revision, cache_dir, token,
local_files_only, force_download.
"""

import difflib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from . import files
from .changes import settle
from .files import CONFIG_FILE, CheckpointError, describe_folder

_PACKAGE = Path(__file__).resolve().parents[1]
_WEIGHTS_FOLDERS = (_PACKAGE.parent / "weights", _PACKAGE / "weights")  # in a checkout, and in a wheel


class LocalFolder:
    """A folder, asked for its files in the way a repository on the hub is."""

    def __init__(self, folder: Path):
        settle(folder)
        self.folder = folder

    def fetch(self, filename: str) -> Path | None:
        path = self.folder / filename
        return path if path.exists() else None

    def nothing_found(self, wanted: str) -> CheckpointError:
        inside = [f". Did you mean {path.parent}?" for path in sorted(self.folder.glob(f"*/{CONFIG_FILE}"))[:1]]
        return CheckpointError(f"{self.folder}: has no {wanted}. {describe_folder(self.folder)}{''.join(inside)}")


def bundled_checkpoints() -> dict[str, Path]:
    """Name → folder of every bundled checkpoint."""
    configs = [path for weights in _WEIGHTS_FOLDERS for path in sorted(weights.glob(f"*/{CONFIG_FILE}"))]
    return {config.parent.name: config.parent for config in configs}  # of two of one name, the last


def locate(name_or_path: str | os.PathLike[str], *, filenames: Sequence[str], **hub_options: Any) -> Path:
    """A folder that holds those of ``filenames`` that exist: at least one of them.

    Looks for a local folder first, then a checkpoint that comes with minibert, then a repository on the hub, from
    which only the files named are downloaded. Raises ``CheckpointError`` if there is nothing to be had, saying why.
    """
    source = _find(name_or_path, hub_options)
    found = [path for path in map(source.fetch, filenames) if path is not None]
    if not found:
        raise source.nothing_found(" or ".join(filenames))
    return found[0].parent


def at_one_commit(name_or_path: str | os.PathLike[str], hub_options: dict[str, Any]) -> dict[str, Any]:
    """hub_options with the commit that a branch on the hub is at, so that what is fetched one by one belongs together."""
    if _tensorflow_index(name_or_path) is not None or isinstance(
        source := _find(name_or_path, hub_options), LocalFolder
    ):
        return hub_options
    source.fetch(CONFIG_FILE)
    return {**hub_options, "revision": source.revision}


def locate_config(name_or_path: str | os.PathLike[str], **hub_options: Any) -> Path:
    """The `config.json` of a checkpoint, else Google's `bert_config.json`, found as by ``locate``; or a file itself."""
    index, path = _tensorflow_index(name_or_path), Path(name_or_path).expanduser()
    if index is None and path.is_file():
        return path
    source = _find(name_or_path if index is None else index.parent, hub_options)
    found = source.fetch(CONFIG_FILE) or source.fetch(files.TENSORFLOW_CONFIG_FILE)
    if found is None:
        raise source.nothing_found(f"{CONFIG_FILE} or {files.TENSORFLOW_CONFIG_FILE}")
    return found


def locate_weights(name_or_path: str | os.PathLike[str], *, from_tf: bool = False, **hub_options: Any) -> Path:
    """What ``open_weights`` takes: a folder, found as by ``locate``, or a file of weights, TensorFlow's by their index.

    From the hub it downloads the best format the repository has (see ``files.search_order``), with all its shards.
    """
    if (file := _tensorflow_index(name_or_path) or Path(name_or_path).expanduser()).is_file():
        return file
    source = _find(name_or_path, hub_options)
    if isinstance(source, LocalFolder):
        return source.folder
    order = files.search_order(from_tf)
    found = next(filter(None, map(source.fetch, order)), None)
    if found is None:
        raise source.nothing_found(f"weights: {', '.join(order)}{files.other_weights(source.file_names())}")
    shards: Iterable[str] = ()  # the files that an index names
    if found.name.endswith(files.INDEX_SUFFIX):
        shards = files.read_index(found).values()
    elif found.name in files.TENSORFLOW_INDEXES:
        from .tensorflow.bundle import read_bundle  # here, since few checkpoints are TensorFlow's

        shards = (entry.data_file for entry in read_bundle(found).values())
    for shard in dict.fromkeys(shards):
        if source.fetch(shard) is None:
            raise source.nothing_found(f"{shard}, which {found.name} lists")
    return found.parent


def _find(name_or_path: str | os.PathLike[str], hub_options: dict[str, Any]) -> Any:
    """An existing folder, a bundled checkpoint, or else what may be on the hub."""
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return LocalFolder(path)
    text, bundled = str(name_or_path), bundled_checkpoints()
    if text in bundled:
        return LocalFolder(bundled[text])
    if path.is_file():
        raise CheckpointError(f"{path}: a file; give the folder it is in, or config= beside a file of weights")
    inside_a_folder = "/" in text and Path(text.partition("/")[0]).is_dir()
    written_as_path = text[:1] in ".~" or "\\" in text or text.count("/") > 1 or inside_a_folder
    if isinstance(name_or_path, os.PathLike) or path.is_absolute() or written_as_path:
        here = f"{describe_folder(path.parent)}. Bundled checkpoints: {', '.join(bundled) or 'none'}"
        raise CheckpointError(f"{name_or_path}: no such folder.{_did_you_mean(path, bundled)} {here}")
    from .hub import HubRepository  # here, so that working with local files never pays for importing the hub's library

    return HubRepository(text, hint=_did_you_mean(path, bundled), **hub_options)


def _did_you_mean(path: Path, bundled: Iterable[str]) -> str:
    """The nearest folder or bundled checkpoint by its spelling, if one is near."""
    beside = (
        [str(each) for each in path.parent.glob("*/") if (each / CONFIG_FILE).exists()] if path.parent.is_dir() else []
    )
    near = difflib.get_close_matches(str(path), [*beside, *bundled], n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _tensorflow_index(name_or_path: str | os.PathLike[str]) -> Path | None:
    """The index of a TensorFlow checkpoint named directly: `….ckpt.index`, or as TensorFlow has it, `….ckpt`."""
    path = Path(name_or_path).expanduser()
    if path.suffix != files.TENSORFLOW_INDEX_SUFFIX and not path.is_dir():
        path = Path(f"{path}{files.TENSORFLOW_INDEX_SUFFIX}")
    return path if path.is_file() else None
