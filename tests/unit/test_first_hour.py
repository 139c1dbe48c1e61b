"""What the README promises for the first hour, of pythons, `make demo` and threads."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_oldest_python_is_the_one_that_the_readme_names() -> None:
    [oldest] = re.findall(r"You need Python (3\.\d+) or newer", README)
    assert PROJECT["requires-python"] == f">={oldest}"
    assert oldest == "3.11"  # 3.10 cannot install the test extra, and never ends an answer that loops for ever


def test_the_pythons_that_are_tested_are_claimed_in_the_package() -> None:
    tested = re.findall(r"3\.\d+", README.split("The tests are run on Python")[1].split("(")[0])
    assert tested == ["3.11", "3.12", "3.13"]
    for version in tested:
        assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


def test_another_project_of_the_name_is_named() -> None:
    assert PROJECT["name"] == "minibert-pytorch"
    assert "`pip install minibert` installs another project" in README


def made(*arguments: str) -> str:
    command = ["make", "--always-make", "--dry-run", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


@needs_make
def test_the_demo_installs_what_a_chapter_needs() -> None:
    assert '--editable ".[plots]"' in made("demo")
    assert any(name.startswith("matplotlib") for name in PROJECT["optional-dependencies"]["plots"])


@needs_make
@pytest.mark.parametrize(
    "target", ["demo", ".venv-parity/.installed", ".venv-docs/.installed", ".venv-grading/.installed"]
)
def test_a_variable_asks_for_pytorch_without_gpu_libraries_and_for_nothing_else_elsewhere(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CPU", raising=False)
    assert "make demo CPU=1" in README
    assert "download.pytorch.org" not in made(target)
    [line] = [line for line in made(target, "CPU=1").splitlines() if "--index-url" in line]
    assert "--no-deps --index-url https://download.pytorch.org/whl/cpu --retries 0 --timeout 10 torch " in line


@needs_make
@pytest.mark.parametrize("name", ["parity", "docs", "grading", "beside", "mutants"])
def test_pytorch_is_unpacked_once_and_lent(name: str) -> None:
    lines = made(f".venv-{name}/.installed").splitlines()
    assert [line for line in lines if line.endswith(f"venv .venv-{name}")]
    [lent] = [line for line in lines if line.endswith('/lent.pth"')]
    assert lent.startswith(".venv/bin/python ")
    assert f"$(.venv-{name}/bin/python " in lent


@needs_make
def test_where_pytorchs_index_cannot_be_reached_it_is_said_and_the_rest_goes_on() -> None:
    nowhere = ["CPU=1", "CPU_INDEX=http://127.0.0.1:9/whl", "VENV=false"]
    rule = "nowhere: ; $(call WITHOUT_GPU,$(VENV)) && echo on"
    result = subprocess.run(
        ["make", "--silent", "--eval", rule, "nowhere", *nowhere], cwd=ROOT, capture_output=True, text=True
    )
    said = "http://127.0.0.1:9/whl cannot be reached: PyTorch's ordinary build is installed"
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(said)
    assert result.stdout.endswith("on\n")


def test_what_the_pages_write_is_ignored_by_git(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    pages = [README, *(page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md"))]
    written = {
        name for page in pages for name in re.findall(r"(?:--out |out=\")([\w./-]+)", page) if not name.isupper()
    }
    assert {"run", "my-classifier", "corpus", "reviews"} <= written
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    for name in written:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").touch()
    status = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert status.stdout.split() == ["??", ".gitignore"]


@pytest.mark.parametrize("given", [None, "ACTIVE"])
def test_threads_of_a_command_sleep_while_they_wait_unless_told_otherwise(given: str | None) -> None:
    program = "import os; from minibert.cli import main; main(['--version'], standalone_mode=False); "
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": given} if given else {}
    command = [sys.executable, "-c", program + "print(os.environ['OMP_WAIT_POLICY'])"]
    result = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    assert result.stdout.split()[-1] == (given or "PASSIVE")
