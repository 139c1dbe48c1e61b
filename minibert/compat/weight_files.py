"""Weights as the era's programs write them, beside those of today: which are read is said, and an earlier save does not stay.

Whoever writes `torch.save(model.state_dict(), folder / "pytorch_model.bin")` beside `model.safetensors` would get older weights back.
"""

import logging
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from ..checkpoints.files import PYTORCH_FILE, CheckpointError
from ..checkpoints.names import canonical
from ..checkpoints.read import Weights, open_weights
from ..checkpoints.save import remove_earlier

logger = logging.getLogger("minibert")
# What other writers add to what `save_pretrained` writes: a counter, tied tensors a second time, the optimizer's state.
ADDED = re.compile(r"embeddings\.position_ids$|predictions\.decoder\.(weight|bias)$|adam_[mv]$|global_step$")


def say_what_is_read(path: Path, weights: Weights, others: list[Path]) -> None:
    """Log that `path` is read and `others` are not; the time alone proves nothing, since copies have any."""
    logger.info("%s is read; beside it, not read: %s.", path, ", ".join(other.name for other in others))
    for other in others:
        if last_change(other) >= last_change(path) and not holds_the_same(other, weights):
            wrong = f"{path} is read, but {other.name} beside it is not older and holds other weights"
            logger.warning("%s. Remove the file that is not meant: %s or %s.", wrong, path.name, other.name)


def last_change(path: Path) -> int:
    """When weights were last written, in nanoseconds: of an index, when the last of it and its shards was."""
    stem, ending, *_ = path.name.removesuffix(".index").split(".")
    shards = path.parent.glob(f"{stem}-*-of-*.{ending}" if path.suffix == ".json" else f"{path.stem}.data-*")
    return max(each.stat().st_mtime_ns for each in (path, *(shards if "index" in path.name else ())))


def holds_the_same(other: Path, weights: Weights) -> bool:
    """Whether another file has the same numbers; small tensors are compared first, and none after one that differs."""
    ours = {canonical(name): tensor for name, tensor in weights.items()}
    try:
        with open_weights(other) as found:
            theirs = {canonical(name): tensor for name, tensor in found.items()}
            names = sorted(ours.keys() & theirs.keys(), key=lambda name: math.prod(ours[name].shape))
            pairs = ((ours[name], theirs[name]) for name in names)
            same_names = all(ADDED.search(name) for name in theirs.keys() ^ ours.keys())
            return same_names and all(a.dtype == b.dtype and a.read().equal(b.read()) for a, b in pairs)
    except CheckpointError:
        return False


def save_with(save_function: Callable[..., Any], tensors: dict[str, Tensor], folder: Path) -> None:
    """Let `save_function(tensors, path)` write `pytorch_model.bin`; where it did, as in one process of several, the rest goes."""
    path = folder / PYTORCH_FILE
    before = path.stat() if path.exists() else None
    save_function(tensors, str(path))
    if path.exists() and path.stat() != before:
        remove_earlier(folder, [path])
