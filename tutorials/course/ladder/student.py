"""The folder with a student's BERT: made with blanks to fill in, and opened."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

TUTORIALS = Path(__file__).resolve().parents[2]
GUIDES = {"en": TUTORIALS / "your_bert", "zh": TUTORIALS / "zh" / "your_bert"}
# What belongs to the repository: the way to the other language, and the hashes that a translation carries.
OF_TWINS = re.compile(r"^\[(?:English|中文)\]\(.*\)\n+|^<!-- en: \w+ -->\n|\n\n^# en: .*\n", re.MULTILINE)
ADAPTERS = "adapters.py"
FINISHED = ("minibert", "course", "transformers")


def make_folder(folder: Path, language: str = "en") -> list[Path]:
    """Write the files to begin with, in English or "zh". Returns their paths. Raises FileExistsError rather than write over one."""
    guide = GUIDES[language]
    files = {path.name: path for path in [*sorted((guide / "start").glob("*.py")), guide / "README.md"]}
    for name in files:
        if (folder / name).exists():
            raise FileExistsError(f"{folder / name} is there already, and is not written over. Name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        (folder / name).write_text(OF_TWINS.sub("", path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return [folder / name for name in files]


def check_folder_is_there(folder: Path) -> None:
    """Raises FileNotFoundError where there is nothing to grade, saying how to begin."""
    if not (folder / ADAPTERS).is_file():
        raise FileNotFoundError(f"{folder} has no {ADAPTERS}. `minibert check my-bert --start {folder}` makes the files to begin with.")  # fmt: skip


def open_adapters(folder: Path) -> dict[str, Any]:
    """Run adapters.py, which imports the student's other files beside it. Returns its names.

    Raises ImportError for a file that imports a finished BERT.
    """
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
            named = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if finished := [name for name in named if name.partition(".")[0] in FINISHED]:
                raise ImportError(f"{path.name} imports {finished[0]}. The point is to write it yourself.")
    sys.dont_write_bytecode = True  # nothing is left beside their files
    sys.path.insert(0, str(folder))
    path = folder / ADAPTERS
    module = ModuleType("adapters")
    module.__file__ = str(path)
    sys.modules["adapters"] = module
    code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102  # what this process is for: see ../limits.py
    return module.__dict__


def adapter(adapters: dict[str, Any], name: str) -> Callable[..., Any]:
    """One function of adapters.py. Raises NotImplementedError where it is gone, as a blank does."""
    found = adapters.get(name)
    if not callable(found):
        raise NotImplementedError(f"{ADAPTERS} has no function {name}.")
    return found
