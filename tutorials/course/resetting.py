"""Put the blank back in the place of an answer, and keep the answer beside it."""

from __future__ import annotations

import ast
import os
from pathlib import Path

from .statements import function_lines

BLANK_BODY = "    raise NotImplementedError"


def reset(exercises: Path, solutions: Path, function: str) -> Path:
    """Make a function of an exercise file a blank again. Returns the copy of the file as it was, `NN_name.py.old`.

    What the blank says is taken from the solutions, or, where they are missing, from the file itself. Raises ValueError for a function
    that is in neither.
    """
    text = exercises.read_text(encoding="utf-8")
    blank = _blank(solutions.read_text(encoding="utf-8") if solutions.is_file() else text, function)
    lines = text.splitlines()
    place = function_lines(text, function)
    if blank is None:
        raise ValueError(f"{exercises.name} has no function {function!r}.")
    if place is None:
        lines += ["", "", *blank]
    else:
        lines[place[0] : place[1]] = blank
    kept = exercises.with_name(exercises.name + ".old")
    _write(kept, text)
    _write(exercises, "\n".join(lines) + "\n")
    return kept


def _blank(text: str, function: str) -> list[str] | None:
    """A function's first lines, to the end of its docstring, with nothing to follow; None where the text has no such function."""
    try:
        found = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == function]
    except SyntaxError as error:
        raise ValueError(
            f"Python cannot read the file (line {error.lineno}: {error.msg}), nor are the solutions here."
        ) from None
    if not found:
        return None
    first = found[-1].body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    end = first.end_lineno if is_docstring else first.lineno - 1
    return [*text.splitlines()[found[-1].lineno - 1 : end], BLANK_BODY]


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
