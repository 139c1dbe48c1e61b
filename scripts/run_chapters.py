"""Run the chapters of the course and turn what they showed into Markdown, for the site.

A chapter is run as a notebook, in a folder of its own, without the network. What it gave is kept in build/executed under a
name that stands for everything it was made of, so that nothing there can go stale: the chapter's code, what it imports, the library
and the weights. Its prose is always that of now.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from subprocess import DEVNULL

import jupytext
import nbformat
import torch
from nbclient import NotebookClient
from nbformat import NotebookNode

from scripts.links import ROOT, TUTORIALS

KEPT = ROOT / "build" / "executed"
AT_ONCE = 2
PICTURE = re.compile(r'show\(\s*figure,\s*"(.+?)"')
SECONDS = 300  # for a cell, on a busy machine
SETTINGS = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def run_all(chapters: list[Path]) -> list[NotebookNode]:
    """Every chapter with its output. Raises CellExecutionError where a cell fails."""
    imported = [
        *TUTORIALS.rglob("bert*.py"),
        *(TUTORIALS / "course").glob("*.py"),
        *(TUTORIALS / "samples").glob("*.*"),
    ]
    library = fingerprint([*(ROOT / "minibert").rglob("*.py"), *(ROOT / "weights").rglob("*.*"), *imported])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(partial(run, library=library), chapters))


def fingerprint(files: Iterable[Path]) -> str:
    """A number that is another when a byte of any file is, or the version of torch."""
    digest = hashlib.sha256(torch.__version__.encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def run(chapter: Path, library: str) -> NotebookNode:
    """The chapter with its output: kept from before, or run now."""
    notebook = jupytext.read(chapter)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    sources = hashlib.sha256("\0".join(cell.source for cell in code).encode())
    name = "-".join([*chapter.parent.relative_to(TUTORIALS).parts, chapter.stem])
    kept = KEPT / f"{name}-{sources.hexdigest()[:16]}-{library[:16]}.ipynb"
    if kept.exists():
        before = [cell for cell in nbformat.read(kept, as_version=4).cells if cell.cell_type == "code"]
        for cell, run_before in zip(code, before, strict=True):
            cell.update(outputs=run_before.outputs, execution_count=run_before.execution_count)
        return notebook
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=SECONDS, resources=resources, coalesce_streams=True)
        # What stands beside a chapter can be imported, as in Jupyter; and the library is that of this checkout, wherever one is installed.
        paths = os.pathsep.join([str(chapter.parent), str(TUTORIALS), str(ROOT)])
        # Only the kernel's own complaints are dropped; what cells write to standard error is output.
        client.execute(env={**os.environ, **SETTINGS, "PYTHONPATH": paths}, stderr=DEVNULL)
    KEPT.mkdir(parents=True, exist_ok=True)
    for old in KEPT.glob(f"{name}-*.ipynb"):
        old.unlink()
    unfinished = kept.with_suffix(".unfinished")
    nbformat.write(notebook, unfinished)
    os.replace(unfinished, kept)
    return notebook


def as_markdown(notebook: NotebookNode) -> tuple[str, dict[str, str]]:
    """The page, and its pictures in base64 by the names under which the page shows them.

    A picture's text is what the chapter says is seen in it.
    """
    parts: list[str] = []
    pictures: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(fenced(cell.source, "python"))
        for output in cell.outputs:
            if output.output_type == "stream":
                parts.append(fenced(output.text, "text .output"))
            elif "image/png" in output.data:
                (name,) = PICTURE.findall(cell.source)
                pictures[f"{name}.png"] = output.data["image/png"]
                seen = re.sub(r"([\\\[\]])", r"\\\1", output.metadata["image/png"]["alt"])
                parts.append(f"![{seen}]({name}.png)")
            else:
                parts.append(fenced(output.data["text/plain"], "text .output"))
    return "\n\n".join(parts), pictures


def fenced(text: str, language: str) -> str:
    """Text as a block of code. Four marks, for there may be three in the text."""
    return f"````{{.{language}}}\n{text.rstrip()}\n````"
