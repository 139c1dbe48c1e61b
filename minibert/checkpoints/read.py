"""Opening a checkpoint's weights: one dictionary over one file or many, in any format.

with open_weights(folder) as weights:               # names, shapes and dtypes are known at once, no number read yet
    pooler = weights["bert.pooler.dense.weight"].read()

What is read lies in memory of its own, whatever happens to the file later. No code that a file may hold is run.
"""

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from . import files
from .changes import read_together
from .files import CheckpointError, check_is_real_file, describe_folder, first_line
from .pickled import NotPlainError, View, read_pickle
from .weight_files import say_what_is_read

_LARGE = 4 << 20  # bytes from which a tensor has memory to itself: replaced (a resized embedding), it frees it
_LONGEST_HEADER = 100_000_000  # bytes: the library refuses a longer one
_CONVERTED_AT_A_TIME = 32_768  # numbers: small enough for the processor's cache, and for PyTorch to stay on one thread


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of a checkpoint whose numbers are not yet read. path: its file, None for a state dict.

    read_into: fills a contiguous tensor of the same shape on the CPU, converting to its dtype.
    """

    shape: torch.Size
    dtype: torch.dtype
    path: Path | None
    read_into: Callable[[Tensor], object]

    def read(self) -> Tensor:
        """The numbers, in fresh memory and the checkpoint's dtype."""
        out = torch.empty(self.shape, dtype=self.dtype, device="cpu")
        self.read_into(out)
        return out


class Weights(dict[str, StoredTensor]):
    """Name → tensor."""

    names = property(list)

    def read(self, name: str) -> Tensor:
        """The numbers of one."""
        return self[name].read()


@contextmanager
def open_weights(folder: Path, *, from_tf: bool = False) -> Iterator[Weights]:
    """Name → tensor, of the best weights in a folder, in the order of ``files.search_order``; open during the ``with``.

    folder: or one of its files. from_tf: look for TensorFlow's only. Warns where others beside them are newer and differ.
    Raises ``CheckpointError`` naming the file if anything but the numbers is wrong with it, or if there is none.
    """
    with ExitStack() as open_files:
        yield read_together(folder, lambda: _open(folder, from_tf, open_files), files.is_weights)


def _open(folder: Path, from_tf: bool, open_files: ExitStack) -> Weights:
    order = files.search_order(from_tf)
    candidates = [folder] if folder.is_file() else [folder / name for name in order]
    found = [path for path in candidates if path.exists()]
    if not found:
        advice = files.other_weights([path.name for path in folder.glob("*")])
        if steps := sorted(folder.glob("*.ckpt-*.index")):
            advice += f". To open a step of a TensorFlow training, give its own path, such as {steps[-1]}"
        raise CheckpointError(f"{folder}: no weights; looked for {', '.join(order)}. {describe_folder(folder)}{advice}")
    weights = (_open_shards if found[0].name.endswith(files.INDEX_SUFFIX) else _open_file)(found[0], open_files)
    if found[1:]:
        say_what_is_read(found[0], weights, others=found[1:], open_weights=open_weights)
    return weights


def weights_of(state_dict: Any, path: Path | None = None) -> Weights:
    """A state dict under the same interface, or a CheckpointError where it is none. path: its file, if any."""
    origin = path or "state_dict"
    if not isinstance(state_dict, Mapping):
        raise CheckpointError(f"{origin}: should be a dictionary of tensors, is a {type(state_dict).__name__}")
    weights = Weights()
    for name, tensor in state_dict.items():
        if isinstance(name, str) and isinstance(tensor, StoredTensor):
            weights[name] = tensor
            continue
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            wrong = f"should map names to tensors, but {name!r} is a {type(tensor).__name__}"
            advice = "If this is a whole training checkpoint, take only the model's state_dict() from it"
            raise CheckpointError(f"{origin}: {wrong}. {advice}")
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
            raise CheckpointError(f"{origin}: tensor {name!r} is not an ordinary dense tensor; it cannot be a weight")
        copy = methodcaller("copy_", tensor.detach())  # out.copy_(tensor)
        weights[name] = StoredTensor(tensor.shape, tensor.dtype, path, read_into=copy)
    return weights


def empty_tensors(layout: Mapping[str, tuple[Sequence[int], torch.dtype]]) -> dict[str, Tensor]:
    """Name → (shape, dtype) made memory to read into: contiguous tensors, each in its own storage, 64 bytes aligned.

    Reading 90 MB costs 10 ms of copying, and with `torch.empty` 20 ms more, for the 22,000 pages of 4 kB that the
    system clears one by one as they are first touched. NumPy asks for pages of 2 MB where the system has them.
    Matrix kernels may round differently where an address is not a multiple of 64 bytes, PyTorch's own alignment.
    """
    sizes = {name: math.prod(shape) * dtype.itemsize for name, (shape, dtype) in layout.items()}
    small = [name for name, size in sizes.items() if size < _LARGE]
    tensors: dict[str, Tensor] = {}
    for names in (small, *([name] for name, size in sizes.items() if size >= _LARGE)):
        memory = np.empty(sum(sizes[name] + 64 for name in names) + 64, dtype=np.uint8)
        for name in names:
            shape, dtype = layout[name]
            memory = memory[-memory.ctypes.data % 64 :]
            tensors[name] = torch.from_numpy(memory[: sizes[name]]).view(dtype).view(tuple(shape))
            memory = memory[sizes[name] :]
    return tensors


def _open_file(path: Path, open_files: ExitStack) -> Weights:
    if path.suffix == files.TENSORFLOW_INDEX_SUFFIX:
        from .tensorflow.bundle import open_tensors  # here, since few checkpoints are TensorFlow's

        found = open_tensors(path)
        tensors = (
            (name, StoredTensor(shape, dtype, path, read_into=read)) for name, (shape, dtype, read) in found.items()
        )
        return Weights(tensors)
    check_is_real_file(path)
    return (_open_safetensors if path.suffix == ".safetensors" else _open_pickle)(path, open_files)


def _open_shards(index: Path, open_files: ExitStack) -> Weights:
    """Every tensor from the shard the index names; each must be there, and hold it."""
    weight_map = files.read_index(index)
    shards: dict[str, Weights] = {}
    for name, shard in weight_map.items():
        if shard not in shards:
            check_is_real_file(index.parent / shard, listed_in=index)
            shards[shard] = _open_file(index.parent / shard, open_files)
        if name not in shards[shard]:
            raise CheckpointError(f"{index}: places tensor {name!r} in {shard}, which does not hold it")
    return Weights((name, shards[shard][name]) for name, shard in weight_map.items())


def _open_safetensors(path: Path, open_files: ExitStack) -> Weights:
    """The library checks that the header is sound and that its tensors fill the file exactly; then we copy bytes.

    The tensors it returns itself are the mapped file: they change, or end the process, when the file does.
    """
    file = open_files.enter_context(open(path, "rb"))  # noqa: SIM115  # the stack closes it
    length = int.from_bytes(file.read(8), "little")
    header = file.read(min(length, _LONGEST_HEADER))
    if header.count(b"{") > files.MOST_TENSORS:  # each tensor has one
        wrong = f"its header lists more than {files.MOST_TENSORS:,} tensors, which no BERT has"
        raise CheckpointError(f"{path}: {wrong}; get the file again, from a source you trust")
    found: dict[str, tuple[torch.Size, torch.dtype]] = {}
    try:
        with safe_open(path, framework="pt") as library:
            for name in library.keys():  # noqa: SIM118  # it is no dictionary
                tensor = library.get_tensor(name)  # a view, which takes 4 kB as long as it lives
                found[name] = tensor.shape, tensor.dtype
    except Exception as error:  # the library's own type, or PyTorch's where a shape is beyond it
        wrong = f"not a safetensors file, or a truncated or damaged one ({first_line(error)})"
        raise CheckpointError(f"{path}: {wrong}; get the file again") from error
    if not path.exists() or not os.path.samestat(
        path.stat(), os.fstat(file.fileno())
    ):  # the library opens it by its name
        raise CheckpointError(f"{path}: another program replaced it while it was being opened; try again")
    places = {name: entry["data_offsets"] for name, entry in json.loads(header).items() if name in found}
    tensors = Weights()
    for name in sorted(found, key=places.__getitem__):
        (shape, dtype), position = found[name], 8 + length + places[name][0]
        read_into = partial(_read_bytes, file=file, position=position, dtype=dtype, name=name)
        tensors[name] = StoredTensor(shape, dtype, path, read_into=read_into)
    return tensors


def _read_bytes(out: Tensor, *, file: BufferedReader, position: int, dtype: torch.dtype, name: str) -> None:
    file.seek(position)
    numbers = out.view(-1)
    at_a_time = max(1, numbers.numel()) if out.dtype == dtype else _CONVERTED_AT_A_TIME
    for some in numbers.split(at_a_time):
        stored = some if out.dtype == dtype else torch.empty(some.shape, dtype=dtype, device="cpu")
        if file.readinto(stored.view(torch.uint8).numpy()) < stored.nbytes:  # type: ignore[arg-type]
            raise CheckpointError(f"{file.name}: ended inside tensor {name!r}; it was changed while being read")
        if stored is not some:
            some.copy_(stored)


def _open_pickle(path: Path, open_files: ExitStack) -> Weights:
    """A `.bin` file: its numbers are read from where they lie, as those of safetensors are."""
    file = open_files.enter_context(open(path, "rb"))  # noqa: SIM115  # the stack closes it
    try:
        content = read_pickle(file, os.fstat(file.fileno()).st_size)
    except NotPlainError as error:
        advice = "Do not load it by other means unless you trust its author; ask for a safetensors file"
        wrong = f"refused, because it is not a plain pickle of tensors: {error}. Nothing in it was run"
        raise CheckpointError(f"{path}: {wrong}. {advice}") from error
    except Exception as error:  # a damaged file can raise anything
        why = f"{type(error).__name__}: {first_line(error)}"
        raise CheckpointError(f"{path}: not a readable PyTorch file, or a damaged one ({why}); get it again") from error
    if isinstance(content, dict):
        for name, view in content.items():
            if isinstance(view, View):
                read_into = partial(_read_view, view=view, file=file, name=name)
                content[name] = StoredTensor(torch.Size(view.shape), view.dtype, path, read_into=read_into)
    return weights_of(content, path)


def _read_view(out: Tensor, *, view: View, file: BufferedReader, name: str) -> None:
    stored = torch.empty(view.reach, dtype=view.dtype, device="cpu")
    as_stored = torch.empty_strided(view.shape, view.strides, device="meta").is_contiguous()
    _read_bytes(out if as_stored else stored, file=file, position=view.position, dtype=view.dtype, name=name)
    if not as_stored:
        out.copy_(stored.as_strided(view.shape, view.strides))
