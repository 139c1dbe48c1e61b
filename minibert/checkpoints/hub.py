"""Fetching a model repository's files from the hub, through `huggingface_hub` and its cache.

The library does the work: resolving a branch to a commit, tokens, the cache that all programs share, resuming. This
file adds two things. Every file of one call comes from one commit, even if the branch moves in between; and each way
it can fail has a message of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from huggingface_hub import _CACHED_NO_EXIST, HfApi, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from .files import CheckpointError


class HubRepository:
    """One repository at one revision; ``fetch`` brings its files into the cache, one by one."""

    def __init__(
        self,
        repo_id: str,
        *,
        revision: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        token: bool | str | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
    ):
        self.repo_id = repo_id
        self.revision = revision or "main"
        self.cache_dir = None if cache_dir is None else str(cache_dir)
        self.token = token
        self.offline = local_files_only or _is_true("HF_HUB_OFFLINE") or _is_true("TRANSFORMERS_OFFLINE")
        if self.offline and force_download:
            raise ValueError("force_download=True needs the network, but offline mode is on; give up one of them")
        self.force_download = force_download
        # Read now, not when the library is imported, so that a program may set it at any time.
        self.endpoint = os.environ.get("HF_ENDPOINT") or None
        self.folder: Path | None = None  # the commit's folder in the cache, known after the first file
        self._not_cached: LocalEntryNotFoundError | None = None

    def fetch(self, filename: str) -> Path | None:
        """The file in the cache, downloaded if need be; None if the repository has no such file.

        Without a connection, None also if the file is not cached: whether it exists cannot be known.
        """
        if self.folder is not None and not self.force_download:
            # Has an earlier call found that this commit lacks the file? Then there is no need to ask again.
            known = try_to_load_from_cache(self.repo_id, filename, cache_dir=self.cache_dir, revision=self.revision)
            if known is _CACHED_NO_EXIST:
                return None
        try:
            cached = hf_hub_download(
                self.repo_id,
                filename,
                revision=self.revision,
                cache_dir=self.cache_dir,
                token=self.token,
                local_files_only=self.offline,
                force_download=self.force_download,
                endpoint=self.endpoint,
            )
        except LocalEntryNotFoundError as error:
            self.offline = True  # do not wait for a dead connection again
            self._not_cached = self._not_cached or error
            return None
        except EntryNotFoundError:
            return None
        except Exception as error:
            raise CheckpointError(self._explain(filename, error)) from error
        # Cached files lie at …/snapshots/COMMIT/FILENAME. From here on, ask for that commit.
        self.folder = Path(cached).parent
        self.revision = self.folder.name
        return Path(cached)

    def nothing_found(self, wanted: str) -> CheckpointError:
        """The error to raise when no file that was asked for could be fetched."""
        if self._not_cached is None:
            names = self.file_names()
            holds = f"It holds: {', '.join(names)}" if names else "The hub does not list its files"
            return CheckpointError(f"{self}: has no {wanted}. {holds}")
        error = CheckpointError(self._explain_not_cached(wanted, self._not_cached.__cause__))
        error.__cause__ = self._not_cached
        return error

    def file_names(self) -> list[str] | None:
        """What the repository holds, for error messages; None if the hub does not say."""
        if self.offline:
            return None
        try:
            info = HfApi(endpoint=self.endpoint).model_info(self.repo_id, revision=self.revision, token=self.token)
        except Exception:  # the error being reported matters more than this one
            return None
        return sorted(sibling.rfilename for sibling in info.siblings or [])

    def __str__(self) -> str:
        return f"hub repository {self.repo_id!r}, revision {self.revision!r}"

    def _explain(self, filename: str, error: Exception) -> str:
        """What went wrong, in one or two sentences. Subclasses come before their bases."""
        neither = f"{self.repo_id!r} is neither a folder here, nor a bundled checkpoint, nor"
        log_in = "log in with `hf auth login` or pass token=…"
        match error:
            case HFValidationError():
                return f"{neither} a possible name of a hub repository (name or owner/name)"
            case GatedRepoError():
                return f"{self}: gated: its owner wants you to ask first. Accept the terms on its page, then {log_in}"
            case RepositoryNotFoundError():
                return (
                    f"{neither} a model repository on the hub that you can see. "
                    f"Check the spelling; for a private one {log_in}"
                )
            case RevisionNotFoundError():
                return f"{self}: there is no such branch, tag or commit. Check the revision, or leave it out for 'main'"
        if (status := _http_status(error)) is not None:
            return f"{self}: the hub refused {filename} with HTTP status {status}{_advice(status)}"
        return (
            f"{self}: the download of {filename} failed ({type(error).__name__}: {_first_line(error)}). "
            "Nothing incomplete was kept as if it were whole; try again"
        )

    def _explain_not_cached(self, wanted: str, cause: BaseException | None) -> str:
        if (status := _http_status(cause)) is not None:
            return f"{self}: the hub answered HTTP status {status}, and no {wanted} is cached{_advice(status)}"
        if cause is None:
            return (
                f"{self}: offline mode is on and no {wanted} is in the cache. Load it once with a connection, or "
                "unset HF_HUB_OFFLINE and local_files_only"
            )
        return (
            f"{self}: the hub cannot be reached ({type(cause).__name__}: {_first_line(cause)}) and no {wanted} is in "
            "the cache. Check the connection, or load from a folder"
        )


def _is_true(variable: str) -> bool:
    return os.environ.get(variable, "").upper() in ("1", "ON", "YES", "TRUE")


def _http_status(error: BaseException | None) -> int | None:
    """The status of an answer, whichever HTTP library the hub's own library uses in this version."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _advice(status: int) -> str:
    refused = ". You are not allowed to read it: log in with `hf auth login`, or check the token"
    return refused if status in (401, 403) else ". Try again later"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
