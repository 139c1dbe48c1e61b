"""Memory for many tensors at once, in huge pages where the system has them.

Reading 90 MB from a file the system already has in memory costs two things: copying the bytes (7 ms), and the first
touch of 22,000 fresh pages of 4 kB each (30 ms), on which the processor stops to let the kernel find and clear a page.
Linux will hand out 2 MB pages instead if asked, 512 times fewer stops. So tensors are laid end to end in one block,
and the block asks for huge pages. Elsewhere, `torch.empty` for each tensor does.

Each tensor is its own `torch.Storage` over its own part of the block: for PyTorch they share nothing. The block is
freed when its last tensor is.
"""

import math
import mmap
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

_HUGE_PAGE = 2 << 20
# PyTorch's own allocator aligns to 64 bytes. Matrix kernels may round differently on other alignments.
_ALIGNMENT = 64
# A tensor this large has a block to itself, so that replacing it (a resized embedding) frees its memory.
_OWN_BLOCK = 8 << 20


def allocate(specs: Mapping[str, tuple[Sequence[int], torch.dtype]]) -> dict[str, Tensor]:
    """Uninitialised contiguous CPU tensors of the given shapes and dtypes, in the same order.

    specs: name → (shape, dtype).
    """
    sizes = {name: math.prod(shape) * dtype.itemsize for name, (shape, dtype) in specs.items()}
    small = [name for name, size in sizes.items() if 0 < size < _OWN_BLOCK]
    blocks = [[name] for name, size in sizes.items() if size >= _OWN_BLOCK]
    flat: dict[str, Tensor] = {}
    for names in [small, *blocks]:
        flat |= _allocate_block({name: sizes[name] for name in names})
    return {
        name: flat[name].view(dtype).view(tuple(shape)) if name in flat else torch.empty(tuple(shape), dtype=dtype)
        for name, (shape, dtype) in specs.items()
    }


def _allocate_block(sizes: Mapping[str, int]) -> dict[str, Tensor]:
    """Name → uint8 tensor of the given size, side by side; nothing at all if the block is too small to be worth it."""
    total = sum(_round_up(size, _ALIGNMENT) for size in sizes.values())
    if total < 2 * _HUGE_PAGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return {}
    # Private, so that a forked process has its own copy, as of all other memory. One page more than needed, of which
    # nothing is touched, leaves room to start on a huge-page boundary.
    block = mmap.mmap(-1, total + _HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = torch.frombuffer(block, dtype=torch.uint8, count=1).data_ptr()
    offset = _round_up(address, _HUGE_PAGE) - address
    # Whole pages only: the rest of a last, half-used one would be memory wasted. Some kernels are built without huge
    # pages and refuse; the block is as good with small ones.
    # Not contextlib.suppress: this runs in a model's first forward, where a debugger should meet no frames but ours.
    try:  # noqa: SIM105
        block.madvise(mmap.MADV_HUGEPAGE, offset, total // _HUGE_PAGE * _HUGE_PAGE)
    except OSError:
        pass
    tensors = {}
    for name, size in sizes.items():
        tensors[name] = torch.frombuffer(block, dtype=torch.uint8, count=size, offset=offset)
        offset += _round_up(size, _ALIGNMENT)
    return tensors


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
