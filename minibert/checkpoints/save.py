"""Saving weights: one file, or several and their index, all of them at once (`changes.py`)."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from .changes import changing
from .files import INDEX_SUFFIX, PYTORCH_FILE, SAFETENSORS_FILE, flush_to_disk, is_weights

_SIZE = re.compile(r"(\d+)\s*(?:([KMGT])(I?)B)?")


def save_weights(
    tensors: dict[str, Tensor], folder: Path, max_shard_size: int | str | None = None, safe_serialization: bool = True
) -> list[Path]:
    """Make ``tensors`` the weights in ``folder`` and return the paths of the files that they now are.

    tensors: name → tensor; a tensor shared by two names is given once, under one of them.
    max_shard_size: bytes, or text such as "500MB"; beyond it the checkpoint is split. None: one file always.
    safe_serialization: safetensors if true, else PyTorch's pickle.

    Raises ``CheckpointError`` if a file cannot be written, ``ValueError`` for bad arguments; both leave ``folder`` as it was.
    """
    contents = split_into_files(tensors, max_shard_size, safe_serialization)
    with changing(folder, replaced=is_weights) as draft:
        names = write_weights(contents, draft)
    return [folder / name for name in names]


def split_into_files(
    tensors: dict[str, Tensor], max_shard_size: int | str | None = None, safe_serialization: bool = True
) -> dict[str, dict[str, Tensor]]:
    """File name → its tensors. Raises ValueError where two share their memory, or for what is no size."""
    owner: dict[tuple[int, int], str] = {}
    for name, tensor in tensors.items():
        first = owner.setdefault((tensor.untyped_storage().data_ptr(), tensor.data_ptr()), name)
        if first != name and tensor.numel() > 0:  # it would be stored twice, and come back as two
            raise ValueError(f"tensors {first!r} and {name!r} share their memory; save one of them and tie on loading")
    filename = SAFETENSORS_FILE if safe_serialization else PYTORCH_FILE
    shards = _split(tensors, parse_size(max_shard_size))
    if len(shards) == 1:
        return {filename: shards[0]}
    stem, extension = filename.rsplit(".", 1)
    return {f"{stem}-{n:05d}-of-{len(shards):05d}.{extension}": shard for n, shard in enumerate(shards, start=1)}


def write_weights(contents: Mapping[str, dict[str, Tensor]], draft: Path) -> list[str]:
    """Write what `split_into_files` made, and for several files their index. Returns their names."""
    for name, shard in contents.items():
        _write(shard, draft / name)
    if len(contents) < 2:
        return [*contents]
    weight_map = {tensor: name for name, shard in contents.items() for tensor in shard}
    metadata = {"total_size": sum(tensor.nbytes for shard in contents.values() for tensor in shard.values())}
    text = json.dumps({"metadata": metadata, "weight_map": weight_map}, indent=2, sort_keys=True)
    index = (PYTORCH_FILE if min(contents).endswith(".bin") else SAFETENSORS_FILE) + INDEX_SUFFIX
    (draft / index).write_text(text + "\n", encoding="utf-8", newline="\n")
    return [*contents, index]


def save_with(save_function: Callable[..., Any], tensors: dict[str, Tensor], folder: Path) -> None:
    """Let `save_function(tensors, path)` write `pytorch_model.bin`; where it did, as in one process of several, the rest goes."""
    path = folder / PYTORCH_FILE
    before = path.stat() if path.exists() else None
    save_function(tensors, str(path))
    if path.exists() and path.stat() != before:
        remove_earlier(folder, [path])


def remove_earlier(folder: Path, files: list[Path]) -> None:
    """Remove the weights that an earlier save left beside ``files``."""
    for earlier in folder.iterdir():
        if earlier not in files and is_weights(earlier.name):
            earlier.unlink()


def check_upload(push_to_hub: bool, legacy_format: bool | None = None, **of_upload: Any) -> None:
    """Raise ValueError for an upload or a tokenizer.json alone, TypeError for arguments that only an upload would have."""
    if push_to_hub:
        advice = "Save without it, and upload the folder: `hf upload NAME FOLDER`."
        raise ValueError(f"push_to_hub=True: minibert saves files in a folder and uploads none. {advice}")
    if legacy_format is False:
        raise ValueError("legacy_format=False asks for tokenizer.json alone, which minibert reads but does not write.")
    if of_upload:
        raise TypeError(f"save_pretrained() got an unexpected keyword argument {min(of_upload)!r}")


def parse_size(size: int | str | None) -> int | None:
    """ "500MB" → 500,000,000; "1GiB" → 1,073,741,824; numbers and None stay what they are."""
    if isinstance(size, str):
        if (match := _SIZE.fullmatch(size.strip().upper())) is None:
            raise ValueError(f'max_shard_size {size!r} is not a size; write bytes as a number, or text such as "500MB"')
        number, prefix, binary = match.groups(default="")
        unit: int = (1024 if binary else 1000) ** ("", *"KMGT").index(prefix)
        size = int(number) * unit
    if size is not None and size <= 0:
        raise ValueError(f"max_shard_size must be positive, is {size}")
    return size


def _split(tensors: Mapping[str, Tensor], limit: int | None) -> list[dict[str, Tensor]]:
    """Fill one shard after the other, in order, up to ``limit`` bytes; a larger tensor gets a shard of its own."""
    shards: list[dict[str, Tensor]] = [{}]
    for name, tensor in tensors.items():
        if limit is not None and shards[-1] and sum(t.nbytes for t in (*shards[-1].values(), tensor)) > limit:
            shards.append({})
        shards[-1][name] = tensor
    return shards


def _write(shard: Mapping[str, Tensor], path: Path) -> None:
    """One file, on disk, with the permissions any new file gets."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in shard.items()}
    for name, tensor in tensors.items():
        if tensor.untyped_storage().nbytes() != tensor.nbytes:
            tensors[name] = tensor.clone()  # pickling a view would write everything it is a view of
    if path.suffix == ".bin":
        write_pickle(tensors, path)
    else:
        path.touch(exist_ok=False)
        mode = path.stat().st_mode
        try:
            save_file(tensors, path, metadata={"format": "pt"})  # other readers ask for this entry
        except Exception as error:  # the library's own type, which is no OSError, even when the disk is full
            raise OSError(str(error)) from error
        path.chmod(mode)  # the library makes files that only their owner can read
    flush_to_disk(path)


def write_pickle(content: Any, path: Path) -> None:
    """`torch.save`, with the system's own error where the disk is full."""
    try:
        with path.open("wb") as file:
            torch.save(content, file)
    except RuntimeError as error:
        raise (error.__context__ if isinstance(error.__context__, OSError) else error) from error
