"""Small helpers on single files: read JSON with clear errors, refuse placeholders, write atomically."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import CheckpointError

# What git leaves in place of a large file that was not downloaded.
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; ``CheckpointError`` if it is missing, or not a JSON object in UTF-8."""
    check_is_real_file(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{path}: not UTF-8 text, so not JSON (byte {error.start}: {error.reason})") from error
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path}: not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: JSON that cannot be read ({error})") from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: should hold a JSON object {{…}}, holds a {type(content).__name__}")
    return content


def check_is_real_file(path: Path) -> None:
    """Refuse what stands in a file's place without being it: nothing, a folder, an empty file, a git-LFS pointer."""
    if not path.exists():
        raise CheckpointError(f"{path}: no such file. {describe_folder(path.parent)}")
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
        raise CheckpointError(
            f"{path}: a git-LFS pointer, a few lines of text that stand for the real file. "
            "Run `git lfs pull` in the repository it came from, or download the file itself"
        )


def describe_folder(folder: Path) -> str:
    """One sentence on what a folder holds, for error messages."""
    if not folder.is_dir():
        return f"There is no folder {folder}"
    names = sorted(entry.name for entry in folder.iterdir())
    if not names:
        return f"The folder {folder} is empty"
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"The folder {folder} holds: {shown}"


def temporary_beside(path: Path) -> Path:
    """A fresh name in the same folder, since only a rename within one file system is atomic."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def flush_to_disk(path: Path) -> None:
    """Make sure a file's bytes are on the disk before a rename makes them the official version."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write to the temporary path this yields; on success it becomes ``path``, on any error it vanishes.

    A reader sees the old file or the new one, never half of either.
    """
    temporary = temporary_beside(path)
    try:
        yield temporary
        flush_to_disk(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text_atomically(path: Path, text: str) -> None:
    """Write ``text`` in UTF-8 with ``\\n`` line ends on every system."""
    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written ({error.strerror or error})") from error
