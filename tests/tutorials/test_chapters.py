"""Every chapter runs as a script, offline, quickly, and leaves nothing behind but the pictures that were asked for."""

import importlib.util
import os
import runpy
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path

import pytest
import torch

from course import figures as drawing
from course.figures import new_figure, show
from tests.forks import Fork, forget_our_modules
from tests.tutorials.places import TUTORIALS

CHAPTERS = sorted(TUTORIALS.glob("[0-9][0-9]_*.py"))


def without_threads() -> dict[str, str]:
    """The environment, in which nobody says how many threads there are to be."""
    return {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}


def files() -> list[Path]:
    """All below the tutorials, but for the compiled modules that tests beside this one may write there."""
    return [path for path in sorted(TUTORIALS.rglob("*")) if "__pycache__" not in path.parts]


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "used"), [({}, "1"), ({"OMP_NUM_THREADS": "2"}, "2")])
def test_a_chapter_computes_on_one_thread_unless_another_number_is_asked_for(asked: dict[str, str], used: str) -> None:
    program = "import torch, course.figures; print(torch.get_num_threads())"
    environment = {**without_threads(), "PYTHONPATH": os.pathsep.join([str(TUTORIALS), str(TUTORIALS.parent)]), **asked}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == used


# What Python itself keeps silent about.
IGNORED = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


def run_chapter(chapter: Path, here: Path, settings: dict[str, str]) -> tuple[int, str]:
    """The exit code and the errors of `python CHAPTER`, started in the folder `here`."""
    errors = here.with_suffix(".errors")
    code, _ = Fork(partial(as_a_script, chapter, here, errors), here.with_suffix(".output"), settings).end(600)
    return code, errors.read_text(encoding="utf-8")


def as_a_script(chapter: Path, here: Path, errors: Path) -> None:
    """Run a chapter as Python does that has just begun: with none of our modules loaded, and Python's own filter of warnings."""
    os.dup2(os.open(errors, os.O_CREAT | os.O_WRONLY), 2)
    os.environ.pop("OMP_NUM_THREADS", None)  # nobody says how many threads there are to be
    forget_our_modules()
    os.chdir(here)
    sys.path.insert(0, str(chapter.parent))
    sys.argv = [str(chapter)]
    warnings.resetwarnings()
    for kind in IGNORED:
        warnings.simplefilter("ignore", kind)
    warnings.simplefilter("error", FutureWarning)
    runpy.run_path(str(chapter), run_name="__main__")


@pytest.mark.slow(15)
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_runs_and_draws(chapter: Path, tmp_path: Path) -> None:
    before = files()
    here, figures = tmp_path / "here", tmp_path / "figures"
    here.mkdir()
    settings = {"MINIBERT_FIGURES": str(figures), "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    code, errors = run_chapter(chapter, here, settings)
    assert code == 0, errors
    assert errors == ""
    pictures = sorted(figures.glob("*.png"))
    assert pictures
    assert all(picture.name.startswith(chapter.name[:2]) for picture in pictures)
    assert list(here.iterdir()) == []
    assert files() == before


def test_a_picture_is_written_only_when_a_folder_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    figure = new_figure(width=2, height=1)
    figure.subplots().plot([0, 1])
    monkeypatch.delenv("MINIBERT_FIGURES", raising=False)
    picture = show(figure, "line", "A line that rises")
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == "[figure line: to see it, set MINIBERT_FIGURES to a folder]\n"
    png, described = picture._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert described == {"alt": "A line that rises"}
    assert repr(picture) == "A line that rises"
    monkeypatch.setenv("MINIBERT_FIGURES", str(tmp_path / "new" / "folder"))
    show(figure, "line", "A line that rises")
    assert [path.name for path in tmp_path.rglob("*.png")] == ["line.png"]


@pytest.mark.parametrize(("asked", "threads"), [({}, [1]), ({"OMP_NUM_THREADS": "3"}, [])])
def test_threads_are_set_to_one_unless_another_number_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: dict[str, str], threads: list[int]
) -> None:
    used: list[int] = []
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch, "set_num_threads", used.append)
    spec = importlib.util.spec_from_file_location("course.figures_again", drawing.__file__)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert used == threads
