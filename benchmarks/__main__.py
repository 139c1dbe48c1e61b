"""Run the benchmarks and write their tables to docs/performance.md, and to its Chinese twin: python -m benchmarks [--rounds N] [NAME …]."""

from __future__ import annotations

import importlib
import platform
import sys
from datetime import date
from pathlib import Path
from typing import Any

import torch

from scripts.machine import processor
from scripts.translations import put_in_both

from . import harness, matrices, side_by_side
from .chinese import in_chinese, machine_in_chinese

# The machine's own rate first: the second table says what share of it each row reaches.
TABLES = (
    (matrices.HEADER, ("matrices",)),
    (side_by_side.HEADER, ("forward", "packing", "pretraining", "finetuning_steps", "generation")),
    (harness.HEADER, ("importing", "loading", "optimizer")),
)
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- what follows is written by `make bench` -->\n", "<!-- its end -->\n"


def main() -> None:
    chosen = sys.argv[1:]
    rounds: dict[str, Any] = {}
    if chosen[:1] == ["--rounds"]:
        rounds, chosen = {"rounds": int(chosen[1])}, chosen[2:]
    tables = []
    for header, names in TABLES:
        asked = [name for name in names if not chosen or name in chosen]
        if not asked:
            continue
        lines = [header]
        print(f"\n{header}")
        for name in asked:
            for row in importlib.import_module(f"benchmarks.{name}").rows(**(rounds if name != "matrices" else {})):
                print(row, flush=True)
                lines.append(str(row))
        tables.append("\n".join(lines))
    if not chosen:
        measured = [*tables, machine()]
        chinese = [*map(in_chinese, tables), machine_in_chinese(machine())]
        put_in_both(PAGE, between(measured), between(chinese), marks=(BEGIN, END))


def between(measured: list[str]) -> str:
    """What stands between the marks."""
    return "\n" + "".join(f"{part}\n\n" for part in measured)


def machine() -> str:
    """What the figures were measured on."""
    import transformers

    return (
        f"{date.today():%Y-%m-%d}: {processor()}, {torch.get_num_threads()} threads, {platform.system()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}."
    )


if __name__ == "__main__":
    main()
