"""The three rings: how large they are, what their files are called, who imports whom, and how they call each other."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import minibert
from scripts import size

PACKAGE = Path(minibert.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """ "minibert.model.bert" for …/minibert/model/bert.py"""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def imports(path: Path, *, everywhere: bool) -> set[str]:
    """The package's own modules that a file imports: at its top level, or everywhere, what only a type checker reads included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = module_of(path).split(".") if path.name == "__init__.py" else module_of(path).split(".")[:-1]
    found: set[str] = set()
    nodes = list(ast.walk(tree)) if everywhere else list(top_level(tree))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
            named = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else base for name in named}
    return {name for name in found if name in MODULES}


def top_level(tree: ast.Module) -> list[ast.stmt]:
    """Statements that run when the module is imported, those under a top-level `if` included."""
    found: list[ast.stmt] = []
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    return found


# ----------------------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("part", size.BUDGET)
def test_a_ring_keeps_to_its_budget(part: str) -> None:
    found = size.sizes()[part]
    assert found.files <= size.BUDGET[part].files
    assert found.lines <= size.BUDGET[part].lines


def test_every_file_belongs_to_a_ring() -> None:
    at_the_top = {"__init__", "__main__", "public_names"}
    known = at_the_top.union(*size.RINGS.values())
    assert {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in FILES} <= known


def test_no_file_is_too_long_to_read_in_one_go() -> None:
    assert {path.name: size.lines_of(path) for path in FILES if size.lines_of(path) > size.LONGEST_FILE} == {}


@pytest.mark.parametrize("ring", size.RINGS)
def test_no_two_files_of_a_ring_have_one_name(ring: str) -> None:
    names = Counter(path.name for path in size.files_of(*size.RINGS[ring]) if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []


# --------------------------------------------------------------------------------------------------------------- imports


BESIDE_THE_CORE = ("minibert.fast", "minibert.compat", "minibert.pipelines")


def test_the_core_knows_nothing_of_the_fast_ways_or_the_names_of_the_era_until_one_is_asked_for() -> None:
    users = [
        module_of(path)
        for path in size.files_of(*size.CORE)
        if any(name.startswith(BESIDE_THE_CORE) for name in imports(path, everywhere=False))
    ]
    assert users == []


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("part", "above"),
    [
        ("config", ("model", "heads", "tokenization", "optim", "generation", "encoder_decoder", *size.WORK)),
        ("outputs", ("model", "heads", "tokenization", "optim", "generation", "encoder_decoder", *size.WORK)),
        ("checkpoints", ("model", "heads", "tokenization", "optim", "generation", "encoder_decoder", *size.WORK)),
        ("model", ("heads", "tokenization", "optim", "generation", "encoder_decoder", *size.WORK)),
        ("optim", ("model", "heads", "tokenization", "generation", "encoder_decoder", *size.WORK)),
        ("tokenization", ("model", "heads", "optim", "generation", "encoder_decoder", *size.WORK)),
        ("generation", ("tokenization", "optim", *size.WORK)),
        ("heads", ("tokenization", "optim", *size.WORK)),
        ("encoder_decoder", ("tokenization", "optim", *size.WORK)),
        ("data", ("tasks", "training", "microscope", "cli")),
        ("tasks", ("training", "microscope", "cli")),
        ("training", ("microscope", "cli")),
        ("microscope", ("training", "tasks", "cli")),
    ],
)
def test_arrows_run_one_way(part: str, above: tuple[str, ...]) -> None:
    forbidden = tuple(f"minibert.{name}" for name in above)
    found = {
        f"{module_of(path)} → {name}"
        for path in size.files_of(part)
        for name in imports(path, everywhere=True)
        if any(name == each or name.startswith(f"{each}.") for each in forbidden)
    }
    assert found == set()


def test_no_imports_go_in_a_circle_not_even_those_of_type_hints() -> None:
    """A package's own `__init__` is passed over: importing one of its files runs it, and it only lists names."""
    arrows = {
        module_of(path): {name for name in imports(path, everywhere=True) if MODULES[name].name != "__init__.py"}
        for path in FILES
        if path.name != "__init__.py"
    }
    for path in size.files_of(
        *size.CORE
    ):  # the core imports what is beside it inside the function that was asked for it
        if path.name != "__init__.py":
            arrows[module_of(path)] = {name for name in arrows[module_of(path)] if not name.startswith(BESIDE_THE_CORE)}
    while leaves := [module for module, targets in arrows.items() if not targets & arrows.keys()]:
        for module in leaves:
            del arrows[module]
    assert arrows == {}


# ----------------------------------------------------------------------------------------------------------------- calls


ANY_NUMBER = {
    *("print", "zip", "max", "min", "map", "range", "warning", "error", "info"),  # things of one kind
    *("permute", "view", "expand", "reshape", "new_zeros", "zeros", "ones", "empty"),  # the sizes or axes of a tensor
}


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_no_call_passes_more_than_three_arguments_by_position(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        by_position = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
        if len(by_position) > 3 and name not in ANY_NUMBER:
            found.append(f"line {node.lineno}: {name} with {len(by_position)}")
    assert found == []
