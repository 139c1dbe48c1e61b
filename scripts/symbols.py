"""The symbols of a Python file: what a page's link into the code names, so that code can move within its file and the link stays true.

    [`BertPooler.forward`](../minibert/model/pooler.py#BertPooler.forward)

A symbol is a dotted name from the top of the file: a class, a function, a method, a variable of a module, class or function, or
an attribute that a class gives to `self`. On the site such a link leads to the symbol's line; on a code host, to the file.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache

SYMBOL_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<path>[^)#\s]+\.py)#(?P<symbol>[^)\s]+)\)")
Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def symbols(source: str) -> dict[str, int]:
    """Every symbol of a file and the line that defines it, counted from 1; where several do, the first that is not `= None`."""
    found: dict[str, ast.stmt] = {}
    for name, node in named("", ast.parse(source)):
        if name not in found or (is_placeholder(found[name]) and not is_placeholder(node)):
            found[name] = node
    return {name: node.lineno for name, node in found.items()}


def named(prefix: str, scope: Scope) -> Iterator[tuple[str, ast.stmt]]:
    """What a scope defines, by its dotted name, and what is defined inside that. A class's own names come before those given to self."""
    given_to_self = []
    for node in statements(scope):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
            yield from named(f"{prefix}{node.name}.", node)
            if isinstance(scope, ast.ClassDef):
                given_to_self += [inner for inner in ast.walk(node) if isinstance(inner, ast.Assign | ast.AnnAssign)]
        for target in targets(node):
            if isinstance(target, ast.Name):
                yield prefix + target.id, node
    for node in given_to_self:
        for target in targets(node):
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                yield prefix + target.attr, node


def statements(scope: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a scope in order, those inside an `if`, a `with` or a loop too: they open no scope."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from statements(node)


def targets(node: ast.stmt) -> list[ast.expr]:
    """The left sides of an assignment, a tuple taken apart."""
    if isinstance(node, ast.Assign):
        sides = node.targets
    else:
        sides = [node.target] if isinstance(node, ast.AnnAssign) else []
    return [each for side in sides for each in (side.elts if isinstance(side, ast.Tuple) else [side])]


def is_placeholder(node: ast.stmt) -> bool:
    """Whether this is `name = None`, which says only that the value comes later."""
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is None
