"""Weights in several files of one folder, as a program leaves them that saves in today's format and in the era's: say which are read.

`model.safetensors` is read where `pytorch_model.bin` lies beside it, whichever is newer. So whoever trains on and then writes
`torch.save(model.state_dict(), folder / "pytorch_model.bin")` would get the older weights back.
"""

from __future__ import annotations

import logging
import math
import re
from pathlib import Path

from ..checkpoints.files import INDEX_SUFFIX, CheckpointError
from ..checkpoints.names import canonical
from ..checkpoints.read import Weights, open_weights

logger = logging.getLogger("minibert")

# What other writers add to what `save_pretrained` writes: a counter, tied tensors a second time, the optimizer's state.
ADDED = re.compile(r"embeddings\.position_ids$|predictions\.decoder\.(weight|bias)$|adam_[mv]$|global_step$")


def say_what_is_read(path: Path, weights: Weights, others: list[Path]) -> None:
    """Log that `path` is read and `others` in its folder are not: as a warning where one is not older and differs.

    The time alone proves nothing: copying, unpacking and downloading write equal files in any order.
    """
    logger.info("%s is read; beside it, not read: %s.", path, ", ".join(other.name for other in others))
    for other in others:
        if last_change(other) >= last_change(path) and not holds_the_same(other, weights):
            wrong = f"{path} is read, but {other.name} beside it is not older and holds other weights"
            logger.warning("%s. Remove the file that is not meant: %s or %s.", wrong, path.name, other.name)


def last_change(path: Path) -> int:
    """When weights were last written, in nanoseconds: of an index, when the last of it and its shards was."""
    name, shards = path.name.removesuffix(INDEX_SUFFIX), ""
    if path.name.endswith(INDEX_SUFFIX):
        shards = f"{Path(name).stem}-*-of-*{Path(name).suffix}"
    elif path.suffix == ".index":  # TensorFlow's
        shards = f"{path.stem}.data-*"
    return max(each.stat().st_mtime_ns for each in (path, *(path.parent.glob(shards) if shards else ())))


def holds_the_same(other: Path, weights: Weights) -> bool:
    """Whether another file has the same numbers; small tensors are compared first, and none after one that differs."""
    ours = {canonical(name): tensor for name, tensor in weights.items()}
    try:
        with open_weights(other) as found:
            theirs = {canonical(name): tensor for name, tensor in found.items()}
            names = sorted(ours.keys() & theirs.keys(), key=lambda name: math.prod(ours[name].shape))
            if not all(ADDED.search(name) for name in theirs.keys() ^ ours.keys()):
                return False
            pairs = ((ours[name], theirs[name]) for name in names)
            return all((a.shape, a.dtype) == (b.shape, b.dtype) and a.read().equal(b.read()) for a, b in pairs)
    except CheckpointError:
        return False
