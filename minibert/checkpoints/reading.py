"""Opening a checkpoint's weights: one object over one file or many, in any format.

with open_weights(folder) as weights:
    for name in weights.names:
        print(name, weights.shape(name), weights.dtype(name))     # from the headers, nothing read yet
    tensor = weights.read("bert.pooler.dense.weight")
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol

import torch
from torch import Tensor

from .errors import CheckpointError
from .files import describe_folder
from .layout import INDEX_SUFFIX, OTHER_FRAMEWORKS, TENSORFLOW_INDEX_SUFFIX, read_index, search_order
from .pickle_file import PickleFile
from .safetensors_file import SafetensorsFile
from .tensor_dict import TensorDict
from .tensorflow_file import TensorFlowFile


class TensorFile(Protocol):
    """What a file format has to offer: names, shapes and dtypes at once, numbers on demand."""

    @property
    def path(self) -> Path | None: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    def shape(self, name: str) -> torch.Size: ...
    def dtype(self, name: str) -> torch.dtype: ...
    def read_into(self, name: str, out: Tensor) -> None: ...
    def map(self, name: str) -> Tensor: ...
    def close(self) -> None: ...


class Weights:
    """The tensors of a checkpoint, read-only.

    Shapes and dtypes are known without reading any numbers. Use it in a ``with`` statement, or call ``close``.

    There are two ways to the numbers. ``read`` and ``read_into`` copy them to memory of their own: what happens to the
    file later changes nothing. ``map`` borrows the file's own pages, which the system brings in when they are touched.
    """

    def __init__(self, holders: Mapping[str, TensorFile]):
        """holders: tensor name → the open file that holds it."""
        self._holders = dict(holders)
        self._open_files = list(dict.fromkeys(self._holders.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """Every tensor's name, in file order."""
        return tuple(self._holders)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files the tensors come from."""
        return tuple(file.path for file in self._open_files if file.path is not None)

    def shape(self, name: str) -> torch.Size:
        return self._holders[name].shape(name)

    def dtype(self, name: str) -> torch.dtype:
        return self._holders[name].dtype(name)

    def read(self, name: str) -> Tensor:
        """One tensor, in fresh memory and the file's dtype."""
        out = torch.empty(self.shape(name), dtype=self.dtype(name))
        self.read_into(name, out)
        return out

    def read_into(self, name: str, out: Tensor) -> None:
        """Fill ``out``, of the same shape, converting to its dtype and device."""
        if out.shape != self.shape(name):
            raise ValueError(f"tensor {name!r} has shape {tuple(self.shape(name))}, cannot fill {tuple(out.shape)}")
        if out.is_contiguous() and out.device.type == "cpu":
            self._holders[name].read_into(name, out)
        else:
            out.detach().copy_(self.read(name))

    def map(self, name: str) -> Tensor:
        """One tensor in the file's dtype, at no cost until it is used.

        Writing to the tensor never reaches the file. But a program that overwrites the file in place, instead of
        replacing it as ``save_weights`` does, changes the tensor's untouched parts; one that shortens it kills this
        process at the next touch. Tensors may start at any multiple of their item size, not at PyTorch's usual 64 bytes.
        """
        return self._holders[name].map(name)

    def close(self) -> None:
        """Close the files; tensors already handed out stay valid."""
        for file in self._open_files:
            file.close()

    def __enter__(self) -> "Weights":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class DictWeights(Weights):
    """A state dict in place of files, under the same interface."""

    def __init__(self, tensors: Mapping[str, Tensor]):
        source = TensorDict(tensors, "state_dict")
        super().__init__(dict.fromkeys(source.names, source))


def open_weights(place: Path, *, from_tf: bool = False) -> Weights:
    """Open the best weights in a folder: safetensors before pickles, one file before shards, TensorFlow's last.

    place: a folder, or the `….ckpt.index` of a TensorFlow checkpoint. from_tf: look for TensorFlow's only.

    Raises ``CheckpointError`` naming the file and tensor if anything in the headers is wrong, or if there are none.
    """
    if place.is_file():
        return _open_one(place)
    for filename in search_order(from_tf):
        if (place / filename).exists():
            return _open_shards(place / filename) if filename.endswith(INDEX_SUFFIX) else _open_one(place / filename)
    raise CheckpointError(no_weights_message(str(place), describe_folder(place), place, from_tf))


def no_weights_message(where: str, holds: str, folder: Path, from_tf: bool) -> str:
    """Say what was looked for, what is there instead, and what to do about weights of other frameworks."""
    others = [kind for name, kind in OTHER_FRAMEWORKS.items() if (folder / name).exists()]
    advice = f". It has {' and '.join(others)} weights; convert them to PyTorch first" if others else ""
    if steps := sorted(folder.glob("*.ckpt-*.index")):
        advice += f". To open a step of a TensorFlow training, give its own path, such as {steps[-1]}"
    return f"{where}: no weights; looked for {', '.join(search_order(from_tf))}. {holds}{advice}"


def _open_one(path: Path) -> Weights:
    file = _open_file(path)
    return Weights(dict.fromkeys(file.names, file))


def _open_file(path: Path) -> TensorFile:
    if path.suffix == TENSORFLOW_INDEX_SUFFIX:
        return TensorFlowFile(path)
    return SafetensorsFile(path) if path.suffix == ".safetensors" else PickleFile(path)


def _open_shards(index: Path) -> Weights:
    """Every tensor from the shard the index names; each must be there, and hold it."""
    holders: dict[str, TensorFile] = {}
    opened: dict[str, TensorFile] = {}
    try:
        weight_map = read_index(index)
        for shard in dict.fromkeys(weight_map.values()):
            if not (index.parent / shard).exists():
                raise CheckpointError(
                    f"{index}: lists the shard {shard}, which is missing. {describe_folder(index.parent)}"
                )
            opened[shard] = _open_file(index.parent / shard)
        held = {shard: set(file.names) for shard, file in opened.items()}
        for name, shard in weight_map.items():
            if name not in held[shard]:
                raise CheckpointError(f"{index}: places tensor {name!r} in {shard}, which does not hold it")
            holders[name] = opened[shard]
    except BaseException:
        for file in opened.values():
            file.close()
        raise
    return Weights(holders)
