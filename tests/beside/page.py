"""The programs of docs/beside.md, as the page has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "beside.md"


def programs() -> dict[str, str]:
    """Section → its program."""
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        section.partition("\n")[0]: code
        for section in sections
        for code in re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    }


def run(section: str) -> dict[str, Any]:
    """Run a section's program in the current folder and return its names."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(programs()[section], f"{PAGE.name}: {section}", "exec"), names)
    return names
