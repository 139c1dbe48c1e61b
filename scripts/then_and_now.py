"""Run the course's programs in three libraries, and write the table of docs/then_and_now.md: python scripts/then_and_now.py

`make then-and-now` calls it. The Chinese page gets the same table in its words (scripts/then_and_now_chinese.py). The programs are those of tests/parity/old/course_programs.py, and the scripts in its folder `chapter`. Each runs
under transformers 4.12.5 (.venv-old), the newest transformers (.venv-parity) and minibert, with the same checkpoints.
"""

from __future__ import annotations

import ast
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "parity" / "old"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import chapter_programs
import course_programs

from scripts.then_and_now_chinese import in_chinese
from scripts.translations import put_in_both
from tests.unit import chapter_checkpoints

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "then_and_now.md"
BEGIN, END = "<!-- the table: python scripts/then_and_now.py -->\n", "<!-- its end -->\n"
CLOSE = 1e-5
LIBRARIES = {
    "then": (".venv-old", "transformers"),
    "now": (".venv-parity", "transformers"),
    "here": (".venv", "minibert"),
}


class Row(NamedTuple):
    """A program: the heading that it stands below, its name among all programs, what it does, and where it is."""

    section: str
    name: str
    title: str
    link: str


def rows() -> list[Row]:
    """Every program of the page, in its order."""
    where = "../tests/parity/old"
    found = []
    for section, programs in course_programs.SECTIONS.items():
        for program in programs:
            title = (program.__doc__ or "").partition("\n")[0]
            symbol = program.__code__.co_qualname.partition(".")[0]
            found.append(Row(section, f"course: {program.__name__}", title, f"{where}/course_programs.py#{symbol}"))
    for name, path in chapter_programs.SCRIPTS.items():
        title = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
        found.append(Row("Whole programs", f"chapter: {name}", title.rstrip("."), f"{where}/chapter/{path.name}"))
    return found


def run(names: list[str], side: str, work: Path) -> dict[str, Any]:
    """What each program returns under one library; of one that fails the traceback, as text."""
    environment, library = LIBRARIES[side]
    out = work / f"{side}.pt"
    (work / "names").write_text("\n".join(names), encoding="utf-8")
    settings = {
        "MINIBERT_CHAPTER": str(work / "chapter"),
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    python = ROOT / environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    program = ROOT / "tests" / "parity" / "old" / "run.py"
    command = [str(python), "-W", "ignore", str(program), library, str(work / "names"), str(out)]
    subprocess.run(command, env={**os.environ, **settings}, check=True)  # noqa: S603
    return torch.load(out)


def beside(found: Any, expected: Any) -> str:
    """What to say of a result beside that of 4.12.5."""
    if isinstance(found, str) and found.startswith("failed with"):
        return f"`{error_of(found)}`"
    if not isinstance(expected, dict):
        return "equal" if found == expected else "another result"
    largest = 0.0
    if found.keys() != expected.keys():
        return f"another result: {len(found)} values for {len(expected)}"
    for name, value in expected.items():
        if not isinstance(value, Tensor):
            if found[name] != value:
                return "another result"
        elif found[name].shape != value.shape:
            return f"another result: {tuple(found[name].shape)} for {tuple(value.shape)}"
        elif value.numel():
            apart = float((found[name].double() - value.double()).abs().max())
            largest = max(largest, apart) if apart == apart else math.inf  # what is no number is no result
    return (
        "equal"
        if largest == 0.0
        else f"{largest:.0e} apart"
        if largest <= CLOSE
        else f"another result: {largest:.0e} apart"
    )


def error_of(traceback: str) -> str:
    """The first line of the error that ended a program, without its module."""
    line = re.findall(r"^(?:[\w]+\.)*([A-Za-z_]\w*(?:Error|Exception)\b.*)$", traceback, re.MULTILINE)[-1]
    line = re.sub(r"\(/\S+\)|'?/tmp/\S+", "…", line)
    return (line if len(line) < 160 else line[:159] + "…").replace("|", "¦").replace("`", "'")


def table(results: dict[str, dict[str, Any]]) -> str:
    """The page's part between the marks: how many run where, and a table below each heading."""
    lines, section, counted = [], "", {side: [0] * 4 for side in LIBRARIES}
    for row in rows():
        then = results["then"][row.name]
        cells = ["runs" if not str(then).startswith("failed with") else f"`{error_of(then)}`"]
        cells += [beside(results[side][row.name], then) for side in ("now", "here")]
        for side, cell in zip(LIBRARIES, cells, strict=True):
            kinds = (
                cell in ("equal", "runs"),
                cell.endswith(" apart") and cell[0].isdigit(),
                cell.startswith("another"),
            )
            counted[side][kinds.index(True) if any(kinds) else 3] += 1
        if row.section != section:
            section = row.section
            lines += ["", f"### {section}", "", "| | 4.12.5 | newest | minibert |", "|---|---|---|---|"]
        lines.append(f"| [{row.title}]({row.link}) | {' | '.join(cells)} |")
    head = [
        f"| of {len(rows())} | the same to the bit | within 10⁻⁵ | another result | an error |",
        "|---|--:|--:|--:|--:|",
    ]
    for side, (_, library) in LIBRARIES.items():
        name = "minibert" if side == "here" else f"{library} {results[side]['version']}"
        head.append(f"| {name} | {' | '.join(map(str, counted[side]))} |")
    return "\n".join(["", *head, *lines, "", ""])


def main() -> None:
    names = [row.name for row in rows()]
    with tempfile.TemporaryDirectory() as folder:
        chapter_checkpoints.write(Path(folder) / "chapter")
        results = {side: run(names, side, Path(folder)) for side in LIBRARIES}
    for side, (environment, library) in LIBRARIES.items():
        python = ROOT / environment / ("Scripts" if os.name == "nt" else "bin") / "python"
        code = f"import {library}; print({library}.__version__)"
        results[side]["version"] = subprocess.run(  # noqa: S603
            [str(python), "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ).stdout.strip()
    written = table(results)
    put_in_both(PAGE, written, in_chinese(written), marks=(BEGIN, END))
    for line in written.splitlines()[1:6]:
        print(line)


if __name__ == "__main__":
    main()
