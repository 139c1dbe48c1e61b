"""Reading one `pytorch_model.bin`: a pickle of name → tensor, opened so that it cannot run code.

A pickle is a program: loading one carelessly runs whatever its author wrote. `torch.load(weights_only=True)` executes
only the few instructions that build tensors and plain containers, and refuses everything else. There is no way around
it here.
"""

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .errors import CheckpointError
from .files import check_is_real_file
from .tensor_dict import TensorDict

_ZIP_MAGIC = b"PK\x03\x04"


class PickleFile(TensorDict):
    """The tensors of one `.bin` file; those in PyTorch's zip format (1.6 and later) stay on disk until read."""

    def __init__(self, path: Path):
        check_is_real_file(path)
        super().__init__(_load(path), str(path))
        self.path = path

    def map(self, name: str) -> Tensor:
        """The tensor itself, in the file's pages: nobody else here knows of it."""
        return self._tensors[name].contiguous()


def _load(path: Path) -> Any:
    """The unpickled content, mapped rather than read where the format allows it."""
    with open(path, "rb") as file:
        is_zip = file.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC
    try:
        return torch.load(str(path), map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: refused, because it is not a plain pickle of tensors: {_why_refused(error)}. Nothing in it was "
            "run. Do not load it by other means unless you trust its author; ask for a safetensors file"
        ) from error
    except Exception as error:  # a damaged pickle can make the unpickler raise anything
        raise CheckpointError(
            f"{path}: not a readable PyTorch file ({type(error).__name__}: {_first_line(error)}). "
            "It is damaged, truncated or something else; get the file again"
        ) from error


def _why_refused(error: Exception) -> str:
    """PyTorch's reason without its advice, which is to load the file unsafely."""
    lines = [line.strip() for line in str(error).splitlines()]
    reasons = [line for line in lines if "Unsupported" in line or "Trying to call" in line or "GLOBAL" in line]
    return (reasons or lines or ["no reason given"])[0].removeprefix("WeightsUnpickler error: ").rstrip(". ")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
