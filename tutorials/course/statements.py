"""A student's file, statement by statement: what Python cannot read or run costs its own function, not the chapter."""

from __future__ import annotations

import ast
import re
import tokenize
from dataclasses import dataclass
from io import BytesIO

CANNOT_READ = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Statement:
    """A statement at the left margin: its first line, and its tree. Where Python cannot read it: the error, and the function it was to be."""

    line: int
    tree: ast.Module | None
    error: str = ""
    function: str = ""


def statements(source: bytes) -> list[Statement]:
    """The statements of a file, in order."""
    try:
        return _of_tree(ast.parse(source))
    except CANNOT_READ:
        return _one_by_one(source)


def function_lines(text: str, name: str) -> tuple[int, int] | None:
    """The first line of a function, counted from 0, and the one behind its last; also where its body cannot be read."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if re.match(rf"(async )?def {re.escape(name)}\b", line)]
    if not starts:
        return None
    start = starts[-1]
    stop = next((n for n in _margins(lines) if n > start), len(lines))
    while stop > start + 1 and not lines[stop - 1].strip():
        stop -= 1
    return start, stop


def _of_tree(tree: ast.Module, above: int = 0) -> list[Statement]:
    """Each statement as a module of its own, with the file's `from __future__` in front."""
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    found = []
    for node in tree.body:
        if above:
            ast.increment_lineno(node, above)
        found.append(Statement(node.lineno, ast.Module([*future, node], [])))
    return found


def _margins(lines: list[str]) -> list[int]:
    """The lines at which a statement can begin: they stand at the left margin, and go on with nothing that stands above."""
    margins = [
        number
        for number, line in enumerate(lines)
        if re.match(r"[^\s#)\]}]", line) and not re.match(r"(else|elif|except|finally)\b", line)
    ]
    return [number for number in margins if number == 0 or not lines[number - 1].startswith("@")]


def _one_by_one(source: bytes) -> list[Statement]:
    """The same for a file that Python cannot read as a whole: as much of it as can be read."""
    try:
        encoding = tokenize.detect_encoding(BytesIO(source).readline)[0]
    except SyntaxError:
        encoding = "utf-8"
    lines = source.decode(encoding, errors="replace").splitlines()
    margins = [*_margins(lines), len(lines)]
    found: list[Statement] = []
    place = 0
    while place < len(margins) - 1:
        start, error = margins[place], ""
        for behind in range(place + 1, len(margins)):  # a text may go on at the left margin
            try:
                found += _of_tree(ast.parse("\n".join(lines[start : margins[behind]])), above=start)
                break
            except CANNOT_READ as unreadable:
                error = error or _described(unreadable, start)
        else:
            behind = place + 1
            name = re.match(r"(?:async )?def (\w+)", lines[start])
            found.append(Statement(start + 1, None, error, name[1] if name else ""))
        place = behind
    return found


def _described(error: BaseException, above: int) -> str:
    line = getattr(error, "lineno", None)
    where = f" in line {line + above}" if line else ""
    return f"{type(error).__name__}{where}: {getattr(error, 'msg', None) or error}"
