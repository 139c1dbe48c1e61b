"""Arguments of the era's `save_pretrained` that no lesson needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from ..checkpoints.files import PYTORCH_FILE
from ..checkpoints.save import remove_earlier


def check_upload(push_to_hub: bool, **of_upload: Any) -> None:
    """Raise ValueError where files shall be uploaded, TypeError for arguments that only an upload would have."""
    if push_to_hub:
        advice = "Save without it, and upload the folder: `hf upload NAME FOLDER`."
        raise ValueError(f"push_to_hub=True: minibert saves files in a folder and uploads none. {advice}")
    if of_upload:
        raise TypeError(f"save_pretrained() got an unexpected keyword argument {min(of_upload)!r}")


def save_with(save_function: Callable[..., Any], tensors: dict[str, Tensor], folder: Path) -> None:
    """Let `save_function(tensors, path)` write `pytorch_model.bin`, as `accelerator.save` does in one process of several.

    Only where the file was written do the weights of an earlier save go, so that they are not read in its place.
    """
    path = folder / PYTORCH_FILE
    before = path.stat() if path.exists() else None
    save_function(tensors, str(path))
    if path.exists() and path.stat() != before:
        remove_earlier(folder, [path])
