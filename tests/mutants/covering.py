"""Which tests run a line, and how long each takes."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Collection
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path

from coverage import CoverageData

from tests.mutants.drawing import FUNCTIONS, Mutant


class Tests:
    """Which tests run a line, and how long each takes."""

    def __init__(self, root: Path, covered: Path, times: Path, *, seconds: float) -> None:
        self.root, self.seconds = root, seconds
        self.data = CoverageData(str(covered))
        self.data.read()
        self.times: dict[str, float] = json.loads(times.read_text(encoding="utf-8"))
        self.kills: Counter[tuple[str, str]] = Counter()  # of a test among the mutants of a file

    def inside(self, mutant: Mutant) -> set[str]:
        """The tests that run the mutant's statement: none, if it runs when its module is imported."""
        lines = self.of(mutant.path)
        statement = statement_around(self.root / mutant.path, mutant.line) if mutant.function else range(0)
        return set().union(*(lines.get(line, ()) for line in statement))

    def running(self, mutant: Mutant, known: Collection[str]) -> list[str]:
        """Tests that run the mutant's statement, those first that killed others of its file, then those about it, then the fastest.

        As many as the time for one mutant allows.
        """
        near = {mutant.path.split("/")[1].removesuffix(".py"), Path(mutant.path).stem}
        importing = self.importing(mutant.path)

        def order(test: str) -> tuple[int, bool, float]:
            about = near_to(test, near) or file_of(test) in importing
            return -self.kills[mutant.path, test], not about, self.times[test]

        tests = self.inside(mutant) or self.beside(mutant)
        chosen = sorted(tests.intersection(known), key=order)
        until = accumulate(self.times[test] for test in chosen)
        return [test for test, total in zip(chosen, until, strict=True) if total <= self.seconds]

    def beside(self, mutant: Mutant) -> set[str]:
        """For a statement that none runs in its own process: tests that run files of its folder, or whose file imports its module."""
        folder = sorted(str(path.relative_to(self.root)) for path in (self.root / mutant.path).parent.glob("*.py"))
        tests = set().union(*(each for path in folder for each in self.of(path).values()))
        importing = self.importing(mutant.path)
        return tests | {test for test in self.times if file_of(test) in importing}

    @cache  # noqa: B019  # there is one of these
    def importing(self, path: str) -> set[str]:
        """Files of tests that name a module and its package."""
        package, _, module = path.removesuffix(".py").removeprefix("tutorials/").replace("/", ".").rpartition(".")
        return {file for file, text in self.texts.items() if package in text and re.search(rf"\b{module}\b", text)}

    @cached_property
    def texts(self) -> dict[str, str]:
        """What the files of tests say."""
        files = sorted({file for file in map(file_of, self.times) if (self.root / file).exists()})
        return {file: (self.root / file).read_text(encoding="utf-8") for file in files}

    @cache  # noqa: B019  # there is one of these
    def of(self, path: str) -> dict[int, set[str]]:
        """The tests that run each line of a file."""
        measured = next((name for name in self.data.measured_files() if name.endswith(path)), "")
        found = self.data.contexts_by_lineno(measured).items()
        return {
            line: {context.rpartition("|")[0] for context in contexts} & self.times.keys() for line, contexts in found
        }


def file_of(test: str) -> str:
    """Where a test is."""
    return test.partition("::")[0]


def near_to(test: str, names: set[str]) -> bool:
    """Whether a test is about a module: it lies in its folder or bears its name."""
    path = Path(file_of(test))
    return path.parent.name in names or any(name in path.stem for name in names)


def statement_around(path: Path, line: int) -> range:
    """The lines of the innermost statement; of one with a body those before the body, none for the line of a `def`."""
    around = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    statement = max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0)))
    if isinstance(statement, FUNCTIONS | ast.ClassDef):
        return range(0)
    body = getattr(statement, "body", None)
    return range(statement.lineno, body[0].lineno if body else (statement.end_lineno or statement.lineno) + 1)
