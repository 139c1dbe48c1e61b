"""Which files of the repository a page leads to, for the notebooks and the site, which take them along."""

import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "tutorials"
ENGLISH_ONLY = ("api", "zh")  # folders of docs/: the reference is made of docstrings, which stay English
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)(#[^)\s]*)?\)")
"""The file and the heading or symbol in it; not https:, not a heading of the same page."""


def chapters() -> list[Path]:
    """The chapters in order: tutorials/NN_name.py."""
    return sorted(TUTORIALS.glob("[0-9][0-9]_*.py"))


@functools.cache
def sources() -> list[Path]:
    """Every English file that has a twin in Chinese, or should."""
    pages = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name not in ENGLISH_ONLY]
    course = [TUTORIALS / "README.md", *chapters(), TUTORIALS / "bert_in_one_page.py"]
    functions = [*sorted((TUTORIALS / "exercises").glob("*.py")), *sorted((TUTORIALS / "solutions").glob("*.py"))]
    ladder = [TUTORIALS / "your_bert" / "README.md", *sorted((TUTORIALS / "your_bert" / "start").glob("*.py"))]
    return [ROOT / "README.md", *pages, *course, *functions, *ladder]


def twin(path: Path) -> Path:
    """Where the Chinese of an English file stands: README.zh.md, docs/zh/NAME, tutorials/zh/NAME."""
    if path == ROOT / "README.md":
        return ROOT / "README.zh.md"
    top = ROOT / path.relative_to(ROOT).parts[0]
    return top / "zh" / path.relative_to(top)


def is_chinese(path: Path) -> bool:
    """Whether a file belongs to the Chinese edition."""
    return path == ROOT / "README.zh.md" or "zh" in path.parts[len(ROOT.parts) :]


def is_page(path: Path) -> bool:
    """Whether its links are links: prose does have them, code only looks as if."""
    return path.suffix == ".md" or path.parent in (TUTORIALS, TUTORIALS / "zh")


def has_twin(path: Path) -> bool:
    """Whether a file is there in both languages."""
    return is_chinese(path) or path in sources()


def inside(folder: Path) -> list[Path]:
    """What a folder holds for readers: code, pages and folders."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in {"", ".py", ".md"} and not path.name.startswith((".", "__pyc"))
    )


def linked(pages: Iterable[Path], other_edition: bool = True) -> Iterator[Path]:
    """Every file and folder that can be reached from these pages link by link, the pages too. What is in a folder counts.

    other_edition: whether links between English and Chinese pages are followed.
    """
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
            found = [(path.parent / link).resolve() for link, _ in LINK.findall(path.read_text(encoding="utf-8"))]
            waiting += [to for to in found if other_edition or is_chinese(to) == is_chinese(path) or not has_twin(to)]
