"""Which files of the repository a page leads to, for the notebooks and the site, which take them along."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "tutorials"
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)(#[^)\s]*)?\)")
"""The file and the heading or symbol in it; not https:, not a heading of the same page."""


def chapters() -> list[Path]:
    """The chapters in order: tutorials/NN_name.py."""
    return sorted(TUTORIALS.glob("[0-9][0-9]_*.py"))


def is_page(path: Path) -> bool:
    """Whether its links are links: prose does have them, code only looks as if."""
    return path.suffix == ".md" or path.parent == TUTORIALS


def inside(folder: Path) -> list[Path]:
    """What a folder holds for readers: code, pages and folders."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in {"", ".py", ".md"} and not path.name.startswith((".", "__pyc"))
    )


def linked(pages: Iterable[Path]) -> Iterator[Path]:
    """Every file and folder that can be reached from these pages link by link, the pages too. What is in a folder counts."""
    seen: set[Path] = set()
    waiting = list(pages)
    while waiting:
        path = waiting.pop()
        if path in seen or not path.exists():  # a link to nothing is for the link checkers to name
            continue
        seen.add(path)
        yield path
        if path.is_dir():
            waiting += inside(path)
        elif is_page(path):
            waiting += [(path.parent / link).resolve() for link, _ in LINK.findall(path.read_text(encoding="utf-8"))]
