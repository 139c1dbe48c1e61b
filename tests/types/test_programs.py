"""The README's programs have types that a strict checker accepts: `py.typed` is meant. `make test-types` brings pyright."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYRIGHT = Path(__file__).parent / "node_modules" / ".bin" / "pyright"
PROGRAMS = [
    code
    for page in (ROOT / "README.md", ROOT / "docs" / "index.md")
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]
WRONG = "from minibert import BertConfig\n\nBertConfig(vocab_size='many')\n"


def checked(programs: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """pyright's verdict on programs, in strict mode."""
    for number, code in enumerate(programs):
        (folder / f"program_{number}.py").write_text(code, encoding="utf-8")
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(ROOT)], "pythonVersion": "3.11"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [str(PYRIGHT), "--project", str(folder), "--pythonpath", sys.executable]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not (PYRIGHT.exists() and shutil.which("node")), reason="pyright is not here: make test-types")
class TestPyright:
    def test_accepts_the_programs_in_strict_mode(self, tmp_path: Path) -> None:
        assert len(PROGRAMS) >= 3
        found = checked(PROGRAMS, tmp_path)
        assert found.returncode == 0, found.stdout

    def test_sees_a_wrong_argument(self, tmp_path: Path) -> None:
        found = checked([WRONG], tmp_path)
        assert 'parameter "vocab_size"' in found.stdout


def test_mypy_accepts_them_in_strict_mode_too(tmp_path: Path) -> None:
    files = []
    for number, code in enumerate(PROGRAMS):
        files.append(tmp_path / f"program_{number}.py")
        files[-1].write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache")]  # as pyproject.toml has it: strict
    found = subprocess.run([*command, *map(str, files)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
