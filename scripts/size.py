"""Count files and lines of the package, ring by ring, against a budget: `python scripts/size.py`.

A student should be able to read the core in a weekend. What is not counted grows, so each ring has a budget, and a change that
needs more has to say why by raising it here. Lines are all lines of all `.py` files: blank ones and docstrings too.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[1] / "minibert"
LONGEST_FILE = 300

CORE = (
    "config",
    "config_files",
    "outputs",
    "visible",
    "terminal",
    "auto",
    "model",
    "heads",
    "tokenization",
    "optim",
    "generation",
    "checkpoints",
    "encoder_decoder",
)
WORK = ("data", "tasks", "training", "vectors", "microscope", "playground", "cli")
FAST = ("fast",)
COMPAT = ("compat", "pipelines")
RINGS = {"core": CORE, "work": WORK, "fast": FAST, "compat": COMPAT}


class Size(NamedTuple):
    """How many files, and how many lines they have together."""

    files: int
    lines: int


BUDGET = {
    "model + heads": Size(25, 2400),
    "core": Size(70, 9560),
    "work": Size(88, 11530),
    "fast": Size(18, 2000),
    "compat": Size(22, 2570),
    "minibert": Size(201, 25880),
}


def files_of(*parts: str) -> list[Path]:
    """The `.py` files of parts of the package, such as "model" (a folder) or "config" (a file)."""
    return [
        path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).with_suffix("").parts[0] in parts
    ]


def lines_of(path: Path) -> int:
    """All lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def size(files: list[Path]) -> Size:
    """The size of files together."""
    return Size(len(files), sum(map(lines_of, files)))


def sizes() -> dict[str, Size]:
    """The size of everything that has a budget."""
    found = {name: size(files_of(*parts)) for name, parts in RINGS.items()}
    return {
        "model + heads": size(files_of("model", "heads")),
        **found,
        "minibert": size(sorted(PACKAGE.rglob("*.py"))),
    }


def main() -> int:
    """Print the table; return 1 if something is over its budget."""
    print(f"{'':16}{'files':>8}{'budget':>8}{'lines':>9}{'budget':>9}")
    over = False
    for name, (files, lines) in sizes().items():
        budget = BUDGET[name]
        over |= files > budget.files or lines > budget.lines
        print(f"{name:16}{files:8}{budget.files:8}{lines:9,}{budget.lines:9,}")
        if name in RINGS:
            for part in RINGS[name]:
                part_files, part_lines = size(files_of(part))
                print(f"  {part:14}{part_files:8}{'':8}{part_lines:9,}")
    for path in sorted(PACKAGE.rglob("*.py")):
        if (lines := lines_of(path)) > LONGEST_FILE:
            over = True
            print(f"{path.relative_to(PACKAGE)} has {lines} lines; a file has at most {LONGEST_FILE}.")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
