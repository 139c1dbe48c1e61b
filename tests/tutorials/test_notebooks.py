"""The notebooks that are built of the course: chapters whose links lead somewhere, assignments as nbgrader wants them."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.build_notebooks import main
from tests.tutorials.places import ROOT, TUTORIALS, open_module

CHAPTERS = [path.stem for path in sorted((TUTORIALS / "solutions").glob("*.py"))]
EDITIONS = {
    "nbgrader": TUTORIALS,
    "nbgrader-zh": TUTORIALS / "zh",
}  # folder of what is graded → where its exercises stand
MESSAGES = sorted((TUTORIALS / "zh" / "messages").glob("*.json"))
in_both_editions = pytest.mark.parametrize("edition", EDITIONS)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("notebooks")
    main(out)
    return out


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def assignment(built: Path, chapter: str, edition: str) -> list[dict[str, Any]]:
    return cells_of(built / edition / "source" / chapter / f"{chapter}.ipynb")


@pytest.mark.seconds
def test_every_chapter_is_a_notebook_with_the_chapters_cells(built: Path) -> None:
    chapters = sorted(TUTORIALS.glob("[0-9][0-9]_*.py"))
    notebooks = sorted((built / "course" / "tutorials").glob("*.ipynb"))
    assert [path.stem for path in notebooks] == [path.stem for path in chapters]
    for chapter, notebook in zip(chapters, notebooks, strict=True):
        cells = cells_of(notebook)
        assert len(cells) == len(re.findall("^# %%", chapter.read_text(encoding="utf-8"), re.MULTILINE))
        assert source(cells[0]).startswith(f"# {int(chapter.name[:2])} · ")


@pytest.mark.seconds
def test_with_a_repository_every_chapter_has_buttons_and_the_branch_what_they_need(tmp_path: Path) -> None:
    main(tmp_path, "someone/minibert")
    course = tmp_path / "course"
    assert (
        course / "requirements.txt"
    ).read_text() == "minibert-pytorch[plots] @ git+https://github.com/someone/minibert\n"
    for notebook in (course / "tutorials").glob("*.ipynb"):
        title, buttons, in_colab, *_ = cells_of(notebook)
        assert source(title).startswith("# ")
        assert (
            f"https://colab.research.google.com/github/someone/minibert/blob/notebooks/tutorials/{notebook.name})"
            in source(buttons)
        )
        assert f"https://mybinder.org/v2/gh/someone/minibert/notebooks?labpath=tutorials%2F{notebook.name})" in source(
            buttons
        )
        assert "--branch notebooks https://github.com/someone/minibert " in source(in_colab)
        assert 'if "google.colab" in sys.modules:' in source(in_colab)


@pytest.mark.parametrize("repository", ["minibert", "https://github.com/someone/minibert", "a/b/c", "a/b c"])
def test_what_is_no_repository_is_refused_before_anything_is_written(repository: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="write owner/name"):
        main(tmp_path, repository)
    assert not list(tmp_path.iterdir())


def test_links_in_the_chapters_lead_to_files_of_the_built_folder(built: Path) -> None:
    links = {
        notebook.parent / link
        for notebook in (built / "course" / "tutorials").glob("*.ipynb")
        for cell in cells_of(notebook)
        if cell["cell_type"] == "markdown"
        for link in re.findall(r"\]\(([^)#:]+)[^)]*\)", source(cell))
    }
    assert links
    assert {link for link in links if not link.is_file()} == set()


def test_bert_in_one_page_finds_its_weights_in_the_built_folder(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_module(built / "course" / "tutorials" / "bert_in_one_page.py").main("He shook his [MASK].")
    assert "head" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["course/tutorials", "nbgrader/source/13_multiple_choice"])
def test_what_chapters_and_checks_import_is_in_the_built_folder(built: Path, folder: str) -> None:
    program = "import course.figures, course.hints, course.samples; print(course.samples.sample('endings.csv'))"
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=built / folder, env=clean, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == str((built / folder).resolve() / "samples" / "endings.csv")


def test_solutions_are_in_the_teachers_folder_only(built: Path) -> None:
    assert not (built / "course" / "tutorials" / "solutions").exists()
    for solutions in (TUTORIALS / "solutions").glob("*.py"):
        text = solutions.read_text(encoding="utf-8")
        bodies = [
            "".join(text.splitlines(keepends=True)[node.body[0].end_lineno : node.end_lineno])
            for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef)
        ]
        assert bodies
        exercises = (built / "course" / "tutorials" / "exercises" / solutions.name).read_text(encoding="utf-8")
        assert not any(body in exercises for body in bodies)


@in_both_editions
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_function_is_a_solution_to_take_out_and_a_locked_test_worth_a_point(
    built: Path, chapter: str, edition: str
) -> None:
    cells = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in assignment(built, chapter, edition)}
    written = ast.parse((TUTORIALS / "solutions" / f"{chapter}.py").read_text(encoding="utf-8")).body
    names = [node.name for node in written if isinstance(node, ast.FunctionDef)]
    assert [name for name in cells if name not in ("introduction", "given")] == [
        cell for name in names for cell in (name, f"check_{name}")
    ]
    kinds = ("locked", "solution", "grade")
    for name, cell in cells.items():
        metadata = cell["metadata"]["nbgrader"]
        assert metadata["schema_version"] == 3
        expected = dict.fromkeys(names, (False, True, False)) | {f"check_{name}": (True, False, True) for name in names}
        assert tuple(metadata[kind] for kind in kinds) == expected.get(name, (True, False, False))
        assert metadata.get("points") == (1 if metadata["grade"] else None)


@in_both_editions
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_all_code_that_an_exercise_does_not_give_is_marked_as_a_solution(
    built: Path, chapter: str, edition: str
) -> None:
    exercise = (EDITIONS[edition] / "exercises" / f"{chapter}.py").read_text(encoding="utf-8")
    blanks = {node.name: node for node in ast.parse(exercise).body if isinstance(node, ast.FunctionDef)}
    for cell in assignment(built, chapter, edition):
        name = cell["metadata"]["nbgrader"]["grade_id"]
        if name in blanks:
            left = re.sub(
                r"    ### BEGIN SOLUTION\n.*\n    ### END SOLUTION$",
                "    raise NotImplementedError",
                source(cell),
                flags=re.DOTALL,
            )
            assert ast.unparse(ast.parse(left)) == ast.unparse(blanks[name])
        elif name == "given":
            assert all(line in exercise for line in source(cell).splitlines())


@pytest.mark.seconds
@in_both_editions
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_teachers_notebook_passes_its_own_tests(
    built: Path, chapter: str, edition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(built / edition / "source" / chapter)
    monkeypatch.delitem(sys.modules, "checks", raising=False)
    notebook: dict[str, Any] = {}
    for cell in assignment(built, chapter, edition):
        if cell["cell_type"] == "code":
            exec(source(cell), notebook)
    assert notebook["hint"] is None
    monkeypatch.delitem(sys.modules, "checks")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chinese_assignment_asks_and_answers_in_chinese(built: Path, chapter: str) -> None:
    introduction, *cells = assignment(built, chapter, "nbgrader-zh")
    assert source(introduction).startswith(f"# 第 {int(chapter[:2])} 章的练习")
    assert "。" not in source(introduction).splitlines()[0]
    for cell in cells:
        if cell["metadata"]["nbgrader"]["solution"]:
            docstring = ast.get_docstring(ast.parse(source(cell)).body[0])  # type: ignore[arg-type]
            assert re.search("[\u4e00-\u9fff]", docstring or "")
        elif cell["metadata"]["nbgrader"]["grade"]:
            assert 'Language("zh", sorted(Path("messages").glob("*.json")))' in source(cell)
    folder = built / "nbgrader-zh" / "source" / chapter / "messages"
    assert sorted(path.name for path in folder.iterdir()) == [path.name for path in MESSAGES]


def contents(folder: Path) -> dict[Path, bytes]:
    """Of all files but the compiled modules that a notebook's run leaves."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


@pytest.mark.seconds
def test_building_again_changes_no_byte_and_keeps_grades(built: Path) -> None:
    gradebook = built / "nbgrader" / "gradebook.db"
    gradebook.write_bytes(b"grades")
    before = contents(built)
    main(built)
    assert contents(built) == before
