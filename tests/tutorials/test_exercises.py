"""Every check of every chapter: refuses the blank, names the planted mistake, and passes the solution."""

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

from course.checking import find_chapters
from course.running import BLANK, PASSED, WRONG, Exercises
from tests.tutorials.places import TUTORIALS, open_module

CHAPTERS = [path.stem for path in sorted((TUTORIALS / "solutions").glob("*.py"))]
# Mistakes that learners make: in which function, what to change in its solution, and words of the hint it must get. Each is
# planted in a copy of the solution, so that a hint comes from the check of its own function.
PLANTED: dict[str, list[tuple[str, str, str, str]]] = {
    path.stem: open_module(path).PLANTED for path in sorted((Path(__file__).parent / "planted").glob("*.py"))
}
CASES = [pytest.param(chapter, *case, id=f"{chapter}-{case[0]}-{case[3]}") for chapter in PLANTED for case in PLANTED[chapter]]  # fmt: skip


class Outcome(NamedTuple):
    status: str
    hint: str


def outcomes_of(chapter: str, exercises: Path) -> dict[str, Outcome]:
    """The results of a chapter's checks for this file of exercises: in this process, since none of them runs for ever."""
    opened = Exercises()
    names = opened.open_checks(str(TUTORIALS / "checks" / f"{chapter}.py"))
    assert opened.open_exercises(str(exercises)) is None
    return {name: Outcome(*opened.check(name)) for name in names}


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_exercises_checks_solutions_and_chapters_go_together() -> None:
    for folder in ("exercises", "checks"):
        assert [path.stem for path in sorted((TUTORIALS / folder).glob("*.py"))] == CHAPTERS
    assert [f"{chapter.number}_{chapter.name}" for chapter in find_chapters(TUTORIALS)] == CHAPTERS
    assert set(PLANTED) == set(CHAPTERS)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_blanks_are_not_written_yet(chapter: str) -> None:
    outcomes = outcomes_of(chapter, TUTORIALS / "exercises" / f"{chapter}.py")
    assert 2 <= len(outcomes) <= 4
    assert {outcome.status for outcome in outcomes.values()} == {BLANK}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_solutions_pass(chapter: str) -> None:
    outcomes = outcomes_of(chapter, TUTORIALS / "solutions" / f"{chapter}.py")
    assert {name: outcome.hint for name, outcome in outcomes.items() if outcome.status != PASSED} == {}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_solution_fills_in_the_blanks_and_changes_nothing_else(chapter: str) -> None:
    blanks, solutions = (functions(TUTORIALS / folder / f"{chapter}.py") for folder in ("exercises", "solutions"))
    assert list(blanks) == list(solutions)
    for name, blank in blanks.items():
        assert ast.unparse(blank.args) == ast.unparse(solutions[name].args)
        assert ast.get_docstring(blank) == ast.get_docstring(solutions[name])
        assert [ast.unparse(line) for line in blank.body[1:]] == ["raise NotImplementedError"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_function_has_planted_mistakes(chapter: str) -> None:
    assert {case[0] for case in PLANTED[chapter]} == set(functions(TUTORIALS / "solutions" / f"{chapter}.py"))


@pytest.mark.parametrize(("chapter", "function", "right", "wrong", "hint"), CASES)
def test_a_planted_mistake_gets_its_hint(
    tmp_path: Path, chapter: str, function: str, right: str, wrong: str, hint: str
) -> None:
    solution = TUTORIALS / "solutions" / f"{chapter}.py"
    text = solution.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    node = functions(solution)[function]
    end = node.end_lineno or node.lineno
    start = node.body[0].end_lineno or node.lineno  # below the docstring, which may say the same in words
    body = "".join(lines[start:end])
    assert right in body
    planted = tmp_path / f"{chapter}.py"
    planted.write_text("".join([*lines[:start], body.replace(right, wrong), *lines[end:]]), encoding="utf-8")
    outcomes = outcomes_of(chapter, planted)
    assert outcomes[function].status == WRONG
    assert hint in outcomes[function].hint, outcomes[function].hint
