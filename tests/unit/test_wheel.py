"""The wheel: built, installed into an empty environment, away from the checkout, it finds its weights, and `minibert check` says
where the course is."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

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
