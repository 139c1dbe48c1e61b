"""Grade a BERT in this process: texts in place of files, and an alarm where a loop never ends."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F

from course.checking import PASSED, WRONG
from course.ladder.dropping import install
from course.ladder.grading import grade
from course.ladder.parts import PARTS, find_part
from course.ladder.result import Result

# Of the processor, so that a busy machine changes nothing. A right BERT takes hundredths of one for its words, one for its dearest part.
SECONDS = 12
SECONDS_FOR_WORDS = 2


def opened(my_bert: str, adapters: str) -> dict[str, Any]:
    """The names of adapters.py beside this my_bert.py."""
    for name, text in (("my_bert", my_bert), ("adapters", adapters)):
        module = ModuleType(name)
        sys.modules[name] = module
        exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    return sys.modules["adapters"].__dict__


@contextlib.contextmanager
def noted_dropout() -> Iterator[None]:
    """Inside, PyTorch's dropout is the one that can be noted; afterwards it is PyTorch's own again, which other tests need."""
    kept = torch.dropout, F.dropout, F.scaled_dot_product_attention
    install()
    try:
        yield
    finally:
        torch.dropout, F.dropout, F.scaled_dot_product_attention = kept


def grade_of(my_bert: str, adapters: str, part: str) -> Result:
    """The grade of one part."""
    signal.signal(signal.SIGVTALRM, _ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_FOR_WORDS if part == "wordpiece" else SECONDS)
    try:
        with tempfile.TemporaryDirectory() as folder, noted_dropout():
            return grade(find_part(part), opened(my_bert, adapters), Path(folder))
    except Exception as error:  # at the top of a file
        return Result(part, WRONG, str(error), blamed=part)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def first_that_fails(my_bert: str, adapters: str, changed: str = "") -> Result | None:
    """The first grade that is not passed, or None. changed: try only this part and those that stand on it: the others are right."""
    for part in PARTS:
        if changed in ("", part.name, *part.stands_on):
            found = grade_of(my_bert, adapters, part.name)
            if found.status != PASSED:
                return found
    return None


def _ring(*_: Any) -> None:
    raise TimeoutError("It is still running.")
