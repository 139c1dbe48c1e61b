"""Run the fast tests on every Python that is supported and present: `make test-pythons`.

Each interpreter gets an environment of its own, `.venv-3.N`, with the pinned versions. The last lines say which were run, and which were not found.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def interpreter(version: str) -> str | None:
    """`python3.N` that starts: on the path, or the newest that pyenv has."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = [
        str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python{version}"), key=release, reverse=True)
    ]
    found = [*installed, *filter(None, [shutil.which(f"python{version}")])]
    return next((path for path in found if starts(path)), None)


def release(path: Path) -> tuple[int, ...]:
    """(3, 13, 0) of …/versions/3.13.0/bin/python3.13, for sorting."""
    return tuple(int(part) for part in path.parts[-3].split(".") if part.isdigit())


def starts(path: str) -> bool:
    """Whether it is an interpreter and not pyenv's placeholder for one that is switched off."""
    return subprocess.run([path, "-c", "pass"], capture_output=True, check=False).returncode == 0  # noqa: S603  # a Python that pyenv or PATH names


def environment(path: str, version: str) -> str:
    """The Python of `.venv-3.N`, with minibert and what its tests need."""
    folder = ROOT / f".venv-{version}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([path, "-m", "venv", folder], check=True)  # noqa: S603  # the same
    install = [
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-compile",
        "--constraint",
        "constraints.txt",
    ]
    subprocess.run([python, *install, "--editable", ".[test,plots]"], cwd=ROOT, check=True)  # noqa: S603  # the same
    return str(python)


def main() -> int:
    """Test all; 0 if everything that was found passed."""
    results = {}
    for version in sys.argv[1:] or VERSIONS:
        path = interpreter(version)
        if path is None:
            results[version] = "not found"
            continue
        print(f"Python {version}: {path}", flush=True)
        tests = [environment(path, version), "-m", "pytest", "-q", "-m", "not slow"]
        passed = subprocess.run(tests, cwd=ROOT, check=False).returncode == 0  # noqa: S603  # the same
        results[version] = "passed" if passed else "FAILED"
    print("\n".join(f"Python {version}: {result}" for version, result in results.items()))
    return int("FAILED" in results.values())


if __name__ == "__main__":
    sys.exit(main())
