"""The wheel: built, installed into an empty environment, away from the checkout, it finds its weights, and `minibert check` says
where the course is. The source archive: it holds all that its README speaks of."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("minibert", "weights", "pyproject.toml", "README.md", "LICENSE")


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    subprocess.run(command, check=True)


def build_wheel(folder: Path) -> Path:
    """A wheel of a copy of the sources, so that the build leaves nothing in the checkout."""
    source = folder / "source"
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    [wheel] = folder.glob("*.whl")
    return wheel


def environment_with(wheel: Path, folder: Path) -> Path:
    """The interpreter of a new environment that holds the wheel, and sees torch and the like in the outer one.

    A plain path in a .pth file does not activate the outer environment's editable installs, so the minibert found is
    the wheel's.
    """
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)
    outer = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(found.stdout.strip(), "outer.pth").write_text("\n".join(sorted(outer)) + "\n", encoding="utf-8")
    return python


@pytest.mark.slow(8)
def test_an_installed_wheel_fills_in_a_blank_with_its_own_weights(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    python = environment_with(build_wheel(tmp_path), environment)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*arguments: str) -> str:
        result = subprocess.run(
            [python, *arguments], cwd=elsewhere, env=clean, check=True, capture_output=True, text=True
        )
        assert result.stderr == ""
        return result.stdout

    where = "import minibert; print(minibert.__file__); print(minibert.checkpoints.bundled_checkpoints())"
    package, weights = run("-c", where).splitlines()
    assert str(environment) in package
    assert str(environment) in weights
    filled = json.loads(run("-m", "minibert", "fill-mask", "He shook his [MASK].", "--json"))
    assert filled["blanks"][0]["predictions"][0]["token"] == "head"

    check = [python, "-m", "minibert", "check", "4"]
    result = subprocess.run(check, cwd=elsewhere, env=clean, check=False, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(
        f"Error: There is no tutorials folder in {elsewhere} or above it. The course is not part"
    )
    assert result.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def source_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the source archive of this checkout unpacks to."""
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


@pytest.mark.seconds
@pytest.mark.parametrize(
    "name",
    [
        *("Makefile", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "constraints.txt"),
        *(
            "mkdocs.yml",
            "docs/index.md",
            "tutorials/01_one_page.py",
            "tutorials/samples/reviews.csv",
            "scripts/size.py",
        ),
        *("tests/unit/test_wheel.py", "tests/parity/real/requirements.txt", "benchmarks/__main__.py"),
        *("minibert/cli/__init__.py", "weights/novels-4l-256h/model.safetensors", "weights/novels-4l-256h/vocab.txt"),
    ],
)
def test_the_source_archive_has_what_its_readme_needs(name: str, source_archive: Path) -> None:
    assert (source_archive / name).read_bytes() == (ROOT / name).read_bytes()


def test_every_link_of_the_readme_leads_into_the_source_archive(source_archive: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)", (source_archive / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 20
    assert [link for link in links if link != "https" and not (source_archive / link).exists()] == []


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_knows_the_commands_of_the_readme_in_the_source_archive(source_archive: Path) -> None:
    for target in ("demo", "test", "docs", "notebooks", "lint"):
        subprocess.run(["make", "--dry-run", target], cwd=source_archive, check=True, capture_output=True)
