"""Saving weights so that a folder never holds half a checkpoint.

Everything is first written under temporary names and flushed to disk; a full disk or an error up to there changes
nothing. Then the files are renamed, the index last, and only then what an earlier save left behind goes.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from .files import INDEX_SUFFIX, PYTORCH_FILE, SAFETENSORS_FILE, WEIGHT_FILES, CheckpointError, flush_to_disk, replacing

_SHARD = re.compile(r"(model-\d{5}-of-\d{5}\.safetensors|pytorch_model-\d{5}-of-\d{5}\.bin)")
_SIZE = re.compile(r"(\d+)\s*(?:([KMGT])(I?)B)?")


def save_weights(
    tensors: dict[str, Tensor], folder: Path, max_shard_size: int | str | None = None, safe_serialization: bool = True
) -> list[Path]:
    """Write ``tensors`` into ``folder`` and return the paths of the files that now make up the checkpoint.

    tensors: name → tensor; a tensor shared by two names is given once, under one of them.
    max_shard_size: bytes, or text such as "500MB"; beyond it the checkpoint is split. None: one file always.
    safe_serialization: safetensors if true, else PyTorch's pickle.

    Raises ``CheckpointError`` if a file cannot be written, ``ValueError`` for bad arguments; both leave ``folder`` as
    it was, unless shards were being replaced: their index goes first and comes last, so no reader meets a mixture.
    """
    owner: dict[tuple[int, int], str] = {}
    for name, tensor in tensors.items():
        first = owner.setdefault((tensor.untyped_storage().data_ptr(), tensor.data_ptr()), name)
        if first != name and tensor.numel() > 0:  # it would be stored twice, and come back as two
            raise ValueError(f"tensors {first!r} and {name!r} share their memory; save one of them and tie on loading")
    filename = SAFETENSORS_FILE if safe_serialization else PYTORCH_FILE
    shards = _split(tensors, parse_size(max_shard_size))
    contents = {folder / filename: shards[0]}
    if len(shards) > 1:
        stem, extension = filename.rsplit(".", 1)
        numbered = [folder / f"{stem}-{n:05d}-of-{len(shards):05d}.{extension}" for n in range(1, len(shards) + 1)]
        contents = dict(zip(numbered, shards, strict=True))
    index = folder / (filename + INDEX_SUFFIX)
    files = [*contents, index] if len(shards) > 1 else [*contents]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as drafts:
            # Renamed as the stack is left, the last one entered first: so the index comes last.
            temporary = {file: drafts.enter_context(replacing(file)) for file in reversed(files)}
            for file, shard in contents.items():
                _write(shard, temporary[file], safe_serialization)
            if index in temporary:
                weight_map = {tensor: file.name for file, shard in contents.items() for tensor in shard}
                metadata = {"total_size": sum(tensor.nbytes for tensor in tensors.values())}
                text = json.dumps({"metadata": metadata, "weight_map": weight_map}, indent=2, sort_keys=True)
                temporary[index].write_text(text + "\n", encoding="utf-8", newline="\n")
                flush_to_disk(temporary[index])
                index.unlink(missing_ok=True)
        remove_earlier(folder, files)
    except OSError as error:
        raise CheckpointError(f"{folder}: the weights could not be saved ({error.strerror or error})") from error
    return files


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
        if earlier not in files and (earlier.name in WEIGHT_FILES or _SHARD.fullmatch(earlier.name)):
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


def _write(shard: Mapping[str, Tensor], path: Path, safe_serialization: bool) -> None:
    """One file, on disk, with the permissions any new file gets."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in shard.items()}
    for name, tensor in tensors.items():
        if tensor.untyped_storage().nbytes() != tensor.nbytes:
            tensors[name] = tensor.clone()  # pickling a view would write everything it is a view of
    if not safe_serialization:
        torch.save(tensors, path)
    else:
        path.touch(exist_ok=False)
        mode = path.stat().st_mode
        try:
            save_file(tensors, path, metadata={"format": "pt"})  # other readers ask for this entry
        except Exception as error:  # the library's own type, which is no OSError, even when the disk is full
            raise OSError(str(error)) from error
        path.chmod(mode)  # the library makes files that only their owner can read
    flush_to_disk(path)
