"""The files a checkpoint folder holds: their names, and the index that ties shards together.

    config.json                          the hyper-parameters
    model.safetensors                    all weights in one file, or
    model-00001-of-00002.safetensors …   shards, listed in model.safetensors.index.json
    pytorch_model.bin                    the older pickled form, sharded in the same way

An index of these is ``{"metadata": {"total_size": bytes}, "weight_map": {tensor name: shard file name}}``. The names
are those of the reference library, so that each side opens what the other saved.

    bert_config.json                     the hyper-parameters, and
    bert_model.ckpt.index                the index of the weights that Google's TensorFlow code saved, in
    bert_model.ckpt.data-00000-of-00001  and further such files: read here, never written
"""

import re
from pathlib import Path

from .errors import CheckpointError
from .files import read_json

CONFIG_FILE = "config.json"
TENSORFLOW_CONFIG_FILE = "bert_config.json"
SAFETENSORS_FILE = "model.safetensors"
PYTORCH_FILE = "pytorch_model.bin"
INDEX_SUFFIX = ".index.json"
TENSORFLOW_INDEX_SUFFIX = ".index"

# The weights written here, best to read first: safetensors files cannot run code, and read faster than pickles.
WEIGHT_FILES = (
    SAFETENSORS_FILE,
    SAFETENSORS_FILE + INDEX_SUFFIX,
    PYTORCH_FILE,
    PYTORCH_FILE + INDEX_SUFFIX,
)

# Read where there is nothing else, or where they are asked for.
TENSORFLOW_INDEXES = ("bert_model.ckpt.index", "model.ckpt.index")

# Weights of other frameworks: not read from here, but worth a mention when they are all there is.
OTHER_FRAMEWORKS = {
    "tf_model.h5": "TensorFlow",
    "flax_model.msgpack": "Flax",
    "rust_model.ot": "Rust",
}

_SHARD = re.compile(r"(model-\d{5}-of-\d{5}\.safetensors|pytorch_model-\d{5}-of-\d{5}\.bin)")


def shard_file(filename: str, number: int, count: int) -> str:
    """The name of shard ``number`` (from 1) of ``count``: ``model.safetensors`` → ``model-00001-of-00002.safetensors``."""
    stem, extension = filename.rsplit(".", 1)
    return f"{stem}-{number:05d}-of-{count:05d}.{extension}"


def search_order(from_tf: bool) -> tuple[str, ...]:
    """Where to look for weights, best first; with ``from_tf`` only for those of TensorFlow."""
    return TENSORFLOW_INDEXES if from_tf else WEIGHT_FILES + TENSORFLOW_INDEXES


def is_weight_file(filename: str) -> bool:
    """Is this a name that ``save_weights`` gives to a file, shards included?"""
    return filename in WEIGHT_FILES or _SHARD.fullmatch(filename) is not None


def read_index(path: Path) -> dict[str, str]:
    """Tensor name → shard file name, from an index file; every shard is a plain file name beside the index.

    Raises ``CheckpointError`` if the index is malformed, or names a path that leads out of its own folder.
    """
    weight_map = read_json(path).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(
            f'{path}: an index needs a "weight_map" of tensor names to shard files; this one has none'
        )
    for name, shard in weight_map.items():
        if not isinstance(shard, str) or not _is_plain_file_name(shard):
            raise CheckpointError(
                f"{path}: the index places tensor {name!r} in {shard!r}, which is not the name of a file in the "
                "same folder. Refusing to follow it; get the checkpoint again from a source you trust"
            )
    return weight_map


def _is_plain_file_name(name: str) -> bool:
    """No folder, no drive, no parent: nothing that could point elsewhere on any operating system."""
    return name not in ("", ".", "..") and not any(char in "/\\:\0" for char in name)
