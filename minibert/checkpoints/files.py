"""The files of a checkpoint folder: their names, JSON read with clear errors, and writing that leaves no half a file.

    config.json                          the hyper-parameters
    model.safetensors                    all weights in one file, or
    model-00001-of-00002.safetensors …   shards, listed in model.safetensors.index.json
    pytorch_model.bin                    the older pickled form, sharded in the same way
    bert_config.json, bert_model.ckpt.*  what Google's TensorFlow code saved: read here, never written

The names are those of the reference library, so that each side opens what the other saved.
"""

import json
import math
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..visible import visible

CONFIG_FILE = "config.json"
TENSORFLOW_CONFIG_FILE = "bert_config.json"
SAFETENSORS_FILE = "model.safetensors"
PYTORCH_FILE = "pytorch_model.bin"
INDEX_SUFFIX = ".index.json"
TENSORFLOW_INDEX_SUFFIX = ".index"

# The weights written here, best to read first: safetensors files cannot run code, and read faster than pickles.
WEIGHT_FILES = (SAFETENSORS_FILE, SAFETENSORS_FILE + INDEX_SUFFIX, PYTORCH_FILE, PYTORCH_FILE + INDEX_SUFFIX)
_SHARD = re.compile(r"(model-\d{5}-of-\d{5}\.safetensors|pytorch_model-\d{5}-of-\d{5}\.bin)")
# What saving a tokenizer writes, here or behind a prefix and a hyphen.
TOKENIZER_FILES = ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
# Read where there is nothing else, or where they are asked for.
TENSORFLOW_INDEXES = ("bert_model.ckpt.index", "model.ckpt.index")
# Not read from here, but worth a mention when they are all there is.
_OTHER_FRAMEWORKS = {"tf_model.h5": "TensorFlow", "flax_model.msgpack": "Flax", "rust_model.ot": "Rust"}
MOST_TENSORS = 50_000  # that one file may list: a BERT has hundreds, and each costs memory before its numbers are read
_LONGEST_JSON = 64_000_000  # bytes: a million added tokens have 23 million
_DEEPEST = 100  # brackets in each other
# What git leaves in place of a large file that was not downloaded.
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class CheckpointError(OSError):
    """A checkpoint cannot be found, read or written: the message says what is wrong, in which file, and what to do.

    An ``OSError``, since programs written for the reference library catch that around ``from_pretrained``.
    """

    def __str__(self) -> str:
        return visible(super().__str__(), keep="\n")


def search_order(from_tf: bool) -> tuple[str, ...]:
    """Where to look for weights, best first; with ``from_tf`` only for those of TensorFlow."""
    return TENSORFLOW_INDEXES if from_tf else WEIGHT_FILES + TENSORFLOW_INDEXES


def is_weights(name: str) -> bool:
    """Whether a file of this name holds weights as they are written here."""
    return name in WEIGHT_FILES or _SHARD.fullmatch(name) is not None


def is_saved(name: str) -> bool:
    """Whether saving a model or a tokenizer writes a file of this name."""
    return name == CONFIG_FILE or is_weights(name) or name.rpartition("-")[2] in TOKENIZER_FILES


def is_checkpoint(name: str) -> bool:
    """Whether a model is opened from a file of this name."""
    return name in (CONFIG_FILE, TENSORFLOW_CONFIG_FILE) or is_weights(name)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; ``CheckpointError`` if it is missing, or not a JSON object in UTF-8."""
    check_is_real_file(path)
    try:
        if (size := path.stat().st_size) > _LONGEST_JSON:
            raise ValueError(f"{size:,} bytes, and none of a checkpoint's has more than {_LONGEST_JSON:,}")
        content = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path}: not JSON in UTF-8 ({error})") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: should hold a JSON object {{…}}, holds a {type(content).__name__}")
    return content


def parse_json(text: str, finite: bool = True) -> Any:
    """`json.loads` for what others wrote. Raises ValueError for more than the standard allows or a reader can hold: a name twice in an
    object, half a surrogate pair, more than 100 brackets in each other and, if numbers are to be finite, NaN and 1e999."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(found := dict(pairs)) < len(pairs):
            twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
            raise ValueError(f"{twice!r:.80} stands twice in one object")
        return found

    try:
        whole = json.loads(text, object_pairs_hook=once)
    except RecursionError as error:
        raise ValueError(str(error)) from error
    level, depth = [whole], 0
    while level:
        if (depth := depth + 1) > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} brackets in each other")
        for each in level:
            if finite and isinstance(each, float) and not math.isfinite(each):
                raise ValueError(f"the number {each}")
            if isinstance(each, str) and re.search("[\ud800-\udfff]", each):
                raise ValueError(f"half a surrogate pair, which is no character, in {each!r:.80}")
        names = [name for each in level if isinstance(each, dict) for name in each]
        lists = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [*names, *(value for several in lists for value in several)]
    return whole


def read_index(path: Path) -> dict[str, str]:
    """Tensor name → shard, from ``{"weight_map": {name: shard}, …}``; CheckpointError unless shards lie beside it."""
    weight_map = read_json(path).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f'{path}: an index needs a "weight_map" of tensor names to shard files')
    for name, shard in weight_map.items():
        if not is_plain_name(shard):
            wrong = f"places tensor {name!r} in {shard!r}, which is not the name of a file in the same folder"
            raise CheckpointError(f"{path}: {wrong}. Get the checkpoint again, from a source you trust")
    return weight_map


def is_plain_name(name: Any) -> bool:
    """Whether it names a file of the same folder: no drive, no parent, nothing that points elsewhere on any operating system."""
    return isinstance(name, str) and name not in ("", ".", "..") and not any(char in "/\\:\0" for char in name)


def check_is_real_file(path: Path, listed_in: Path | None = None) -> None:
    """Refuse what stands in a file's place without being it: nothing, a folder, an empty file, a git-LFS pointer."""
    if len(path.name) > 255 or not path.exists():  # no system has longer names
        listed = "" if listed_in is None else f", which {listed_in.name} lists"
        raise CheckpointError(f"{path}: no such file{listed}. {describe_folder(path.parent)}")
    if not path.is_file():
        raise CheckpointError(f"{path}: not a file")
    try:
        with open(path, "rb") as file:
            start = file.read(len(_LFS_POINTER))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    if not start:
        raise CheckpointError(f"{path}: empty (0 bytes). The copy or download stopped early; get the file again")
    if start == _LFS_POINTER:
        raise CheckpointError(f"{path}: only a git-LFS pointer. Run `git lfs pull` where it came from, or download it")


def describe_folder(folder: Path) -> str:
    """One sentence on what a folder holds, for error messages."""
    if not folder.is_dir():
        return f"There is no folder {folder}"
    names = sorted(entry.name for entry in folder.iterdir())
    if not names:
        return f"The folder {folder} is empty"
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"The folder {folder} holds: {shown}"


def other_weights(filenames: Collection[str]) -> str:
    """What to say of the weights of other frameworks among these files, for error messages."""
    kinds = [kind for name, kind in _OTHER_FRAMEWORKS.items() if name in filenames]
    return f". It has {' and '.join(kinds)} weights; convert them to PyTorch first" if kinds else ""


def first_line(error: BaseException | None) -> str:
    """What an error says, without the advice, traces and addresses that libraries add below."""
    return str(error).strip().partition("\n")[0]


def flush_to_disk(path: Path) -> None:
    """Make sure a file's bytes, or those of a folder's files, are on the disk before a rename makes them official."""
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with open(file, "rb+") as opened:
                os.fsync(opened.fileno())


def temporary_name(name: str, unique: str) -> str:
    """What a file or folder is called while it is written; the ending tells the kind."""
    path = Path(name)
    return f".{path.stem}.{unique}.tmp{path.suffix}"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file or a folder to the temporary path this yields: it becomes ``path``, or on any error it vanishes.

    Raises OSError where ``path`` is a folder that holds something.
    """
    # In the same folder, since only a rename within one file system is atomic.
    temporary = path.with_name(temporary_name(path.name, secrets.token_hex(4)))
    try:
        yield temporary
        flush_to_disk(temporary)
        temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def write_text_atomically(path: Path, text: str) -> None:
    """Write ``text`` in UTF-8 with ``\\n`` line ends on every system."""
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written ({error.strerror or error})") from error


def write_json(path: Path, text: str) -> None:
    """`write_text_atomically`, of JSON. Raises ValueError for what could not be read again, such as NaN and half a surrogate pair."""
    try:
        parse_json(text)
    except ValueError as error:
        raise ValueError(f"{path.name} cannot be written: it could not be read again ({error}).") from error
    write_text_atomically(path, text)


def folder_for_saving(save_directory: str | os.PathLike[str]) -> Path:
    """The folder, made where it does not exist. Raises NotADirectoryError where a file has its name."""
    folder = Path(save_directory)
    if folder.is_file():
        raise NotADirectoryError(f"{folder} is a file. Give save_pretrained a folder; it is made if it does not exist.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
