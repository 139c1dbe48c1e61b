"""`minibert check`: blanks, hints, passes and progress, with a small course made for the test."""

import json
import multiprocessing
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from course.checking import Checker, check_chapter, find_chapter
from course.hints import hint_for
from tests.unit.cli.running import json_of, output_of, run

CHECKS = """
from course.hints import hint_for

def check_double(double):
    return hint_for(double(3), 6, {"It squares instead of doubling": 9}, given="For 3")

def check_negate(negate):
    return hint_for(negate(2), -2)
"""
BLANK = "def double(x):\n    raise NotImplementedError\n\n\ndef negate(x):\n    raise NotImplementedError\n"
RIGHT = "def double(x):\n    return 2 * x\n\n\ndef negate(x):\n    return -x\n"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for folder in ("checks", "exercises"):
        (tmp_path / "tutorials" / folder).mkdir(parents=True)
        (tmp_path / "tutorials" / folder / "04_numbers.py").write_text(CHECKS if folder == "checks" else BLANK)
    return tmp_path / "tutorials"


def write(course: Path, text: str) -> None:
    (course / "exercises" / "04_numbers.py").write_text(text)


def hint_of(course: Path, text: str) -> str:
    """The hint for `double` after writing the exercises like this."""
    write(course, text)
    return check_chapter(find_chapter(course, "4"), seconds=0.5)[0].hint


def test_a_blank_is_not_written_yet_and_not_wrong(course: Path) -> None:
    result = run("check", "4", "--folder", str(course))
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "· double: not written yet",
        "· negate: not written yet",
        "",
        "0 of 2 passed.",
    ]


@pytest.mark.parametrize("name", ["4", "04", "numbers", "04_numbers", "04_numbers.py"])
def test_a_chapter_is_known_by_its_number_and_by_its_name(course: Path, name: str) -> None:
    assert find_chapter(course, name).exercises.name == "04_numbers.py"


def test_right_answers_pass_and_end_with_exit_code_0(course: Path) -> None:
    write(course, RIGHT)
    assert output_of("check", "04", "--folder", str(course)).splitlines()[0] == "✓ double: passed"


def test_a_known_mistake_is_named_and_the_answer_is_not(course: Path) -> None:
    write(course, RIGHT.replace("2 * x", "x * x"))
    output = run("check", "4", "--folder", str(course)).output
    assert "· double: not right yet\n    For 3: It squares instead of doubling\n✓ negate: passed" in output
    assert "6" not in output


def test_progress_says_what_comes_next(course: Path) -> None:
    write(course, RIGHT.replace("return -x", "raise NotImplementedError"))
    output = output_of("check", "--folder", str(course))
    assert output.splitlines()[2].split() == ["4", "numbers", "1", "2", "negate:", "not", "written", "yet"]
    assert "1 of 2 functions passed" in output
    assert json_of("check", "--folder", str(course)) == [
        {"chapter": 4, "exercises": "numbers", "passed": 1, "of": 2, "next": "negate: not written yet"}
    ]


def test_a_changed_answer_is_read_anew_and_nothing_is_left_beside_it(course: Path) -> None:
    assert hint_of(course, RIGHT) == ""
    assert (
        hint_of(course, RIGHT.replace("2 * x", "x * x")) == "For 3: It squares instead of doubling"
    )  # as long as before
    assert [path.name for path in (course / "exercises").iterdir()] == ["04_numbers.py"]


def test_what_an_exercise_prints_stays_out_of_the_json(course: Path) -> None:
    write(course, RIGHT.replace("return -x", "print('looking'); return -x"))
    result = run("check", "4", "--folder", str(course), "--json")
    assert json.loads(result.stdout)[1] == {"function": "negate", "status": "passed", "hint": ""}
    assert result.stderr == "looking\n"


def test_an_error_in_an_answer_is_named_with_its_line(course: Path) -> None:
    assert hint_of(course, "def double(x):\n    return x + missing\n") == (
        "It stops with NameError in line 2: name 'missing' is not defined"
    )


def test_a_loop_that_never_ends_is_ended(course: Path) -> None:
    swallowing = "def double(x):\n    while True:\n        try:\n            x += 1\n        except Exception:\n            pass\n"
    assert hint_of(course, swallowing) == "It was still running after 0.5 seconds. Does a loop never end?"


def test_an_answer_that_leaves_the_program_does_not_end_the_check(course: Path) -> None:
    assert hint_of(course, "def double(x):\n    exit()\n").startswith("It stops with SystemExit")


def test_an_answer_that_ends_python_or_never_ends_leaves_the_next_functions_their_check(course: Path) -> None:
    for ending, hint in (
        ("import os; print('here', flush=True); os._exit(3)", "It ended Python, with exit code 3."),
        ("while True: pass", "It was still running after 0.5 seconds. Does a loop never end?"),
    ):
        write(course, RIGHT.replace("return 2 * x", ending))
        double, negate = check_chapter(find_chapter(course, "4"), seconds=0.5)
        assert (double.status, double.hint) == ("not right yet", hint)
        assert negate.passed


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("while True: pass", "line 1: It was still running after 0.5 seconds. Does a loop never end?"),
        ("sum(range(10**13))", "line 1: It was still running after 0.5 seconds. Does a loop never end?"),
        ("import os; os._exit(0)", "line 1: It ended Python, with exit code 0."),
        ("exit()", "line 1: SystemExit in line 1: None"),
        ("import einops", "line 1: ModuleNotFoundError in line 1: No module named 'einops'"),
        ("raise KeyboardInterrupt", "line 1: KeyboardInterrupt in line 1"),
        ("def broken(:\n    return 1", "line 1: SyntaxError in line 1: invalid syntax"),
    ],
)
def test_what_goes_wrong_at_the_top_of_a_file_is_told_and_the_functions_are_checked(
    course: Path, line: str, trouble: str
) -> None:
    write(course, f"{line}\n{RIGHT}")
    with Checker() as checker:
        outcomes = checker.check(find_chapter(course, "4"), seconds=0.5)
        assert [outcome.status for outcome in outcomes] == ["passed", "passed"]
        assert checker.troubles == [trouble]


def test_a_function_that_python_cannot_read_costs_itself_alone(course: Path) -> None:
    write(course, RIGHT.replace("def double(x):", "def double(x)"))
    double, negate = check_chapter(find_chapter(course, "4"))
    assert double.hint == "SyntaxError in line 1: expected ':'"
    assert negate.passed


def test_a_test_call_below_the_functions_is_told_and_costs_nothing(course: Path) -> None:
    write(course, f"{RIGHT}\nprint(double(1))\nassert negate(1) == 1\n")
    result = run("check", "4", "--folder", str(course))
    assert result.exit_code == 0
    assert "line 9: AssertionError in line 9" in result.stderr


def test_an_answer_may_hold_a_dataclass_whose_types_are_text(course: Path) -> None:
    head = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
    write(course, f"{head}{RIGHT.replace('2 * x', 'A(2 * x).x')}")
    result = run("check", "4", "--folder", str(course))
    assert result.exit_code == 0, result.output
    assert result.stderr == ""


def test_a_name_that_was_not_imported_is_explained(course: Path) -> None:
    hint = hint_of(course, "import einops\ndef double(x):\n    return einops.rearrange(x)\n")
    assert hint == (
        "It stops with NameError in line 3: name 'einops' is not defined. "
        "What could not be run above: line 1: ModuleNotFoundError in line 1: No module named 'einops'"
    )


@pytest.mark.seconds
def test_a_file_full_of_statements_that_never_end_is_given_up(course: Path) -> None:
    write(course, "while True: pass\n" * 9 + RIGHT)
    with pytest.raises(ValueError, match=re.escape("04_numbers.py cannot be run: It was still running")):
        check_chapter(find_chapter(course, "4"), seconds=0.3)


def test_a_function_that_calls_a_blank_one_is_written(course: Path) -> None:
    write(
        course, BLANK.replace("def negate(x):\n    raise NotImplementedError", "def negate(x):\n    return -double(x)")
    )
    double, negate = check_chapter(find_chapter(course, "4"))
    assert (double.status, double.hint) == ("not written yet", "")
    assert (negate.status, negate.hint) == ("not right yet", "It calls `double`, which is not written yet.")


def test_a_loop_that_prints_for_ever_is_ended_and_cut(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hint_of(course, "def double(x):\n    while True:\n        print(x)\n").startswith(
        "It was still running after"
    )
    printed = capsys.readouterr().out  # all that is kept, or what a busy machine printed in the time
    assert printed
    assert ("3\n" * 5000).startswith(printed)


def test_an_answer_cannot_wait_for_the_keyboard(course: Path) -> None:
    assert hint_of(course, "def double(x):\n    return input()\n").startswith("It stops with EOFError in line 2")


def test_no_process_is_left_behind(course: Path) -> None:
    check_chapter(find_chapter(course, "4"))
    assert multiprocessing.active_children() == []


def test_a_renamed_function_is_missed(course: Path) -> None:
    assert hint_of(course, RIGHT.replace("double", "twice")) == "04_numbers.py has no function of this name."


def test_checks_that_cannot_be_run_are_named(course: Path) -> None:
    (course / "checks" / "04_numbers.py").write_text("import nothing_of_this_name")
    with pytest.raises(ValueError, match=r"checks.04_numbers\.py cannot be run: It ended Python, with exit code 1\."):
        check_chapter(find_chapter(course, "4"))


def test_a_missing_exercise_file_is_named(course: Path) -> None:
    (course / "exercises" / "04_numbers.py").unlink()
    assert "04_numbers.py is missing" in run("check", "4", "--folder", str(course)).stderr


def test_an_unknown_chapter_is_answered_with_those_there_are(course: Path) -> None:
    result = run("check", "99", "--folder", str(course))
    assert result.stderr == "Error: There are no exercises for chapter '99'. Chapters with exercises: 4 numbers.\n"


def test_the_course_is_found_from_inside_and_from_above(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (course.parent, course, course / "exercises"):
        monkeypatch.chdir(place)
        assert "numbers" in output_of("check")


def test_a_folder_without_exercises_is_refused(tmp_path: Path) -> None:
    result = run("check", "--folder", str(tmp_path))
    assert result.exit_code == 1
    assert "does not hold the folders exercises and checks" in result.stderr


def test_without_any_tutorials_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minibert.cli.check.BESIDE_THE_PACKAGE", tmp_path / "none")
    result = run("check")
    assert result.exit_code == 1
    assert "name the folder with --folder" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("result", "expected", "hint"),
    [
        (np.int64(3), 4, "It returns 3, which is not right."),
        (-1, None, "It returns -1; None is asked for."),
        (None, 1.0, "It returns nothing. Is the `return` missing?"),
        ("1", 1.0, "It returns a value of type str; float is asked for."),
        (True, 1, "It returns a value of type bool; int is asked for."),
        ((1, 2), [1, 2], "It returns a value of type tuple; list is asked for."),
        ([1, 2], [1, 2, 3], "It returns 2 items where there should be 3: [1, 2]."),
        ([1, 5], [1, 2], "Item 1 (counting from 0) is wrong. It returns 5, which is not right."),
        (torch.zeros(2, 3), torch.zeros(3, 2), "The result has shape (2, 3); it should be (3, 2)."),
        (torch.zeros(2).long(), torch.zeros(2), "The result has dtype torch.int64; it should be torch.float32."),
        (torch.tensor([0.0, torch.nan]), torch.zeros(2), "The result holds numbers that are infinite or not a number (NaN)."),
        (torch.tensor([0.0, 0.5]), torch.zeros(2), "The shape is right, but 1 of 2 numbers are not: the largest is off by 0.5."),
    ],
)  # fmt: skip
def test_any_other_mistake_is_described(result: object, expected: object, hint: str) -> None:
    assert hint_for(result, expected) == hint


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (1, 1.0),
        (np.int64(2), 2),
        (np.float32(0.3), 0.3),
        ([np.int64(2)], [2]),
        (0.1 + 0.2, 0.3),
        (torch.ones(2).double(), torch.ones(2)),
        ([1, [2.0]], [1, [2.0]]),
    ],
)
def test_rounding_is_no_mistake(result: object, expected: object) -> None:
    assert hint_for(result, expected) is None
