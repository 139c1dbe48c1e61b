"""The folder with a student's BERT: made with blanks to fill in, and opened."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
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


def check_is_ones_own(folder: Path) -> None:
    """Raises ImportError where adapters.py, or a file of the folder that it imports, directly or not, imports a finished BERT.

    A file that none of them imports may import what it likes, such as a program that compares with another library.
    """
    folder = folder.resolve()
    waiting, seen = [folder / ADAPTERS], set[Path]()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for start, name in imported_by(path, folder):
            parts = name.split(".")
            if start == folder and parts[0] in FINISHED:
                raise ImportError(f"{path.relative_to(folder).as_posix()} imports {name}. The point is to write it yourself.")  # fmt: skip
            modules = [start.joinpath(*parts[:end]) for end in range(1, len(parts) + 1)]
            files = [file for module in modules for file in (module.with_suffix(".py"), module / "__init__.py")]
            waiting += [file for file in files if file.is_file() and file not in seen]


def imported_by(path: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    """The names that a file imports, with dots, and the folder that each is looked for in. Of `from a import b`: a, and a.b."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((folder, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level <= len(path.parents):
            start = path.parents[node.level - 1] if node.level else folder
            yield from [(start, node.module)] if node.module else []
            yield from ((start, ".".join(filter(None, (node.module, each.name)))) for each in node.names)


def open_adapters(folder: Path) -> dict[str, Any]:
    """Run adapters.py, which imports the student's other files beside it. Returns its names.

    Raises ImportError for a file that imports a finished BERT.
    """
    check_is_ones_own(folder)
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
