"""The scripts of `chapter/`, each typed for transformers as a course types it, run with either library.

Only the import is changed. The scripts name checkpoints as the hub does; here folders of those names stand in the folder
that the environment variable MINIBERT_CHAPTER names, all written by minibert: so the old reference opens them too.
"""

from __future__ import annotations

import io
import os
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPTS = {path.stem: path for path in sorted(Path(__file__).with_name("chapter").glob("*.py"))}


def run_script(name: str, library_name: str) -> tuple[dict[str, Any], str]:
    """What a script leaves behind, by the names it gave, and what it printed."""
    text = SCRIPTS[name].read_text(encoding="utf-8").replace("from transformers import", f"from {library_name} import")
    if library_name == "transformers":
        # Its AutoTokenizer chooses the compiled tokenizer, which the old environment does without.
        text = text.replace("AutoTokenizer", "BertTokenizer")
    left: dict[str, Any] = {"__name__": "__main__"}
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(text, str(SCRIPTS[name]), "exec"), left)
    return left, printed.getvalue()


def chapter(name: str) -> Callable[[Any], dict[str, Any]]:
    """Every tensor the script leaves behind, lists of them too, and what it printed."""

    def program(library: Any) -> dict[str, Any]:
        with chdir(os.environ["MINIBERT_CHAPTER"]):
            left, printed = run_script(name, library.__name__)
        results: dict[str, Any] = {"printed": printed}
        for variable, value in left.items():
            for i, item in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(item, Tensor):
                    results[f"{variable} {i}"] = item.detach()
        return results

    return program


def all_programs() -> dict[str, Callable[[Any], dict[str, Any]]]:
    """Every program by name."""
    return {f"chapter: {name}": chapter(name) for name in SCRIPTS}
