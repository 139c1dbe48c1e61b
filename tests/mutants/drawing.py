"""Mutants: a program with one small mistake, made by mutmut's operators, drawn by a seed.

mutmut says which mistakes: a number one too large, `<` for `<=`, an argument left out or None, a text in other letters, `and` for
`or`. A mutant's name is a hash of what was changed and where, without line numbers: a line added elsewhere changes no draw.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


class Mutant(NamedTuple):
    """One mistake: `before` became `after` on `line` of `path`, inside `function` ("Class.method", "" outside of all).

    code: a hash of the function as it is without the mistake, outside of all of the file. make: gives the source with it; None if that is no Python or the same program.
    """

    name: str
    path: str
    function: str
    line: int
    before: str
    after: str
    code: str
    make: Callable[[], str | None]


class EverythingThatRuns(MutationVisitor):
    """mutmut's own walk, and decorated functions too; but neither the words of an error nor what only a type checker reads."""

    raising = 0

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.If) and isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING":
            return True
        if isinstance(node, cst.FunctionDef) and node.decorators:
            return any(getattr(each.decorator, "value", "") == "overload" for each in node.decorators)
        if self.raising and isinstance(node, cst.SimpleString | cst.ConcatenatedString):
            return True
        return super()._skip_node_and_children(node)

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.raising += isinstance(node, cst.Raise)
        return super().on_visit(node)

    def on_leave(self, original_node: cst.CSTNode) -> None:
        self.raising -= isinstance(original_node, cst.Raise)
        super().on_leave(original_node)


def functions(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """The functions of a module and its classes, by name ("Class.method"; a property has two); "" is the module."""
    found: dict[str, list[ast.AST]] = {"": [tree]}

    def look(body: list[ast.stmt], names: tuple[str, ...]) -> None:
        for node in body:
            if isinstance(node, FUNCTIONS):
                found.setdefault(".".join((*names, node.name)), []).append(node)
            elif isinstance(node, ast.ClassDef):
                look(node.body, (*names, node.name))

    look(tree.body, ())
    return found


def function_around(named: dict[str, list[ast.AST]], line: int) -> str:
    """The name of the function that the line is inside of."""
    around = (name for name, nodes in named.items() for node in nodes if name and holds(node, line))
    return next(around, "")


def holds(node: Any, line: int) -> bool:
    """Whether a line is inside of a function, decorators included."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)]) <= line <= node.end_lineno


def draw(paths: list[str], root: Path, *, seed: int, size: int, shard: int) -> list[Mutant]:
    """The `shard`-th `size` mutants of all, in an order that the seed decides."""
    mutants = sorted(
        (mutant for path in paths for mutant in all_of(path, root)), key=lambda each: digest(seed, each.name)
    )
    print(f"{len(mutants):,} mutants in {len(paths)} files; shard {shard} of {-(-len(mutants) // size)}", flush=True)
    return mutants[(shard - 1) * size : shard * size]


def all_of(path: str, root: Path) -> Iterator[Mutant]:
    """Every mutant of a file."""
    source = (root / path).read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = EverythingThatRuns(mutation_operators, IgnoredCode(set(), set(), set()))
    module = wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    named = functions(ast.parse(source))
    codes = {name: digest(*map(ast.dump, nodes)) for name, nodes in named.items()}
    seen: Counter[tuple[str, str, str]] = Counter()
    for mutation in visitor.mutations:
        pair = mutation.original_node, mutation.mutated_node
        line = positions[pair[0]].start.line
        before, after = (" ".join(module.code_for_node(node).split()) for node in pair)
        function = function_around(named, line)
        seen[function, before, after] += 1
        name = digest(path, function, before, after, seen[function, before, after])
        yield Mutant(name, path, function, line, before, after, codes[function], partial(made, path, module, pair))


def made(path: str, module: cst.Module, pair: tuple[cst.CSTNode, cst.CSTNode]) -> str | None:
    """The module's source with the second node for the first."""
    source = cst.ensure_type(module.deep_replace(*pair), cst.Module).code
    try:
        same = ast.dump(ast.parse(source)) == ast.dump(ast.parse(module.code))
        compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return None if same else source


def digest(*parts: object) -> str:
    """A short hash of all parts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]
