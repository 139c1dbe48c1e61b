"""Weights in oneDNN's own layout, in blocks, for as long as they stay what they are: a forward pass of one short text up to a third shorter.

oneDNN multiplies by blocks of W, which it otherwise makes at each product: of many rows that is a small part of the work, of a few it is
half of it. The blocks are a copy, so each use asks whether W is still what was copied. No reference class: ours.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

SHORTEST_DIAGONAL = 16  # with shorter ones, more than a sixteenth of W would be looked at
COPIES = 1 << 26  # bytes of all copies that one model may have


def in_blocks(weight: Tensor) -> Tensor:
    """W, (out, in), as a tensor that only oneDNN can read."""
    blocks: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, None)
    return blocks


def blocks_are_there() -> bool:
    """Whether this PyTorch has the operator: its name begins with an underscore, so it may go."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")


def diagonals(weight: Tensor) -> Tensor:
    """A number of every row and of every column, where they lie: the diagonals of W's largest squares side by side."""
    side = math.gcd(*weight.shape)
    rows, columns = (size // side for size in weight.shape)
    return weight.view(rows, side, columns, side).diagonal(dim1=1, dim2=3)


class Room:
    """How many bytes of copies a model may still have."""

    def __init__(self) -> None:
        self.left = COPIES


class Copy(NamedTuple):
    """W in blocks, and what tells whether W is still what was copied."""

    source: Tensor  # W's memory, held so that no other tensor can come to lie there
    version: int
    diagonals: Tensor  # in that memory
    known: Tensor  # what stood there
    blocks: Tensor


class Blocks:
    """One layer's W in blocks, made anew when W has changed.

    W has changed if it is another tensor or lies elsewhere, if PyTorch has counted a change, or if one of the numbers on its diagonals is
    another: PyTorch counts neither what is written through `.data` nor a step of its fused optimizers. room: shared by all layers of a model.
    """

    def __init__(self, room: Room):
        self.room = room
        self.copy: Copy | None = None  # in one piece, so that two threads may use a model

    def __reduce__(self) -> Any:
        return Blocks, (self.room,)  # a copied or saved layer makes its own

    def of(self, weight: Tensor) -> Tensor | None:
        """W in blocks; None where there is no room, or changes are not counted, as in a tensor that was made in inference mode."""
        if weight.is_inference() or not weight.is_contiguous():
            return None
        copy = self.copy
        if copy is None or not is_still(weight, copy):
            self.forget()
            if weight.nbytes > self.room.left or math.gcd(*weight.shape) < SHORTEST_DIAGONAL:
                return None
            self.room.left -= weight.nbytes
            source = weight.detach()
            there = diagonals(source)
            self.copy = copy = Copy(
                source, weight._version, diagonals=there, known=there.clone(), blocks=in_blocks(source)
            )
        return copy.blocks

    def forget(self) -> None:
        """Give the memory back."""
        copy, self.copy = self.copy, None
        self.room.left += copy.source.nbytes if copy is not None else 0


def is_still(weight: Tensor, copy: Copy) -> bool:
    """Whether W is what was copied."""
    return (
        weight.data_ptr() == copy.source.data_ptr()
        and weight.shape == copy.source.shape
        and weight.dtype == copy.source.dtype
        and weight._version == copy.version
        and torch.equal(copy.diagonals, copy.known)
    )
