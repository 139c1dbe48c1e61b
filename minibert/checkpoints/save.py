"""Saving weights so that a folder never holds half a checkpoint.

Everything is first written under temporary names and flushed to disk; a full disk or an error up to there changes
nothing. Then the files are renamed into place, the index last, and only then what an earlier save left behind goes.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from .files import (
    INDEX_SUFFIX,
    PYTORCH_FILE,
    SAFETENSORS_FILE,
    CheckpointError,
    flush_to_disk,
    is_weight_file,
    shard_file,
    temporary_beside,
)

_SIZE = re.compile(r"(\d+)\s*(|[KMGT]I?B)")
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def save_weights(
    tensors: Mapping[str, Tensor],
    folder: Path,
    *,
    max_shard_size: int | str | None = None,
    metadata: Mapping[str, str] | None = None,
    safe_serialization: bool = True,
) -> list[Path]:
    """Write ``tensors`` into ``folder`` and return the paths of the files that now make up the checkpoint.

    tensors: name → tensor; a tensor shared by two names is given once, under one of them.
    max_shard_size: bytes, or text such as "500MB"; beyond it the checkpoint is split. None: one file always.
    metadata: text to keep in a safetensors header; None means ``{"format": "pt"}``, which other readers ask for.
    safe_serialization: safetensors if true, else PyTorch's pickle.

    Raises ``CheckpointError`` if a file cannot be written, ``ValueError`` for bad arguments; both leave what was in
    ``folder`` as it was. The exception is an error while the shards of an old checkpoint are being replaced one by
    one: the index goes first and comes back last, so a reader meets a folder without weights, never a mixture.
    """
    _check_not_shared(tensors)
    filename = SAFETENSORS_FILE if safe_serialization else PYTORCH_FILE
    parts = _split(tensors, parse_size(max_shard_size))
    names = [filename] if len(parts) == 1 else [shard_file(filename, n, len(parts)) for n in range(1, len(parts) + 1)]
    staged = {folder / name: temporary_beside(folder / name) for name in names}
    index = folder / (filename + INDEX_SUFFIX)
    if len(parts) > 1:
        staged[index] = temporary_beside(index)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in zip(names, parts, strict=True):
            _write(part, staged[folder / name], dict(metadata or {"format": "pt"}), safe_serialization)
        if index in staged:
            staged[index].write_text(_index_text(names, parts), encoding="utf-8", newline="\n")
            flush_to_disk(staged[index])
            index.unlink(missing_ok=True)
        for path, temporary in staged.items():  # the index is the last of them
            temporary.replace(path)
        _remove_earlier_weights(folder, keep=set(staged))
    except OSError as error:
        raise CheckpointError(f"{folder}: the weights could not be saved ({error.strerror or error})") from error
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
    return list(staged)


def parse_size(size: int | str | None) -> int | None:
    """ "500MB" → 500,000,000; "1GiB" → 1,073,741,824; numbers and None stay what they are."""
    if size is None:
        return None
    if isinstance(size, str):
        match = _SIZE.fullmatch(size.strip().upper())
        if match is None:
            raise ValueError(f'max_shard_size {size!r} is not a size; write bytes as a number, or text such as "500MB"')
        size = int(match[1]) * _UNITS[match[2]]
    if size <= 0:
        raise ValueError(f"max_shard_size must be positive, is {size}")
    return size


def _check_not_shared(tensors: Mapping[str, Tensor]) -> None:
    """Refuse one tensor under two names: it would be stored twice, and come back as two."""
    owner: dict[tuple[int, int], str] = {}
    for name, tensor in tensors.items():
        if tensor.numel() == 0:
            continue
        first = owner.setdefault((tensor.untyped_storage().data_ptr(), tensor.data_ptr()), name)
        if first != name:
            raise ValueError(f"tensors {first!r} and {name!r} share their memory; save one of them and tie on loading")


def _split(tensors: Mapping[str, Tensor], limit: int | None) -> list[dict[str, Tensor]]:
    """Fill one part after the other, in order, up to ``limit`` bytes; a larger tensor gets a part of its own."""
    parts: list[dict[str, Tensor]] = [{}]
    used = 0
    for name, tensor in tensors.items():
        if limit is not None and parts[-1] and used + tensor.nbytes > limit:
            parts.append({})
            used = 0
        parts[-1][name] = tensor
        used += tensor.nbytes
    return parts


def _write(part: Mapping[str, Tensor], path: Path, metadata: dict[str, str], safe_serialization: bool) -> None:
    """One file, on disk, with the permissions any new file gets."""
    tensors = {name: _own_memory(tensor) for name, tensor in part.items()}
    with open(path, "xb"):
        mode = path.stat().st_mode
    if safe_serialization:
        try:
            save_file(tensors, path, metadata=metadata)
        except Exception as error:  # the library's own type, which is no OSError, even when the disk is full
            raise OSError(str(error)) from error
        path.chmod(mode)  # the library makes files that only their owner can read
    else:
        torch.save(tensors, path)
    flush_to_disk(path)


def _own_memory(tensor: Tensor) -> Tensor:
    """A contiguous CPU tensor that is all of its storage: pickling a view would write everything it is a view of."""
    tensor = tensor.detach().cpu().contiguous()
    return tensor if tensor.untyped_storage().nbytes() == tensor.nbytes else tensor.clone()


def _index_text(names: Sequence[str], parts: Sequence[Mapping[str, Tensor]]) -> str:
    weight_map = {name: shard for shard, part in zip(names, parts, strict=True) for name in part}
    total = sum(tensor.nbytes for part in parts for tensor in part.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    return json.dumps(index, indent=2, sort_keys=True) + "\n"


def _remove_earlier_weights(folder: Path, keep: set[Path]) -> None:
    for path in folder.iterdir():
        if path not in keep and is_weight_file(path.name):
            path.unlink()
