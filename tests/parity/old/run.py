"""Run every program with one library and save what it returned: python run.py LIBRARY OUT [NAME PART]."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
import programs


def main() -> None:
    library_name, out, *part = sys.argv[1:]
    torch.set_num_threads(2)
    library = importlib.import_module(library_name)
    wanted = {n: p for n, p in programs.all_programs().items() if not part or part[0] in n}
    results = {name: program(library) for name, program in wanted.items()}
    torch.save(results, out)
    print(f"{len(results)} programs with {library_name} {library.__version__} on torch {torch.__version__}")


if __name__ == "__main__":
    main()
