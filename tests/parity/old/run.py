"""Run programs with one library and save what they returned: python run.py LIBRARY NAMES OUT

NAMES is a file with the names of programs, one a line; the programs are those of every `*programs.py` in this folder.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


def all_programs() -> dict[str, Callable[[Any], Any]]:
    """Every program of every module, by name."""
    programs: dict[str, Callable[[Any], Any]] = {}
    for path in sorted(HERE.glob("*programs.py")):
        found = importlib.import_module(path.stem).all_programs()
        assert not programs.keys() & found.keys(), f"{path.name} uses names that another module has"
        programs |= found
    return programs


def run(library: Any, names: list[str], threads: int = 1) -> dict[str, Any]:
    """What each program returns: tensors or plain data; of one that fails the traceback, as text.

    On one thread: the tensors are small, and how a sum is split between threads changes its last bits. (`make bits` looks at two.)
    """
    torch.set_num_threads(threads)
    programs, results = all_programs(), {}
    for name in names:
        try:
            results[name] = programs[name](library)
        except Exception:
            results[name] = f"failed with {library.__name__}:\n{traceback.format_exc()}"
    return results


def main() -> None:
    library_name, names, out = sys.argv[1:]
    library = importlib.import_module(library_name)
    results = run(library, Path(names).read_text(encoding="utf-8").splitlines())
    torch.save(results, out)
    print(f"{len(results)} programs with {library_name} {library.__version__} on torch {torch.__version__}")


if __name__ == "__main__":
    main()
