"""How docstrings become Markdown: an argument a line. An extension of griffe (`extensions:` in mkdocs.yml).

The docstrings here are written to be read in the code, where a line is a line; Markdown would run them together.
"""

import re
from typing import Any

from griffe import Extension, Object

BEGINS = re.compile(r"(?<=\S)\n(?=[\w*`., ]{1,60}: | *Returns | *Raises )")
ARGUMENTS = re.compile(r"^[a-z]\w*(?:, [a-z]\w*)*(?=: )", re.MULTILINE)


class Lines(Extension):
    """Break lines before `name: …`, Returns and Raises; print the names of arguments as code."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring:
            text = ARGUMENTS.sub(lambda names: "`" + names[0].replace(", ", "`, `") + "`", obj.docstring.value)
            obj.docstring.value = BEGINS.sub("  \n", text)
