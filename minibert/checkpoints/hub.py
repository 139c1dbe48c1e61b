"""Fetching a model repository's files from the hub, through `huggingface_hub` and its cache.

The library does the work: resolving a branch to a commit, tokens, the cache that all programs share, resuming. This
file adds two things. Every file of one call comes from one commit, even if the branch moves in between; and each way
it can fail has a message of its own.
"""

import os
import socket
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import _CACHED_NO_EXIST, HfApi, errors, try_to_load_from_cache

from .files import CheckpointError, first_line


@dataclass
class HubRepository:
    """One repository at one revision; ``fetch`` brings its files into the cache, one by one.

    revision: branch, tag or commit; None means "main". cache_dir: where downloads are kept, None for the place that
    all programs share. token: for private repositories. local_files_only: use the cache and no network, as
    ``HF_HUB_OFFLINE=1`` does. force_download: fetch again what is cached.
    """

    repo_id: str
    revision: str | None = None
    cache_dir: str | Path | None = None
    token: bool | str | None = None
    local_files_only: bool = False
    force_download: bool = False
    hint: str = ""  # said after an error, such as a name that is spelled nearly so

    def __post_init__(self) -> None:
        self.revision = self.revision or "main"
        asked = (os.environ.get(variable, "").upper() for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
        self.offline = self.local_files_only or any(value in ("1", "ON", "YES", "TRUE") for value in asked)
        if self.offline and self.force_download:
            raise ValueError("force_download=True needs the network, but offline mode is on; give up one of them")
        # The address is read now, not when the library is imported, so that a program may set it at any time.
        self.api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=self.token)
        self.resolved = False  # to a commit, by the first file
        self._unreachable: OSError | None = None
        self._not_cached: errors.LocalEntryNotFoundError | None = None

    def fetch(self, filename: str) -> Path | None:
        """The file in the cache, downloaded if need be; None if there is none, or without a connection if not cached."""
        wanted: Any = {"filename": filename, "revision": self.revision, "cache_dir": self.cache_dir}
        # Has an earlier call found that this commit lacks the file? Then there is no need to ask again.
        known = try_to_load_from_cache(self.repo_id, **wanted) if self.resolved and not self.force_download else None
        if known is _CACHED_NO_EXIST:
            return None
        if not self.offline and not self.resolved:
            self._unreachable = name_unknown(self.api.endpoint)
            self.offline = self._unreachable is not None
        wanted |= {"local_files_only": self.offline, "force_download": self.force_download}
        try:
            cached = Path(self.api.hf_hub_download(self.repo_id, **wanted))
        except errors.LocalEntryNotFoundError as error:
            self.offline = True  # do not wait for a dead connection again
            self._not_cached = self._not_cached or error
            return None
        except errors.EntryNotFoundError:
            return None
        except Exception as error:
            raise CheckpointError(self._explain(filename, error)) from error
        # Cached files lie at …/snapshots/COMMIT/FILENAME. From here on, ask for that commit.
        self.revision, self.resolved = cached.parent.name, True
        return cached

    def nothing_found(self, wanted: str) -> CheckpointError:
        """The error to raise when no file that was asked for could be fetched."""
        if self._not_cached is None:
            names = self.file_names()
            holds = f"It holds: {', '.join(names)}" if names else "The hub does not list its files"
            return CheckpointError(f"{self}: has no {wanted}. {holds}{self.hint}")
        error = CheckpointError(self._explain(wanted, self._not_cached))
        error.__cause__ = self._not_cached
        return error

    def file_names(self) -> list[str]:
        """What the repository holds, for error messages; nothing if the hub does not say."""
        try:
            files = [] if self.offline else self.api.model_info(self.repo_id, revision=self.revision).siblings
        except Exception:  # the error being reported matters more than this one
            files = []
        return sorted(file.rfilename for file in files or [])

    def __str__(self) -> str:
        return f"hub repository {self.repo_id!r}, revision {self.revision!r}"

    def _explain(self, wanted: str, error: Exception) -> str:
        """What went wrong, in one or two sentences. Subclasses come before their bases."""
        cause = error.__cause__ if error is self._not_cached else error
        status = getattr(getattr(cause, "response", None), "status_code", None)
        cause = cause or self._unreachable
        reason = f"{type(cause).__name__}: {first_line(cause)}" if cause else ""
        neither = f"{self.repo_id!r} is neither a folder here, nor a bundled checkpoint, nor a"
        log_in = "log in with `hf auth login` or pass token=…"
        if isinstance(error, errors.HFValidationError):
            return f"{neither} possible name of a hub repository (name or owner/name)"
        if isinstance(error, errors.GatedRepoError):
            return f"{self}: gated: its owner wants you to ask first. Accept the terms on its page, then {log_in}"
        if isinstance(error, errors.RepositoryNotFoundError):
            return f"{neither} model repository that you can see. Check the spelling; for a private one {log_in}"
        if isinstance(error, errors.RevisionNotFoundError):
            return f"{self}: there is no such branch, tag or commit. Check the revision, or leave it out for 'main'"
        if status is not None:
            advice = f"You are not allowed to read it: {log_in}" if status in (401, 403) else "Try again later"
            return f"{self}: the hub answered HTTP status {status} in place of {wanted}. {advice}"
        if error is not self._not_cached:
            return f"{self}: the download of {wanted} failed ({reason}). Nothing incomplete was kept; try again"
        why = "offline mode is on" if cause is None else f"the hub cannot be reached ({reason})"
        advice = "Load it once with a connection, without HF_HUB_OFFLINE and local_files_only; or load from a folder"
        return f"{self}: {why} and no {wanted} is in the cache. {advice}{'.' * bool(self.hint)}{self.hint}"


def name_unknown(endpoint: str) -> OSError | None:
    """Why the hub's address cannot be looked up, as without a connection: asked first, since the library tries for half a minute."""
    host = urlsplit(endpoint).hostname
    if not host or urllib.request.getproxies():  # a proxy looks names up itself
        return None
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        return error
    return None
