"""What a run says: JSON lines in a file for programs, a bar and a few sentences on a terminal for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..checkpoints import write_text_atomically


class RunLog:
    """The log of a run. Each line has a `step`; a resumed run drops the lines of steps it will take again.

    quiet: neither write nor speak; of several processes all but one are.
    """

    def __init__(self, path: Path, steps: int, first: int = 0, quiet: bool = False):
        self.path = path
        self.quiet = quiet
        if path.is_file() and not quiet:
            self._forget_from(first)
        self.bar = tqdm(total=steps, initial=first, unit=" steps", disable=True if quiet else None, leave=False)

    def _forget_from(self, step: int) -> None:
        kept = [json.dumps(line) + "\n" for line in read_log(self.path) if 0 < step >= line["step"]]
        write_text_atomically(self.path, "".join(kept))

    def write(self, step: int, **figures: Any) -> None:
        """Add a line."""
        if self.quiet:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **figures}) + "\n")

    def show(self, step: int, text: str) -> None:
        """Move the bar."""
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(step - self.bar.n)

    def say(self, text: str) -> None:
        """A sentence for people."""
        if not self.quiet:
            tqdm.write(text)

    def close(self) -> None:
        """Take the bar away."""
        self.bar.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log; a last line that was cut off by a kill is left out."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return lines
