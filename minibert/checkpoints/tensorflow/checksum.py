"""CRC-32C, the checksum TensorFlow keeps beside all it writes; fast enough in NumPy to check every tensor.

A CRC reads the bytes as one polynomial with coefficients 0 and 1, lowest bit first, and keeps its remainder on division
by P = x³² + x²⁸ + … + 1 (Castagnoli's). The register r starts at 2³² − 1, and each byte b does

    r ← Z(r ⊕ b),      Z(r) = (r >> 8) ⊕ TABLE[r & 255],      and at the end      crc = r ⊕ (2³² − 1)

Z is linear over ⊕, so a byte n places further on is the same as Zⁿ of it there. That folds two rows of n bytes, one
behind the other, into one: `Zⁿ(first) ⊕ second`, word by word, leaves the same remainder. A long tensor is folded to
a single row, and only that is read byte by byte.

Source: Castagnoli et al. 1993 for P; RFC 3720, appendix B.4, for the checksum and its test vectors.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78  # P without x³², lowest power in the highest bit
_ONES = 0xFFFFFFFF
_ROW = 1 << 13  # bytes: long enough that NumPy's cost per call does not show
_TABLE = list(range(256))  # what becomes of a register of one byte after its eight bits
for _ in range(8):
    _TABLE = [register >> 1 ^ (_POLYNOMIAL if register & 1 else 0) for register in _TABLE]


def crc32c(data: bytes | memoryview) -> int:
    """The CRC-32C of `data`."""
    register = _ONES
    rows = len(data) // _ROW
    if rows > 1:
        low, high = _row_tables()
        words = np.frombuffer(data, dtype="<u4", count=rows * _ROW // 4).reshape(rows, _ROW // 4)
        folded = words[0].copy()
        folded[0] ^= np.uint32(register)
        register = 0
        for row in words[1:]:
            folded = low[folded & 0xFFFF] ^ high[folded >> 16] ^ row
        data = folded.tobytes() + bytes(data[rows * _ROW :])
    for byte in data:
        register = register >> 8 ^ _TABLE[(register ^ byte) & 255]
    return register ^ _ONES


def masked_crc32c(data: bytes | memoryview) -> int:
    """The form that files hold: turned by 15 bits and moved, since the checksum of a checksum would be degenerate."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & _ONES


@cache
def _row_tables() -> list[NDArray[np.uint32]]:
    """Zⁿ for a row of n bytes, as two tables: of a register's low 16 bits and of its high 16 bits."""
    images = [1 << n for n in range(32)]  # what becomes of each single bit
    for _ in range(_ROW):
        images = [bit >> 8 ^ _TABLE[bit & 255] for bit in images]
    tables = [np.zeros(1, dtype=np.uint32) for _ in range(2)]
    for n, image in enumerate(images):
        tables[n // 16] = np.concatenate([tables[n // 16], tables[n // 16] ^ np.uint32(image)])
    return tables
