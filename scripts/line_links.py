"""Point every link from the docs into the code at the line where its symbol stands now.

    python scripts/line_links.py            rewrite the line numbers in docs/*.md
    python scripts/line_links.py --check    change nothing; name the links that have moved, and fail if there are any

A link of this kind is one that says its symbol and names a line of a Python file:

    [`BertPooler.forward`](../minibert/model/pooler.py#L22)

The symbol is a dotted path from the top of the file: a class, a function, a method, a variable of a module, class or function,
or an attribute that a class gives to `self`. To add a link, write `#L1` and run this.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINE_LINK = re.compile(r"\[`(?P<symbol>[\w.]+)`\]\((?P<path>[^)#\s]+\.py)#L(?P<line>\d+)\)")


def line_of(source: str, symbol: str) -> int | None:
    """The line on which a symbol is defined; None where the file has no such symbol."""
    node: ast.AST = ast.parse(source)
    for name in symbol.split("."):
        found = [inner for inner in definitions(node) if name in names(inner)]
        if not found:
            return None
        node = next((inner for inner in found if not is_placeholder(inner)), found[0])
    return getattr(node, "lineno", None)


def definitions(scope: ast.AST) -> Iterator[ast.AST]:
    """What a module, class or function defines: first itself, then, of a class, what its methods give to `self`."""
    later: list[ast.AST] = []
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if isinstance(scope, ast.ClassDef):
                later += [inner for inner in ast.walk(node) if gives_to_self(inner)]
        else:  # an `if` or a `with` opens no scope
            waiting = [*ast.iter_child_nodes(node), *waiting]
    yield from later


def is_placeholder(node: ast.AST) -> bool:
    """Whether this is `name = None`, which says only that the value comes later."""
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is None


def gives_to_self(node: ast.AST) -> bool:
    """Whether this is `self.name = …`."""
    return any(isinstance(target, ast.Attribute) for target in targets(node))


def names(node: ast.AST) -> set[str]:
    """What a statement defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    found = set()
    for target in targets(node):
        if isinstance(target, ast.Name):
            found.add(target.id)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
            found.add(target.attr)
    return found


def targets(node: ast.AST) -> list[ast.AST]:
    """The left side of an assignment, a tuple taken apart."""
    if isinstance(node, ast.Assign):
        sides: list[ast.AST] = list(node.targets)
    elif isinstance(node, ast.AnnAssign):
        sides = [node.target]
    else:
        return []
    return [part for side in sides for part in (side.elts if isinstance(side, ast.Tuple) else [side])]


def with_lines(page: Path, text: str) -> tuple[str, list[str]]:
    """A page's text with every line number as it should be, and a sentence for each link that was wrong."""
    wrong = []

    def current(link: re.Match[str]) -> str:
        symbol, path, line = link["symbol"], link["path"], link["line"]
        file = page.parent / path
        found = line_of(file.read_text(encoding="utf-8"), symbol) if file.is_file() else None
        if found is None:
            wrong.append(f"{page.name}: {path} has no `{symbol}`. Correct the link by hand.")
            return link[0]
        if found != int(line):
            wrong.append(f"{page.name}: `{symbol}` stands on line {found} of {path}, not {line}.")
        return f"[`{symbol}`]({path}#L{found})"

    return LINE_LINK.sub(current, text), wrong


def main(arguments: list[str]) -> int:
    """Rewrite or check every page; 1 where something is left to do."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    left_to_do = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        corrected, wrong = with_lines(page, text)
        left_to_do += wrong if arguments else [sentence for sentence in wrong if "by hand" in sentence]
        if corrected != text and not arguments:
            part = page.with_name(page.name + ".part")
            part.write_text(corrected, encoding="utf-8")
            os.replace(part, page)
            print(f"{page.name}: {len(wrong)} lines corrected")
    for sentence in left_to_do:
        print(sentence, file=sys.stderr)
    return int(bool(left_to_do))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
