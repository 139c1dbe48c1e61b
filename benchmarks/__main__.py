"""Run the benchmarks and write their table to docs/performance.md: python -m benchmarks [NAME …]."""

from __future__ import annotations

import importlib
import platform
import sys
from datetime import date
from pathlib import Path

import torch

from .harness import HEADER

BENCHMARKS = ("importing", "loading", "forward", "packing", "generation", "optimizer", "pretraining")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
MEASURED = "<!-- what follows is written by `make bench` -->"


def main() -> None:
    chosen = sys.argv[1:] or BENCHMARKS
    lines = [HEADER]
    print(HEADER)
    for name in chosen:
        for row in importlib.import_module(f"benchmarks.{name}").rows():
            print(row, flush=True)
            lines.append(str(row))
    if chosen == BENCHMARKS:
        table = "\n".join(lines)
        written, _, _ = PAGE.read_text(encoding="utf-8").partition(MEASURED)
        PAGE.write_text(f"{written}{MEASURED}\n\n{table}\n\n{machine()}\n", encoding="utf-8")


def machine() -> str:
    """What the figures were measured on."""
    import transformers

    return (
        f"{date.today():%Y-%m-%d}: {platform.machine()}, {torch.get_num_threads()} threads, {platform.system()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}."
    )


if __name__ == "__main__":
    main()
