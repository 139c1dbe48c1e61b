"""The Chinese edition beside its English source: python -m scripts.translations [--stamp FILE...]

Every page, chapter and file of exercises has a twin in Chinese:

    README.md  README.zh.md      docs/NAME.md  docs/zh/NAME.md      tutorials/…/NAME  tutorials/zh/…/NAME

A paragraph of a page and a cell of a chapter carry a hash of what they translate, `<!-- en: 3f9a01cc -->` above the paragraph and
`# %% en="3f9a01cc"` at the head of the cell; a file of exercises ends in a line with a hash for each function. Without arguments,
what is missing and what is stale is listed, and the exit code is 1 where there is any. With --stamp, the hashes of the twins named
(the Chinese files) are written anew, once they have been brought up to date.
"""

import argparse
import ast
import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scripts.links import ROOT, sources, twin

MARK = re.compile(r"^<!-- en: (\w{8}) -->\n", re.MULTILINE)
CELL = re.compile(r'^# %%(?P<kind> \[markdown\])?(?: en="(?P<hash>\w{8})")?\n', re.MULTILINE)
FUNCTIONS = re.compile(r"\n*^# en: (.+)\n", re.MULTILINE)


class Unit(NamedTuple):
    """A paragraph, a cell or a function: where it is, its text, and in a twin the hash of what it translates."""

    place: str
    text: str
    source: str = ""

    @property
    def hash(self) -> str:
        """Eight digits that are others when the text is, whatever the space around it."""
        return hashlib.sha256(self.text.strip().encode()).hexdigest()[:8]


def units(path: Path) -> list[Unit]:
    """What a file is made of, in order."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return list(paragraphs(text))
    return list(cells(text)) if CELL.search(text) else list(functions(text))


def paragraphs(text: str) -> Iterator[Unit]:
    """What stands between empty lines. Code between fences, a list and what is indented below it are one paragraph."""
    block: list[str] = []
    start, fence = 1, ""
    for number, line in enumerate([*text.splitlines(), "", "."], 1):
        gap = bool(block) and not block[-1].strip()
        same_list = re.match(r"[-*] |\d+\. ", line) and block and re.match(r"[-*] |\d+\. ", block[0])
        if gap and not fence and line.strip() and not line.startswith(" ") and not same_list:
            yield unit_of("\n".join(block).strip("\n"), f"line {start}")
            block = []
        if not block:
            start = number
        block.append(line)
        if mark := re.match(r"\s*(```+)", line):
            fence = "" if fence == mark[1] else fence or mark[1]
    if any(line.strip(" .") for line in block):  # a fence that was never closed
        yield unit_of("\n".join(block[:-2]).strip("\n"), f"line {start}")


def unit_of(text: str, place: str) -> Unit:
    """A paragraph, without the mark above it."""
    mark = MARK.match(text)
    return Unit(place, MARK.sub("", text, count=1), mark[1]) if mark else Unit(place, text)


def cells(text: str) -> Iterator[Unit]:
    """The cells of a chapter."""
    heads = list(CELL.finditer(text))
    for number, (head, end) in enumerate(
        zip(heads, [*(head.start() for head in heads[1:]), len(text)], strict=True), 1
    ):
        yield Unit(f"cell {number}", text[head.end() : end].strip("\n"), head["hash"] or "")


def functions(text: str) -> Iterator[Unit]:
    """The docstring of a module, and each of its functions and classes."""
    found = FUNCTIONS.search(text)
    hashes = dict(pair.split("=") for pair in found[1].split()) if found else {}
    tree = ast.parse(text)
    yield Unit("module", ast.get_docstring(tree) or "", hashes.get("module", ""))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield Unit(node.name, ast.get_source_segment(text, node) or "", hashes.get(node.name, ""))


def differences(path: Path) -> list[str]:
    """What the twin of an English file lacks or has of before, a line each."""
    name, other = path.relative_to(ROOT).as_posix(), twin(path)
    if not other.exists():
        return [f"{name}: no {other.relative_to(ROOT).as_posix()}"]
    english, chinese = units(path), units(other)
    known, translated = {unit.hash for unit in english}, {unit.source for unit in chinese}
    missing = [f"{name}, {unit.place}: not translated" for unit in english if unit.hash not in translated]
    where = other.relative_to(ROOT).as_posix()
    stale = [f"{where}, {unit.place}: its English has changed" for unit in chinese if unit.source not in known]
    if not missing and not stale and [unit.hash for unit in english] != [unit.source for unit in chinese]:
        return [f"{where}: its paragraphs are in another order"]
    return missing + stale


def stamp(other: Path) -> None:
    """Write the hashes of the English into its twin. Raises ValueError where they have not the same number of parts."""
    (path,) = (path for path in sources() if twin(path) == other)
    english, chinese = units(path), units(other)
    if len(english) != len(chinese):
        pairs = ((a.text[:60], b.text[:60]) for a, b in zip(english, chinese, strict=False))
        listed = "\n".join(f"  {a!r}\n    {b!r}" for a, b in pairs)
        raise ValueError(f"{path.name} has {len(english)} parts and its twin {len(chinese)}:\n{listed}")
    text = other.read_text(encoding="utf-8")
    if path.suffix == ".md":
        text = "\n\n".join(f"<!-- en: {a.hash} -->\n{b.text}" for a, b in zip(english, chinese, strict=True)) + "\n"
    elif CELL.search(text):
        hashes = iter(english)
        text = CELL.sub(lambda head: f'# %%{head["kind"] or ""} en="{next(hashes).hash}"\n', text)
    else:
        pairs = " ".join(f"{b.place}={a.hash}" for a, b in zip(english, chinese, strict=True))
        text = f"{FUNCTIONS.sub('', text).rstrip()}\n\n\n# en: {pairs}\n"
    write(other, text)


def write(path: Path, text: str) -> None:
    """Put a text in the place of a file's, whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8", newline="\n")
    draft.replace(path)


def put_in_both(page: Path, english: str, chinese: str, *, marks: tuple[str, str]) -> None:
    """Write what a program has made between the marks of a page and of its twin, and stamp that. Raises ValueError where one has no marks."""
    begin, end = marks
    for path, made in ((page, english), (twin(page), chinese)):
        before, mark, rest = path.read_text(encoding="utf-8").partition(begin)
        if not mark:
            raise ValueError(f"{path} has no line {begin!r}.")
        write(path, before + begin + made + end + rest.partition(end)[2])
    stamp(twin(page))


def main() -> int:
    """List what is to do, or stamp."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stamp", nargs="+", type=Path, default=[], metavar="FILE")
    for file in parser.parse_args().stamp:
        stamp(file.resolve())
    found = [line for path in sources() for line in differences(path)]
    print(*found, f"{len(found)} paragraphs or files are missing or stale.", sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
