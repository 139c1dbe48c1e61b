"""A training run on disk: checkpoints that are whole or not there.

    step-00000500/    model, tokenizer, and training_state.pt: optimizer, schedule, random states, figures

A checkpoint is written under a temporary name, flushed, and renamed: a run that is killed at any moment leaves the last good
one. The newest few are kept, and the best.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

STATE = "training_state.pt"
_NAME = re.compile(r"step-(\d{8})")
_UNFINISHED = ".unfinished-"


class RunCheckpoints:
    """The checkpoints of a run in a folder. keep: how many of the newest stay, beside the best."""

    def __init__(self, folder: Path, keep: int = 2):
        self.folder = folder
        self.keep = keep

    def steps(self) -> list[int]:
        """The steps of the checkpoints there are, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = (_NAME.fullmatch(path.name) for path in self.folder.iterdir() if (path / STATE).is_file())
        return sorted(int(match.group(1)) for match in found if match)

    def path(self, step: int) -> Path:
        """The folder of a step's checkpoint."""
        return self.folder / f"step-{step:08d}"

    def newest(self) -> int | None:
        """The step to go on from."""
        steps = self.steps()
        return steps[-1] if steps else None

    def load(self, step: int) -> dict[str, Any]:
        """The training state of a step. Raises ValueError where the file cannot be read."""
        path = self.path(step) / STATE
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever a damaged file makes the reader raise
            raise ValueError(
                f"'{path}' cannot be read ({error}). Remove that folder to go on from the one before."
            ) from error

    def save(self, step: int, state: dict[str, Any], save_model: Callable[[Path], None], best: int | None) -> None:
        """Write a checkpoint, then remove those no longer kept. Raises OSError, the older ones untouched, where it fails."""
        draft = self.folder / f"{_UNFINISHED}{step}-{os.getpid()}"
        try:
            draft.mkdir(parents=True)
            save_model(draft)
            torch.save(state, draft / STATE)
            for file in draft.iterdir():
                _flush(file)
            if self.path(step).exists():  # an unreadable one, or one of a run that was rolled back by hand
                shutil.rmtree(self.path(step))
            draft.rename(self.path(step))
            _flush(self.folder)
        except (
            OSError,
            RuntimeError,
            ValueError,
        ) as error:  # torch and safetensors have errors of their own for a full disk
            good = self.newest()
            kept = f"The last good checkpoint is step {good}." if good is not None else "There is no checkpoint yet."
            raise OSError(
                f"The checkpoint of step {step} could not be written to '{self.folder}': {error}. {kept}"
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        for old in self.steps()[: -self.keep]:
            if old != best:
                shutil.rmtree(self.path(old), ignore_errors=True)

    def remove_unfinished(self) -> None:
        """Clear away what a killed run left half-written."""
        if self.folder.is_dir():
            for path in self.folder.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(path, ignore_errors=True)


def _flush(path: Path) -> None:
    """Have the system write a file, or a folder's list of names, to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows does not open folders
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
