"""What `save_pretrained` of a model, a config and a tokenizer takes and writes for programs of the era and of today."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from ..checkpoints.files import PYTORCH_FILE
from ..checkpoints.save import remove_earlier
from ..tokenization.vocabulary import AddedToken


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


def flags_of_added_tokens(tokenizer: Any) -> dict[str, Any]:
    """Today's `added_tokens_decoder`, where added_tokens.json cannot tell how a token is looked for; nothing else.

    That file has no place for pieces of the vocabulary that are cut out whole, and does not say which tokens keep their case.
    """
    tokens = [token for token in tokenizer.unique_no_split_tokens if token not in tokenizer.all_special_tokens]
    special = tokenizer.added_as_special
    if not any(token in tokenizer.vocab or token in special for token in tokens):
        return {}
    tokens.sort(key=tokenizer.token_to_id)
    entries = [AddedToken(token, normalized=token not in special, special=token in special) for token in tokens]
    return {"added_tokens_decoder": {tokenizer.token_to_id(entry): vars(entry) for entry in entries}}
