"""nbgrader as it is releases and grades the exercises: a right submission, a wrong one, a blank one and a forged one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from nbgrader.api import Gradebook

from scripts.build_notebooks import main

CHAPTER = "04_attention"
BLANK = "    # YOUR CODE HERE\n    raise NotImplementedError()"
WRONG = "    batch, seq, hidden = x.shape\n    return x.view(batch, heads, seq, hidden // heads)"
FUNCTIONS = ["split_heads", "additive_mask", "attention", "join_heads"]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The exercises released, handed in by four students, and graded."""
    out = tmp_path_factory.mktemp("course")
    main(out)
    course = out / "nbgrader"
    with pytest.MonkeyPatch.context() as patch:
        # as in an activated environment: nbgrader itself calls programs by their names
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("OMP_NUM_THREADS", "1")
        release_and_grade(course)
        yield course


@pytest.fixture(scope="module")
def chinese(course: Path) -> Path:
    """The Chinese exercises of a chapter released, handed in wrong and blank, and graded."""
    folder = course.parent / "nbgrader-zh"
    nbgrader(folder, "generate_assignment", CHAPTER)
    released = cells_of(folder / "release" / CHAPTER / f"{CHAPTER}.ipynb")
    wrong = released["split_heads"].partition("    # ")[0] + WRONG
    hand_in(folder, "wrong", {**released, "split_heads": wrong}, {"messages/course.json": "{}"})
    nbgrader(folder, "autograde", CHAPTER)
    return folder


def release_and_grade(course: Path) -> None:
    nbgrader(course, "generate_assignment", "*")
    released = cells_of(course / "release" / CHAPTER / f"{CHAPTER}.ipynb")
    solved = cells_of(course / "source" / CHAPTER / f"{CHAPTER}.ipynb")
    hand_in(course, "right", solved)
    hand_in(course, "wrong", {**solved, "split_heads": solved["split_heads"].partition("    ### BEGIN")[0] + WRONG})
    hand_in(course, "blank", released)
    forged = {"checks.py": "def check(_): return None", "course/judging.py": "def hint_of(*_): return None"}
    hand_in(course, "forged", {**released, "check_split_heads": "hint = None"}, forged)
    nbgrader(course, "autograde", CHAPTER)


def nbgrader(course: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "nbgrader", *arguments]
    result = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def cells_of(notebook: Path) -> dict[str, str]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return {cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"]) for cell in cells}


def hand_in(
    course: Path, student: str, sources: dict[str, str], changed: Mapping[str, str] = MappingProxyType({})
) -> None:
    """The released folder, with the notebook filled in by a student, and files changed."""
    submission = course / "submitted" / student / CHAPTER
    shutil.copytree(course / "release" / CHAPTER, submission)
    notebook = json.loads((submission / f"{CHAPTER}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = sources[cell["metadata"]["nbgrader"]["grade_id"]]
    (submission / f"{CHAPTER}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    for name, text in changed.items():
        assert (submission / name).is_file()
        (submission / name).write_text(text, encoding="utf-8")


def points(course: Path, student: str) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "minibert") as gradebook:
        (notebook,) = gradebook.find_submission(CHAPTER, student).notebooks
        return {grade.name: grade.auto_score for grade in notebook.grades}


def error_of(course: Path, student: str, function: str) -> str | None:
    """What the test of a function ended with, as the graded notebook shows it."""
    notebook: dict[str, Any] = json.loads(
        (course / "autograded" / student / CHAPTER / f"{CHAPTER}.ipynb").read_text(encoding="utf-8")
    )
    (cell,) = (cell for cell in notebook["cells"] if cell["metadata"]["nbgrader"]["grade_id"] == f"check_{function}")
    errors = [
        f"{output['ename']}: {output['evalue']}" for output in cell["outputs"] if output["output_type"] == "error"
    ]
    return errors[0] if errors else None


def test_every_chapter_is_released_with_blanks(course: Path) -> None:
    sources = sorted(path.name for path in (course / "source").iterdir())
    assert sorted(path.name for path in (course / "release").iterdir()) == sources
    for name in sources:
        released = cells_of(course / "release" / name / f"{name}.ipynb")
        solved = cells_of(course / "source" / name / f"{name}.ipynb")
        assert list(released) == list(solved)
        for grade_id, text in solved.items():
            above, mark, _ = text.partition("    ### BEGIN SOLUTION")
            assert released[grade_id] == (above + BLANK if mark else text)
            assert '"""' in above or not mark


def test_a_right_submission_has_every_point(course: Path) -> None:
    assert points(course, "right") == {f"check_{name}": 1.0 for name in FUNCTIONS}


def test_a_mistake_costs_its_point_and_is_named(course: Path) -> None:
    assert points(course, "wrong") == {f"check_{name}": float(name != "split_heads") for name in FUNCTIONS}
    error = error_of(course, "wrong", "split_heads")
    assert error is not None
    assert error.startswith("AssertionError: x of shape (1, 3, 8), 2 heads: Viewed as (batch, heads, seq, d) at once")
    assert error_of(course, "wrong", "attention") is None


def test_a_blank_has_no_points_and_says_that_it_is_not_written(course: Path) -> None:
    assert points(course, "blank") == {f"check_{name}": 0.0 for name in FUNCTIONS}
    assert error_of(course, "blank", "attention") == "NotImplementedError: "


def test_tests_that_a_student_changed_are_put_right_before_grading(course: Path) -> None:
    assert points(course, "forged") == {f"check_{name}": 0.0 for name in FUNCTIONS}


def test_the_chinese_exercises_are_released_and_graded_in_chinese(chinese: Path) -> None:
    released = cells_of(chinese / "release" / CHAPTER / f"{CHAPTER}.ipynb")
    assert "    # 在这里写你的代码\n    raise NotImplementedError()" in released["attention"]
    assert points(chinese, "wrong") == {f"check_{name}": 0.0 for name in FUNCTIONS}
    error = error_of(chinese, "wrong", "split_heads")
    assert error is not None
    assert error.startswith("AssertionError: 形状为 (1, 3, 8) 的 x，2 个头：直接看成 (batch, heads, seq, d)")
