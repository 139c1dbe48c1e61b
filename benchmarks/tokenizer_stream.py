"""Does the tokenizer's memory stay bounded on text that never repeats itself? Random words, megabyte after megabyte.

    python benchmarks/tokenizer_stream.py [MEGABYTES]

Prints the process's peak memory on the way; it must stop growing once the memory of words is full.
"""

from __future__ import annotations

import random
import resource
import string
import sys
import time
from pathlib import Path

from minibert.tokenization import BertTokenizer

ROOT = Path(__file__).resolve().parents[1]


def random_text(noise: random.Random, size: int) -> str:
    """About `size` characters of words of 3 to 12 random letters."""
    letters = "".join(noise.choices(string.ascii_lowercase, k=size))
    words, place = [], 0
    while place < size:
        length = noise.randint(3, 12)
        words.append(letters[place : place + length])
        place += length
    return " ".join(words)


def main() -> None:
    megabytes = int(sys.argv[1]) if sys.argv[1:] else 1000
    tokenizer = BertTokenizer.from_pretrained(ROOT / "weights" / "novels-4l-256h")
    noise = random.Random(0)
    read = tokens = 0
    start = time.perf_counter()
    for megabyte in range(1, megabytes + 1):
        text = random_text(noise, 10**6)
        read += len(text)
        tokens += len(tokenizer(text, truncation=False).input_ids)
        if megabyte in (1, 10) or megabyte % 100 == 0:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
            print(
                f"{read / 1e6:8.0f} MB {tokens:12,} tokens  peak {peak:5.0f} MB  {time.perf_counter() - start:5.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
