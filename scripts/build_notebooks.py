"""Make the notebooks of the course: python -m scripts.build_notebooks OUT [OWNER/NAME]

    OUT/course/tutorials/NN_name.ipynb     the chapters; beside them every file that they link to, so that the folder can go anywhere
    OUT/nbgrader/source/NN_name/           an assignment for each chapter: the exercises with their solutions, for teachers alone
    OUT/nbgrader-zh/source/NN_name/        the same in Chinese, whose tests give their hints in Chinese

An assignment is a notebook with nbgrader's metadata, two cells for each function: its solution, which nbgrader takes out of
what students get, and a locked test, worth a point, that fails with the hint of `tutorials/checks`. The checks go with the
notebook as `checks.py`, and what they import as the folder `course`, in Chinese with the folder `messages`, the hints' translations; when it is
graded, nbgrader puts the teacher's copies in the place of whatever a student handed in.

OWNER/NAME is where the project lies on GitHub. With it each chapter begins with buttons that open it in Colab and Binder, from the branch
`notebooks` there, which holds OUT/course: what is built is in that branch and in releases, never in main.
"""

import ast
import copy
import re
import shutil
import sys
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from scripts.links import ROOT, TUTORIALS, chapters, linked, twin

SCHEMA_VERSION = 3  # of nbgrader's metadata, since nbgrader 0.6
POINTS = 1
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
INTRODUCTION = {
    "en": """# {title}

Put your code in place of each `raise NotImplementedError()`, and run the cell below it: silence means that it is right, and
the last line of an error says what is not right yet.""",
    "zh": """# {title}

用你的代码替换每一处 `raise NotImplementedError()`，再运行它下面的那一格：什么也不显示，就是对了；报错时，最后一行说明哪里还不对。""",
}
TEST = {
    "en": """from checks import check_{name}
from course.judging import hint_of

hint = hint_of(check_{name}, {name})
assert hint is None, hint""",
    "zh": """from pathlib import Path

from checks import check_{name}
from course.judging import hint_of
from minibert.cli.language import Language

hint = hint_of(check_{name}, {name})
assert hint is None, Language("zh", sorted(Path("messages").glob("*.json"))).say(hint)""",
}
BRANCH = "notebooks"
BUTTONS = """[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) \
[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})"""
IN_COLAB = """# In Colab this fetches minibert and the files of the course; elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    !git clone --quiet --depth 1 --branch {branch} https://github.com/{repository} minibert-course
    %cd minibert-course/tutorials
    %pip install --quiet -r ../requirements.txt"""
NBGRADER_CONFIG = """c = get_config()
c.CourseDirectory.course_id = "minibert"
c.ExecutePreprocessor.timeout = 120  # seconds for a cell: a loop that never ends costs its own point, not the evening
"""
CHINESE_STUB = """c.ClearSolutions.code_stub = {"python": "# 在这里写你的代码\\nraise NotImplementedError()"}
"""


def chapter_notebook(notebook: NotebookNode) -> NotebookNode:
    """A chapter to be kept in a file. Its links to other chapters lead to their notebooks."""
    notebook = copy.deepcopy(notebook)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # the same at every build
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((\d\d_\w+)\.py\)", r"](\1.ipynb)", cell.source)
    return notebook


def exercise_notebook(exercises: Path, solutions: Path, lang: str) -> NotebookNode:
    """The teacher's notebook: what `exercises` gives, and each function as `solutions` has it, followed by its test."""
    text = exercises.read_text(encoding="utf-8")
    title, *statements = ast.parse(text).body
    solved = functions(solutions)
    given = [ast.get_source_segment(text, node) for node in statements if not isinstance(node, ast.FunctionDef)]
    introduction = INTRODUCTION[lang].format(title=re.split(r"\. |。", ast.literal_eval(title.value))[0])
    cells = [graded(new_markdown_cell(introduction), "introduction", locked=True)]
    if given:
        cells.append(graded(new_code_cell("\n".join(given)), "given", locked=True))
    for name in functions(exercises):
        cells.append(graded(new_code_cell(solved[name]), name, solution=True))
        cells.append(graded(new_code_cell(TEST[lang].format(name=name)), f"check_{name}", locked=True, grade=True))
    return new_notebook(cells=cells, metadata=KERNEL)


def functions(path: Path) -> dict[str, str]:
    """Each function of a file, with nbgrader's marks around what stands below its docstring."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            docstring_ends = node.body[0].end_lineno
            above, below = lines[node.lineno - 1 : docstring_ends], lines[docstring_ends : node.end_lineno]
            found[node.name] = "\n".join([*above, "    ### BEGIN SOLUTION", *below, "    ### END SOLUTION"])
    return found


def graded(
    cell: NotebookNode, grade_id: str, *, locked: bool = False, solution: bool = False, grade: bool = False
) -> NotebookNode:
    """The cell with what nbgrader wants to know of it."""
    cell.id = grade_id
    cell.metadata["nbgrader"] = {
        "schema_version": SCHEMA_VERSION,
        "grade_id": grade_id,
        "locked": locked,
        "solution": solution,
        "grade": grade,
        "task": False,
        **({"points": POINTS} if grade else {}),
    }
    return cell


def with_buttons(notebook: NotebookNode, name: str, repository: str) -> NotebookNode:
    """A chapter's notebook that can be opened in Colab and Binder: buttons below its title, and a cell that Colab needs."""
    colab = f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/tutorials/{name}.ipynb"
    binder = f"https://mybinder.org/v2/gh/{repository}/{BRANCH}?labpath=tutorials%2F{name}.ipynb"
    buttons = new_markdown_cell(BUTTONS.format(colab=colab, binder=binder), id="buttons")
    in_colab = new_code_cell(IN_COLAB.format(repository=repository, branch=BRANCH), id="in-colab")
    notebook.cells[1:1] = [buttons, in_colab]
    return notebook


def build_course(folder: Path, repository: str = "") -> None:
    """Write the chapters, and copy what they lead to, and the checks for `minibert check`. The solutions are a teacher's."""
    for path in (*linked(chapters()), *(TUTORIALS / "checks").glob("*.py")):
        target = folder / path.relative_to(ROOT)
        if path.is_file() and TUTORIALS / "solutions" not in path.parents:
            target.parent.mkdir(parents=True, exist_ok=True)
            if path in chapters():
                notebook = chapter_notebook(jupytext.read(path))
                notebook = with_buttons(notebook, path.stem, repository) if repository else notebook
                nbformat.write(notebook, target.with_suffix(".ipynb"))
            else:
                shutil.copyfile(path, target)
    copy_course(folder / "tutorials")
    shutil.copytree(ROOT / "weights", folder / "weights")  # where BERT in one page expects them
    if repository:  # what Binder installs, and Colab
        package = f"minibert-pytorch[plots] @ git+https://github.com/{repository}\n"
        (folder / "requirements.txt").write_text(package, encoding="utf-8")


def copy_course(folder: Path) -> None:
    """Put what chapters and checks import beside them: the folders `course` and `samples`."""
    for name in ("course", "samples"):
        shutil.copytree(
            TUTORIALS / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )


def build_nbgrader(folder: Path, lang: str) -> None:
    """Write a course directory for nbgrader, in English ("en") or in Chinese ("zh")."""
    for path in sorted((TUTORIALS / "solutions").glob("*.py")):
        assignment = folder / "source" / path.stem
        assignment.mkdir(parents=True)
        exercises, solutions = TUTORIALS / "exercises" / path.name, path
        if lang == "zh":
            exercises, solutions = twin(exercises), twin(solutions)
            shutil.copytree(TUTORIALS / "zh" / "messages", assignment / "messages")  # all: chapters share hints
        nbformat.write(exercise_notebook(exercises, solutions, lang), assignment / f"{path.stem}.ipynb")
        shutil.copyfile(TUTORIALS / "checks" / path.name, assignment / "checks.py")
        copy_course(assignment)
    config = NBGRADER_CONFIG + (CHINESE_STUB if lang == "zh" else "")
    (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")


def main(out: Path, repository: str = "") -> None:
    """Write everything anew. Only what a build has written is taken away: grades and submissions stay.

    repository: "owner/name" on GitHub, for the buttons. Raises ValueError for anything else.
    """
    if repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise ValueError(f"{repository!r} is no repository on GitHub: write owner/name.")
    graded_folders = {"en": out / "nbgrader", "zh": out / "nbgrader-zh"}
    for old in (out / "course", *(folder / "source" for folder in graded_folders.values())):
        shutil.rmtree(old, ignore_errors=True)
    build_course(out / "course", repository)
    for lang, folder in graded_folders.items():
        build_nbgrader(folder, lang)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(str(__doc__))
    main(Path(sys.argv[1]), *sys.argv[2:])
