"""Every check of every chapter: refuses the blank, passes the solution, and names what goes wrong for what it is."""

import ast
from pathlib import Path

import pytest

from course.checking import find_chapters
from course.judging import WITHOUT
from course.running import BLANK, PASSED, WRONG, Exercises
from tests.tutorials.answers import (
    CHAPTERS,
    Answer,
    Outcome,
    answers_of,
    functions,
    judged,
    solution,
    with_body,
    with_change,
)
from tests.tutorials.places import TUTORIALS

EVERY = [(chapter, name) for chapter in CHAPTERS for name in functions(solution(chapter))]
# Mistakes that learners make: in which function, what to change in its solution, and words of the hint it must get. Each is
# planted in a copy of the solution, so that a hint comes from the check of its own function.
PLANTED = [
    pytest.param(chapter, *case, id=f"{chapter}-{case[0]}-{case[3]}")
    for chapter in CHAPTERS
    for case in answers_of(chapter).planted
]
WRITTEN = [
    pytest.param(chapter, *case, id=f"{chapter}-{case[0]}-{case[2]}-{number}")
    for chapter in CHAPTERS
    for number, case in enumerate(answers_of(chapter).written)
]
RIGHT = [
    pytest.param(chapter, *case, id=f"{chapter}-{case[0]}-{number}")
    for chapter in CHAPTERS
    for number, case in enumerate(answers_of(chapter).right)
]


def outcomes_of(chapter: str, exercises: Path) -> dict[str, Outcome]:
    """The results of a chapter's checks for this file of exercises: in this process, since none of them runs for ever."""
    opened = Exercises()
    names = opened.open_checks(str(TUTORIALS / "checks" / f"{chapter}.py"))
    assert opened.open_exercises(str(exercises)) == []
    return {name: Outcome(*opened.check(name)) for name in names}


def text_of(folder: str, chapter: str) -> str:
    return (TUTORIALS / folder / f"{chapter}.py").read_text(encoding="utf-8")


def test_exercises_checks_solutions_and_chapters_go_together() -> None:
    for folder in ("exercises", "checks"):
        assert [path.stem for path in sorted((TUTORIALS / folder).glob("*.py"))] == CHAPTERS
    assert [f"{chapter.number}_{chapter.name}" for chapter in find_chapters(TUTORIALS)] == CHAPTERS


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
    blanks, solutions = (functions(text_of(folder, chapter)) for folder in ("exercises", "solutions"))
    assert list(blanks) == list(solutions)
    for name, blank in blanks.items():
        assert ast.unparse(blank.args) == ast.unparse(solutions[name].args)
        assert ast.get_docstring(blank) == ast.get_docstring(solutions[name])
        assert [ast.unparse(line) for line in blank.body[1:]] == ["raise NotImplementedError"]


def test_what_a_text_forbids_is_watched_for_and_nothing_else() -> None:
    names = [name for _, name in EVERY]
    assert len(set(names)) == len(names)  # which are the keys
    texts = {name: ast.get_docstring(functions(solution(chapter))[name]) or "" for chapter, name in EVERY}
    forbidding = {name for name, text in texts.items() if "Without `F." in text or "Without PyTorch" in text}
    forbidding |= {name for name, text in texts.items() if "Without\n`F." in text}
    assert forbidding == set(WITHOUT)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_function_has_planted_mistakes(chapter: str) -> None:
    assert {case[0] for case in answers_of(chapter).planted} == set(functions(solution(chapter)))


@pytest.mark.seconds
@pytest.mark.parametrize(("chapter", "function", "right", "wrong", "hint"), PLANTED)
def test_a_planted_mistake_gets_its_hint(
    tmp_path: Path, chapter: str, function: str, right: str, wrong: str, hint: str
) -> None:
    text = with_change(chapter, function, right, wrong)
    outcome = judged(Answer(chapter, function, text, ""), tmp_path)
    assert outcome.status == WRONG
    assert hint in outcome.hint, outcome.hint


@pytest.mark.slow
@pytest.mark.parametrize(("chapter", "function", "body", "hint"), WRITTEN)
def test_a_wrong_answer_gets_its_hint(tmp_path: Path, chapter: str, function: str, body: str, hint: str) -> None:
    outcome = judged(Answer(chapter, function, with_body(chapter, function, body), ""), tmp_path)
    assert outcome.status == WRONG
    assert hint in outcome.hint, outcome.hint


@pytest.mark.parametrize(("chapter", "function", "body"), RIGHT)
def test_a_right_answer_passes_however_it_is_written(tmp_path: Path, chapter: str, function: str, body: str) -> None:
    outcome = judged(Answer(chapter, function, with_body(chapter, function, body), ""), tmp_path)
    assert outcome == (PASSED, "")
