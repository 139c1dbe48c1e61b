"""Wrong answers made of right ones: a small change somewhere in the tree of a solution, as slips of the pen are."""

from __future__ import annotations

import ast
import pickle
import random
from collections.abc import Iterator

from tests.tutorials.answers import Answer, functions, lines_below_docstring, solution

OTHER = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.MatMult: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
CALLED = {
    "mean": "sum", "sum": "mean", "max": "min", "min": "max", "sqrt": "exp", "log": "exp", "exp": "log", "cos": "sin", "sin": "cos",
    "erf": "tanh", "tanh": "sigmoid", "softmax": "log_softmax", "log_softmax": "softmax", "argmax": "argmin", "tril": "triu",
    "append": "extend", "removeprefix": "lstrip", "startswith": "endswith", "rpartition": "partition", "round": "int", "sorted": "list",
    "cumsum": "cumprod", "isalnum": "isalpha", "logsigmoid": "sigmoid", "len": "max", "all": "any", "any": "all",
}  # fmt: skip
SYMMETRIC = ("transpose", "max", "min")
UNCHANGED = (ast.Name, ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)  # on their own


def mutants_of(chapter: str, seed: int, at_most: int) -> list[Answer]:
    """Mutants of every function of a chapter, at most so many of each, drawn with a seed."""
    found = []
    for name, function in functions(solution(chapter)).items():
        texts = list(dict.fromkeys(_texts(chapter, name, function)))
        random.Random(f"{seed} {name}").shuffle(texts)
        found += [Answer(chapter, name, text, label) for text, label in texts[:at_most]]
    return found


def _texts(chapter: str, name: str, function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """The chapter's solutions with each change of one function, and the line that was changed, before → after."""
    lines = solution(chapter).splitlines(keepends=True)
    start, end = lines_below_docstring(chapter, name)
    before = [ast.unparse(node) for node in function.body[1:]]
    for tree in _changed(function):
        after = [ast.unparse(node) for node in tree.body[1:]]
        if before == after:
            continue
        body = "".join(f"    {line}\n" for statement in after for line in statement.splitlines()) or "    pass\n"
        old, new = _first_difference("\n".join(before), "\n".join(after))
        yield "".join([*lines[:start], body, *lines[end:]]), f"{name}: {old} → {new}"


def _first_difference(before: str, after: str) -> tuple[str, str]:
    pairs = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=False) if a != b]
    return (pairs[0][0].strip(), pairs[0][1].strip()) if pairs else (before.splitlines()[-1].strip(), "(left out)")


def _changed(function: ast.FunctionDef) -> Iterator[ast.FunctionDef]:
    """Copies of a function, each with one change below its docstring."""
    nodes, pickled = list(ast.walk(function)), pickle.dumps(function)
    above = {id(node) for part in (function.body[0], function.args) for node in ast.walk(part)}
    for place, node in enumerate(nodes):
        up = next(
            (at for at, each in enumerate(nodes) if any(child is node for child in ast.iter_child_nodes(each))), None
        )
        if up is None or id(node) in above or isinstance(node, UNCHANGED):
            continue
        if isinstance(parent := nodes[up], ast.AnnAssign) and node is not parent.value:
            continue
        for change in (_operator, _constant, _name_called, _left_out, _swapped, _no_minus, _unwrapped, _condition):
            copied = list(ast.walk(pickle.loads(pickled)))
            if change(copied[place], copied[up]):
                yield ast.fix_missing_locations(copied[0])


def _operator(node: ast.AST, _: ast.AST) -> bool:
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in OTHER:
        node.op = OTHER[type(node.op)]()
        return True
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
        node.ops[0] = OTHER[type(node.ops[0])]()
        return True
    return False


def _constant(node: ast.AST, _: ast.AST) -> bool:
    if not isinstance(node, ast.Constant) or isinstance(node.value, (bool, str)) or node.value is None:
        return False
    node.value = node.value + 1
    return True


def _name_called(node: ast.AST, _: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLED:
        node.func.attr = CALLED[node.func.attr]
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLED:
        node.func.id = CALLED[node.func.id]
        return True
    return False


def _left_out(node: ast.AST, parent: ast.AST) -> bool:
    """A statement, or a part of a sum or product."""
    body = getattr(parent, "body", None)
    if isinstance(node, ast.stmt) and isinstance(body, list) and any(node is one for one in body):
        if isinstance(node, ast.Return):
            return False
        body[[one is node for one in body].index(True)] = ast.Pass()
        return True
    return isinstance(node, ast.BinOp) and _replace(parent, node, node.left)


def _swapped(node: ast.AST, parent: ast.AST) -> bool:
    """Two sides of what is not symmetric, or two arguments, or two items."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Div, ast.MatMult, ast.Pow)):
        node.left, node.right = node.right, node.left
        return True
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in SYMMETRIC:
        return False
    items = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
    if isinstance(parent, (ast.Compare, ast.Subscript)):
        return False
    if len(items) == 2 and not isinstance(getattr(node, "ctx", None), ast.Store):
        items[0], items[1] = items[1], items[0]
        return True
    return False


def _no_minus(node: ast.AST, parent: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and _replace(parent, node, node.operand)


def _unwrapped(node: ast.AST, parent: ast.AST) -> bool:
    """x.f(…) → x, f(x) → x."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name):
        return _replace(parent, node, node.func.value)
    return bool(node.args) and isinstance(node.args[0], ast.expr) and _replace(parent, node, node.args[0])


def _condition(node: ast.AST, _: ast.AST) -> bool:
    if isinstance(node, (ast.If, ast.IfExp)):
        node.test = ast.UnaryOp(ast.Not(), node.test)
        return True
    if isinstance(node, ast.comprehension) and node.ifs:
        node.ifs = []
        return True
    return False


def _replace(parent: ast.AST, node: ast.AST, other: ast.AST) -> bool:
    """Put another node in the place of one."""
    for field, value in ast.iter_fields(parent):
        if value is node:
            setattr(parent, field, other)
            return True
        if isinstance(value, list) and any(node is one for one in value):
            value[[one is node for one in value].index(True)] = other
            return True
    return False
