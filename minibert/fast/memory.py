"""A training step up to a third shorter on Linux: memory that one step frees is kept for the next.

Every step allocates and frees the same large tensors: gradients, activations. By default the C library returns such blocks
to the system at once, and the system hands them out again page by page, each filled with zeros at first touch. In a small
model that takes longer than the arithmetic: the gradient of BERT's word embeddings alone is 11,000 to 23,000 pages.

PyTorch's tuning guide recommends another allocator (jemalloc, tcmalloc) for this; two settings of glibc's own do as well.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h
LARGEST = 2**31 - 1


def keep_freed_memory() -> bool:
    """From now on this process returns no memory to the system before it ends; return whether that could be arranged.

    Only glibc (Linux) is asked; elsewhere nothing changes. The numbers that are computed stay the same.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None  # musl has none
    return bool(mallopt and mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, LARGEST))
