"""How docstrings become Markdown: an argument a line. An extension of griffe (`extensions:` in mkdocs.yml).

The docstrings here are written to be read in the code, where a line is a line; Markdown would run them together.
"""

import re
from typing import Any

from griffe import Extension, Object

BEGINS = re.compile(r"(?<=\S)\n(?=[\w*`., ]{1,60}: | *Returns | *Raises )")
NAMES = r"[a-z]\w*(?:, [a-z]\w*)*(?=: )"
ARGUMENTS = re.compile(rf"^(?:- )?{NAMES}", re.MULTILINE)
GROUP = re.compile(r"^(\w[\w' ]*)\n((?: {4}.*\n?)+)", re.MULTILINE)
"""A line of words, and indented lines below it without a gap: a group of arguments and what it is called."""
NEXT = re.compile(rf"\s*\n\s*(?={NAMES})|(?<=\.) (?={NAMES})")


class Lines(Extension):
    """Break lines before `name: …`, Returns and Raises; make lists of groups; print the names of arguments as code."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring:
            text = GROUP.sub(listed, obj.docstring.value)
            text = ARGUMENTS.sub(as_code, text)
            obj.docstring.value = BEGINS.sub("  \n", text)


def listed(group: re.Match[str]) -> str:
    """A group as a list under its name, an argument a point."""
    points = (" ".join(point.split()) for point in NEXT.split(group[2].strip()))
    return "\n".join([f"\n**{group[1]}**\n", *(f"- {point}" for point in points), ""])


def as_code(names: re.Match[str]) -> str:
    """`- a, b` with each of the names as code."""
    return re.sub(r"\w+", r"`\g<0>`", names[0])
