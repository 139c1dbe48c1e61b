"""Let atheris choose the files of one reader: `python -m tests.fuzz.with_coverage READER SECONDS`. What it finds lies in build/fuzz.

Needs the extra `fuzz`. libFuzzer changes the bytes of a good file so that code is reached that was not before, and keeps what does.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["minibert"]):
    from minibert.checkpoints import CheckpointError

    from .readers import READERS
    from .trial import FOUND


def main() -> None:
    name, seconds = sys.argv[1], float(sys.argv[2])
    reader, folder = READERS[name], Path(tempfile.mkdtemp())
    reader.write(folder)
    reader.read(folder)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    good = {path: (folder / path).read_bytes() for path in dict.fromkeys(reader.spoiled)}
    paths, seeds = list(good), Path(tempfile.mkdtemp())
    for number, content in enumerate(good.values()):
        (seeds / str(number)).write_bytes(bytes([number]) + content)

    def one(data: bytes) -> None:
        """The first byte says which file the others are."""
        path = paths[data[0] % len(paths)] if data else paths[0]
        (folder / path).write_bytes(data[1:])
        try:
            reader.read(folder)
        except (CheckpointError, ValueError) as error:
            if isinstance(error, UnicodeError):
                raise
        finally:
            (folder / path).write_bytes(good[path])

    FOUND.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={max(1, round(seconds))}", "-timeout=10", "-rss_limit_mb=4096", "-max_len=65536"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={FOUND}/{name}-", str(seeds)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
