"""Changing several files of a folder at once, and reading several that belong together: no system renames more than one.

    with changing(folder, replaced=is_weights) as draft:  # folder/.saving/draft
        …                                                 # write any files there: an error or a kill changes nothing

They are flushed to the disk, and one rename, of `draft` to `whole`, makes them the folder's; then they are moved to their places. A writer
that is killed in between leaves `whole`: whoever opens the folder next, to read or to write, moves the rest. Writers wait for each other.
What looks like a killed writer's may come with a download: of it, only names that saving writes are moved or removed, and no link is followed.
"""

import errno
import glob
import json
import logging
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from ..visible import visible
from .files import CheckpointError, flush_to_disk, is_plain_name, is_saved, read_json, replacing, temporary_name

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


logger = logging.getLogger("minibert")
Found = TypeVar("Found")
SAVING, _CHANGE = ".saving", "change.json"
_NOT_IN_PLACE = "what was last saved is whole and cannot be moved to its place; open the folder where that can be done"
_LEFT = "%s is what a writer that was killed had written until then: it is removed."
_PATIENCE = 600.0  # seconds to wait for another writer
_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)  # what the system says where another has the lock


def _make_folder(folder: Path) -> None:
    """Make it, if nobody has; who had the lock may remove it at the same time, so that it may not be there afterwards."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # what Python says of a folder that has gone between two looks, too
        with suppress(FileNotFoundError):
            if not stat.S_ISDIR(folder.stat().st_mode):
                raise


@contextmanager
def lock(path: Path, patience: float = 0) -> Iterator[None]:
    """Be the only one with the lock of this file; it ends with the process. Raises BlockingIOError after `patience` seconds."""
    end, file = time.monotonic() + patience, None
    try:
        while True:
            _make_folder(path.parent)
            with suppress(FileNotFoundError):  # its folder, or the file, was just removed by who had the lock
                file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
                try:
                    _lock(file)
                    if os.path.samestat(path.stat(), os.fstat(file)):
                        break
                except OSError as error:
                    if error.errno not in (*_TAKEN, errno.ENOENT):
                        break  # this file system has no locks
                    if time.monotonic() >= end:
                        raise BlockingIOError(f"another process has locked {path}") from error
                os.close(file)
                file = None
            time.sleep(0.02)
    except BaseException:  # Ctrl-C or SIGTERM too: the file may be there before its number is known here
        if file is not None:
            os.close(file)
        _remove_if_free(path)
        raise
    try:
        yield
    finally:
        try:
            with suppress(OSError):  # Windows removes no file that is open
                path.unlink()
        finally:
            os.close(file)
            if sys.platform == "win32":
                with suppress(OSError):
                    path.unlink()
            _remove_if_free(path)  # where SIGTERM came before it was removed


def _remove_if_free(path: Path) -> None:
    """Remove the file of a lock that nobody has."""
    with suppress(OSError), path.open("r+b") as file:
        _lock(file.fileno())
        if os.path.samestat(path.stat(), os.fstat(file.fileno())):
            path.unlink()


@contextmanager
def changing(folder: Path, replaced: Callable[[str], bool]) -> Iterator[Path]:
    """An empty folder for files that then become `folder`'s; of those it had, the ones that are `replaced` by name go.

    Raises CheckpointError where that fails, as on a full disk: nothing has changed then, unless the message says so.
    """
    saving, wrong = folder / SAVING, "the files could not be saved"
    draft, whole = saving / "draft", saving / "whole"
    try:
        if saving.is_symlink():
            raise CheckpointError(f"{saving}: a link, in the place of a folder of minibert's own; remove it")
        with lock(saving / "lock", _PATIENCE):
            _finish(folder, is_ours=is_saved)
            if os.path.lexists(whole):
                raise CheckpointError(f"{whole}: holds what saving does not write; move it elsewhere, or remove it")
            if draft.exists():
                logger.warning(_LEFT, visible(draft))
                shutil.rmtree(draft)
            draft.mkdir()
            try:
                yield draft
                if names := os.listdir(draft):
                    removed = [name for name in os.listdir(folder) if replaced(name) and name not in names]
                    (draft / _CHANGE).write_text(json.dumps({"names": names, "removed": removed}), encoding="utf-8")
                    flush_to_disk(draft)
                    draft.rename(whole)
                    wrong = _NOT_IN_PLACE
                    _finish(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
                _finish(folder)  # where Ctrl-C came in the middle of it
    except OSError as error:
        why = error.__cause__ if isinstance(error, CheckpointError) else error  # not the name that a draft has
        if not isinstance(why, OSError):
            raise
        raise CheckpointError(f"{folder}: {wrong} ({why.strerror or why})") from error
    finally:
        with suppress(OSError):  # the next writer is in it
            saving.rmdir()


@contextmanager
def making(path: Path) -> Iterator[Path]:
    """`replacing`, for what one process at a time makes: what one that was killed had made until then is removed.

    Raises BlockingIOError where another process is making it.
    """
    with lock(path.with_name(f".{path.name}.lock")):
        for left in path.parent.glob(temporary_name(glob.escape(path.name), "*")):
            logger.warning(_LEFT, visible(left))
            shutil.rmtree(left)
        with replacing(path) as draft:
            yield draft


def _is_begun(folder: Path) -> bool:
    """Whether there is a change that is whole and not yet in place, and no link on the way to it."""
    way = folder / SAVING, folder / SAVING / "whole", folder / SAVING / "whole" / _CHANGE
    return way[-1].is_file() and not any(each.is_symlink() for each in way)


def _finish(folder: Path, is_ours: Callable[[str], bool] = is_plain_name) -> None:
    """Move a change that is whole to its places. is_ours: which of the names that it lists are touched; the others stay where they are."""
    whole = folder / SAVING / "whole"
    if _is_begun(folder):
        removed, names = (read_json(whole / _CHANGE).get(each) for each in ("removed", "names"))
        if not isinstance(removed, list) or not isinstance(names, list):
            raise CheckpointError(f"{whole / _CHANGE}: should list the files of a change, and does not")
        removed, names = ([name for name in each if is_plain_name(name) and is_ours(name)] for each in (removed, names))
        for name in removed:
            (folder / name).unlink(missing_ok=True)
        for name in names:
            if (whole / name).exists():
                (whole / name).replace(folder / name)
        (whole / _CHANGE).unlink()
    if not whole.is_symlink():
        with suppress(OSError):  # there is none, or something is left in it
            whole.rmdir()


def settle(folder: Path) -> None:
    """Finish what a killed writer has begun. Raises CheckpointError where that cannot be done."""
    if _is_begun(folder):
        try:
            with lock(folder / SAVING / "lock", _PATIENCE):
                _finish(folder, is_ours=is_saved)
        except OSError as error:
            if _is_begun(folder):
                raise CheckpointError(f"{folder}: {_NOT_IN_PLACE} ({error.strerror or error})") from error
        with suppress(OSError):  # the next writer is in it
            (folder / SAVING).rmdir()


def read_together(folder: Path, read: Callable[[], Found], is_read: Callable[[str], bool]) -> Found:
    """What `read` returns, from files of one state of a folder: where another program replaces some meanwhile, it reads again.

    is_read: which names it reads. Raises CheckpointError where they are replaced again and again.
    """
    for _ in range(200):  # a writer that never rests may be met a dozen times in a row
        settle(folder)
        before = _state(folder, is_read)
        try:
            found = read()
        except (OSError, ValueError):
            if _state(folder, is_read) == before:
                raise
            continue
        if _state(folder, is_read) == before and not _is_begun(folder):
            return found
    wrong = "another program replaced its files again and again while it was being opened; try again"
    raise CheckpointError(f"{folder}: {wrong}")


def _state(folder: Path, is_read: Callable[[str], bool]) -> dict[str, tuple[int, int]]:
    """What a file that is written anew has of its own, and keeps when it is moved."""
    found = {}
    for each in os.scandir(folder) if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if is_read(each.name):
                found[each.name] = each.inode(), each.stat().st_mtime_ns
    return found
