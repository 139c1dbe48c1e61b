"""What `minibert check` offers around the check: the next exercise, a blank put back, a file that is watched, time and notices."""

import ast
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from course.about import ABOUT
from course.resetting import reset
from course.statements import function_lines, statements
from course.watching import saved
from tests.tutorials.answers import CHAPTERS, functions, solution
from tests.tutorials.places import TUTORIALS
from tests.unit.cli.running import output_of, run

CHECKS = """
from course.hints import Case

def check_blanks(blanks):
    yield Case(blanks(3), 6)

def check_likeliest(likeliest):
    yield Case(likeliest(2), -2)
"""
BLANK = (
    'def blanks(x):\n    """Twice."""\n    raise NotImplementedError\n\n\n'
    'def likeliest(x):\n    """Minus."""\n    raise NotImplementedError\n'
)
RIGHT = 'def blanks(x):\n    """Twice."""\n    return 2 * x\n\n\ndef likeliest(x):\n    """Minus."""\n    return -x\n'


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of two chapters whose functions have names of the real one."""
    tutorials = tmp_path / "tutorials"
    for folder, text in (("checks", CHECKS), ("exercises", RIGHT), ("solutions", RIGHT)):
        (tutorials / folder).mkdir(parents=True)
        for chapter in ("04_numbers", "05_others"):
            (tutorials / folder / f"{chapter}.py").write_text(text)
    return tutorials


def test_every_exercise_says_how_long_it_takes_and_what_is_worth_noticing() -> None:
    names = [name for chapter in CHAPTERS for name in functions(solution(chapter))]
    assert list(ABOUT) == names
    for chapter in CHAPTERS:
        for name, function in functions(
            (TUTORIALS / "exercises" / f"{chapter}.py").read_text(encoding="utf-8")
        ).items():
            about = ABOUT[name]
            assert (ast.get_docstring(function) or "").endswith(f"\n\n{about}.")
            assert about.notice.endswith(".")
            assert len(about.notice) <= 120


def test_a_blank_says_how_long_it_takes_and_a_right_answer_what_to_notice(course: Path) -> None:
    (course / "exercises" / "04_numbers.py").write_text(RIGHT.replace("return -x", "raise NotImplementedError"))
    lines = run("check", "4", "--folder", str(course)).output.splitlines()
    assert lines[0] == "✓ blanks: passed"
    assert " ".join(" ".join(lines[1:-3]).split()) == ABOUT["blanks"].notice
    assert lines[-3] == "· likeliest: not written yet (5 minutes, easy)"


def test_the_next_exercise_is_the_first_that_does_not_pass(course: Path) -> None:
    assert output_of("check", "--next", "--folder", str(course)) == "All exercises pass.\n"
    (course / "exercises" / "05_others.py").write_text(RIGHT.replace("return -x", "return x"))
    output = output_of("check", "--next", "--folder", str(course))
    assert output.startswith("· likeliest: not right yet\n")
    assert "05_others.py, line 6\nCheck it with `minibert check 5`.\n" in output


def test_a_function_is_made_a_blank_again_and_the_answer_is_kept(course: Path) -> None:
    file = course / "exercises" / "04_numbers.py"
    output = output_of("check", "--reset", "4", "likeliest", "--folder", str(course))
    assert "likeliest is a blank again." in output
    assert file.read_text() == RIGHT.replace("return -x", "raise NotImplementedError")
    assert file.with_name("04_numbers.py.old").read_text() == RIGHT
    assert sorted(path.name for path in file.parent.iterdir()) == ["04_numbers.py", "04_numbers.py.old", "05_others.py"]


@pytest.mark.parametrize(
    "text",
    [
        RIGHT.replace("    return 2 * x", "    return ((2 * x"),
        RIGHT.replace(
            "    return 2 * x", "    while True:\n        x = (x\n            + 1)\n\n    # and so on\n    return x"
        ),
        RIGHT.replace('    """Twice."""\n', "").replace("def blanks(x):", "def blanks(x)"),
    ],
)
def test_whatever_an_answer_is_its_blank_comes_back_and_the_others_stay(course: Path, text: str) -> None:
    file = course / "exercises" / "04_numbers.py"
    file.write_text(text)
    reset(file, course / "solutions" / file.name, "blanks")
    assert file.read_text() == RIGHT.replace("return 2 * x", "raise NotImplementedError")


def test_a_function_that_was_deleted_comes_back_at_the_end(course: Path) -> None:
    file = course / "exercises" / "04_numbers.py"
    file.write_text("import math\n")
    reset(file, course / "solutions" / file.name, "blanks")
    assert file.read_text() == "import math\n\n\n" + BLANK.split("\n\n\n")[0] + "\n"


def test_without_the_solutions_the_blank_has_the_answers_own_first_lines(course: Path) -> None:
    file = course / "exercises" / "04_numbers.py"
    reset(file, course / "nowhere", "likeliest")
    assert file.read_text() == RIGHT.replace("return -x", "raise NotImplementedError")


def test_a_function_of_another_name_is_refused(course: Path) -> None:
    result = run("check", "--reset", "4", "nothing", "--folder", str(course))
    assert result.exit_code == 1
    assert result.stderr == "Error: 04_numbers.py has no function 'nothing'.\n"


def test_a_watched_file_is_checked_when_it_is_saved(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = course / "exercises" / "04_numbers.py"

    def saved_twice(files: Sequence[Path]) -> Iterator[Path]:
        assert list(files) == [file]
        file.write_text(RIGHT.replace("2 * x", "x"))
        yield file
        file.write_text("x = (\n" + RIGHT)
        yield file
        raise KeyboardInterrupt

    monkeypatch.setattr("course.command.saved", saved_twice)
    result = run("check", "4", "--watch", "--folder", str(course))
    assert [line for line in result.output.splitlines() if "of 2 passed" in line] == [
        "2 of 2 passed.",
        "1 of 2 passed.",
        "2 of 2 passed.",
    ]
    assert result.exit_code == 0


def test_a_file_is_saved_when_it_has_changed_and_then_stays(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: one.write_text("12"),  # still being written
        lambda: one.write_text("123"),
        lambda: None,  # now it is saved
        one.unlink,
        lambda: one.write_text("as editors do"),
        lambda: None,  # and here
        lambda: other.write_text("new"),
        lambda: None,  # and here
    ]
    looks = saved([one, other], wait=lambda: steps.pop(0)())
    assert [file.read_text() for file in itertools.islice(looks, 3)] == ["123", "as editors do", "new"]
    assert steps == []


def test_a_broken_file_is_cut_into_what_can_be_read() -> None:
    source = b'"""Text\nat the margin."""\n\ndef a(x):\n    return (x\n\n@staticmethod\ndef b(x):\n    return x\n\nif b:\n    y = 1\nelse:\n    y = 2\n'
    found = statements(source)
    assert [(each.line, each.function, each.tree is None) for each in found] == [
        (1, "", False),
        (4, "a", True),
        (8, "", False),
        (11, "", False),
    ]
    assert found[1].error == "SyntaxError in line 5: '(' was never closed"


def test_the_lines_of_a_function_end_where_the_next_statement_begins() -> None:
    text = "import x\n\ndef f(a):\n    return (\n\n@decorated\ndef g():\n    pass\n"
    assert function_lines(text, "f") == (2, 4)
    assert function_lines(text, "g") == (6, 8)
    assert function_lines(text, "h") is None
