"""What importing minibert brings along, and what its files may import."""

import ast
import functools
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import minibert

PACKAGE = Path(minibert.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
RUN_TIME = {"torch", "numpy", "safetensors", "huggingface_hub", "click", "tqdm"}
FOR_PLOTS = {"matplotlib"}


@functools.cache
def imported(path: Path) -> tuple[str, ...]:
    """Absolute names of everything a file imports while it runs; what only a type checker reads is left out."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    skipped = {id(inner) for node in for_types for inner in ast.walk(node)}
    package = ["minibert", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, node.module or ""]).strip(".")
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def users_of(*modules: str) -> set[str]:
    """The parts of the package that import one of these modules, the modules themselves aside."""
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix()
        for path in FILES
        for name in imported(path)
        if any(name == f"minibert.{module}" or name.startswith(f"minibert.{module}.") for module in modules)
        if not path.relative_to(PACKAGE).as_posix().startswith(modules)
    }


def test_import_minibert_brings_in_nothing_that_a_forward_does_not_need() -> None:
    program = "import sys, torch; before = set(sys.modules); from minibert import *; print(*sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    packages = {name.split(".")[0] for name in result.stdout.split()}
    assert "minibert" in packages
    assert packages.isdisjoint({"transformers", "tokenizers", "huggingface_hub", "click", "tqdm", "matplotlib"})


def test_these_tests_run_where_transformers_cannot_be_imported() -> None:
    assert importlib.util.find_spec("transformers") is None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_only_what_the_package_depends_on(path: Path) -> None:
    allowed = RUN_TIME | FOR_PLOTS | {"minibert"} | sys.stdlib_module_names
    assert {name.split(".")[0] for name in imported(path)} <= allowed


def test_the_network_knows_nothing_of_what_is_built_on_it() -> None:
    above = ("heads", "tokenization", "generation", "optim", "data", "training", "microscope", "cli")
    for part in above:
        assert not any(user.startswith(("model", "config", "outputs")) for user in users_of(part)), part


def test_only_pretrained_models_of_the_network_know_about_files() -> None:
    assert {user for user in users_of("checkpoints") if user.startswith("model/")} == {"model/pretrained"}


def test_tokenizer_optimiser_and_search_know_nothing_of_each_other() -> None:
    parts = ("tokenization", "optim", "generation")
    for part in parts:
        assert not any(user.startswith(parts) for user in users_of(part)), part


def test_nothing_in_the_package_imports_its_tests_or_the_course() -> None:
    outside = {"tests", "benchmarks", "docs", "tutorials", "course"}
    assert not any(name.split(".")[0] in outside for path in FILES for name in imported(path))
