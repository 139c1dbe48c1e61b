"""What the process of the exercises may do: compute, and write into a folder of its own that is removed afterwards.

This keeps a mistake, or a bad joke, from a teacher's files, network and next check. It is no prison: code in a process can undo what
the process has set up, and can read whatever its user can. Who grades strangers' code does that in a container (docs/teaching.md).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GIGABYTE = 1 << 30
MEMORY = 4 * GIGABYTE  # besides what PyTorch takes when it is imported
LIMITS = {"FSIZE": GIGABYTE // 4, "CPU": 120, "NPROC": 4096, "CORE": 0}  # as resource.RLIMIT_… counts them
SECRETS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY")

# Python's own names of what is asked for (its table of audit events), and how a refusal calls it.
REFUSED = {
    "start another program": (
        *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.fork"),
        *("os.forkpty", "pty.spawn"),
    ),
    "stop another program": ("os.kill", "os.killpg"),
    "use the network": (
        *("socket.__new__", "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"),
        *("socket.getaddrinfo", "socket.gethostbyname"),
    ),
}
CHANGES = (
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink", "os.chmod", "os.chown"),
    *("os.utime", "os.setxattr", "os.removexattr", "shutil.rmtree", "shutil.move", "shutil.copyfile"),
)


@contextlib.contextmanager
def without_secrets() -> Iterator[None]:
    """A program that is started inside has no tokens and passwords in its environment."""
    secrets = {name: value for name, value in os.environ.items() if any(word in name.upper() for word in SECRETS)}
    for name in secrets:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(secrets)


def limit_this_process(folder: str) -> None:
    """From now on this process works in `folder`, in a group of its own, with limits of the system's where it has them."""
    if hasattr(os, "setsid"):
        os.setsid()  # its children can be ended with it
    os.chdir(folder)
    tempfile.tempdir = os.environ["TMPDIR"] = os.environ["TEMP"] = os.environ["TMP"] = folder
    with contextlib.suppress(ImportError):
        import resource

        for name, limit in {**LIMITS, "AS": _memory_taken() + MEMORY}.items():
            with contextlib.suppress(AttributeError, ValueError, OSError):  # one that this system does not have
                kind = getattr(resource, f"RLIMIT_{name}")
                hard = resource.getrlimit(kind)[1]
                limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
                resource.setrlimit(kind, (limit, limit))
    refuse_what_is_no_exercise(Path(folder).resolve())


def _memory_taken() -> int:
    """How many bytes of addresses this process has; 28 gigabytes, more than any PyTorch's, where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 28 * GIGABYTE
    return pages * os.sysconf("SC_PAGE_SIZE")


def refuse_what_is_no_exercise(folder: Path) -> None:
    """From now on PermissionError is raised in this process for other programs, the network, and changes outside `folder`."""
    refused = {event: what for what, events in REFUSED.items() for event in events}

    def inside(path: Any, opened: Any = -1) -> bool:
        """Whether a path is in the folder; a relative one may start from an opened folder. A number is a file that is open already."""
        if isinstance(path, int):
            return True
        start = Path.cwd()
        if isinstance(opened, int) and opened >= 0 and Path("/proc/self/fd").is_dir():
            start = Path(f"/proc/self/fd/{opened}")
        where = (start / os.fsdecode(path)).parent.resolve()  # what is there may be a link, which is changed itself
        return where.is_relative_to(folder) or (start / os.fsdecode(path)).resolve() == folder

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        what = refused.get(event)
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and flags & (
                os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            )
            if writes and path not in (os.devnull, os.devnull.encode()) and not inside(_target(path)):
                what = "write files outside its folder"
        elif event in CHANGES:
            paths = [each for each in arguments[:2] if isinstance(each, (str, bytes, os.PathLike))]
            opened = arguments[-1] if event in ("os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree") else -1
            if not all(inside(path, opened) for path in paths):
                what = "change files outside its folder"
        if what:
            raise PermissionError(f"An exercise may not {what} ({event}).")

    sys.addaudithook(hook)


def _target(path: Any) -> Any:
    """Where a path leads that is opened, over links."""
    return path if isinstance(path, int) else os.path.realpath(os.fsdecode(path))


def end_group(process: int) -> None:
    """End what a process has started and left behind."""
    with contextlib.suppress(AttributeError, OSError):
        os.killpg(process, signal.SIGKILL)
