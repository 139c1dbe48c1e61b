"""Weights that lie beside those that are read: said, with a warning where they are not older and differ.

Whoever writes `torch.save(model.state_dict(), folder / "pytorch_model.bin")` beside `model.safetensors` would get older weights back.
"""

import logging
import math
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

from ..visible import visible
from .files import CheckpointError
from .names import canonical

Weights: TypeAlias = Mapping[str, Any]  # name → a tensor with `shape`, `dtype` and `read()`
Open: TypeAlias = Callable[[Path], AbstractContextManager[Weights]]

logger = logging.getLogger("minibert")
# What other writers add to what `save_pretrained` writes: a counter, tied tensors a second time, the optimizer's state.
ADDED = re.compile(r"embeddings\.position_ids$|predictions\.decoder\.(weight|bias)$|adam_[mv]$|global_step$")


def say_what_is_read(path: Path, weights: Weights, others: list[Path], *, open_weights: Open) -> None:
    """Log that `path` is read and `others`, which `open_weights` opens, are not; the time alone proves nothing, since copies have any."""
    logger.info("%s is read; beside it, not read: %s.", path, ", ".join(other.name for other in others))
    for other in others:
        if last_change(other) >= last_change(path) and not holds_the_same(weights, open_weights(other)):
            wrong = f"{path} is read, but {other.name} beside it is not older and holds other weights"
            names = path.name, other.name
            logger.warning("%s. Remove the file that is not meant: %s or %s.", visible(wrong), *map(visible, names))


def last_change(path: Path) -> int:
    """When weights were last written, in nanoseconds: of an index, when the last of it and its shards was."""
    stem, ending, *_ = path.name.removesuffix(".index").split(".")
    shards = path.parent.glob(f"{stem}-*-of-*.{ending}" if path.suffix == ".json" else f"{path.stem}.data-*")
    return max(each.stat().st_mtime_ns for each in (path, *(shards if "index" in path.name else ())))


def holds_the_same(weights: Weights, other: AbstractContextManager[Weights]) -> bool:
    """Whether another file has the same numbers; small tensors are compared first, and none after one that differs."""
    ours = {canonical(name): tensor for name, tensor in weights.items()}
    try:
        with other as found:
            theirs = {canonical(name): tensor for name, tensor in found.items()}
            names = sorted(ours.keys() & theirs.keys(), key=lambda name: math.prod(ours[name].shape))
            pairs = ((ours[name], theirs[name]) for name in names)
            same_names = all(ADDED.search(name) for name in theirs.keys() ^ ours.keys())
            return same_names and all(a.dtype == b.dtype and a.read().equal(b.read()) for a, b in pairs)
    except CheckpointError:
        return False
