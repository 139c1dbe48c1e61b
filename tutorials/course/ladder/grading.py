"""A part on all its cases; where one fails, which part is to blame.

A part runs on the student's own earlier ones, so it may be theirs that is wrong. Then each earlier part is given, by itself, what the
library's parts before it would have given it at this very place. The first that answers wrongly is at fault; if none does, the part is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..checking import BLANK, PASSED, WRONG
from .cases import KINDS, Case, cases_of, inner_cases
from .file_part import check_files, inner_cases_of_files
from .judge import Finding, StudentError, judge
from .optimizer_part import check_optimizer, check_steps
from .parts import Part
from .probing import where_it_is_right
from .result import Result
from .student import adapter
from .text_part import check_words
from .training_part import check_training, gradients_of_training, inner_cases_of_training


def grade(part: Part, adapters: Mapping[str, Any], folder: Path) -> Result:
    """Grade one part. folder: for files that the part is to open."""
    torch.manual_seed(0)
    torch.set_deterministic_debug_mode("default")
    try:
        found, cases = _try_all(part, dict(adapters), folder)
    except NotImplementedError as blank:
        return Result(part.name, BLANK, str(blank))
    if not found.wrong:
        return Result(part.name, PASSED, "", "", found.apart, found.gradient_apart, found.bits)
    blamed, hint = part.name, found.wrong
    if earlier := _earlier_fault(part, dict(adapters), cases):
        blamed, hint = earlier
    return Result(part.name, WRONG, hint, blamed, found.apart, found.gradient_apart)


def _try_all(part: Part, adapters: dict[str, Any], folder: Path) -> tuple[Finding, Iterable[Case]]:
    """The first finding that is wrong, or one for all; and where to look for the fault of an earlier part."""
    functions = [adapter(adapters, name) for name in part.adapters]
    if part.name in KINDS:
        return _try_cases(part, functions[0])
    try:
        if part.name == "wordpiece":
            return check_words(functions[0]), ()
        if part.name == "load":
            return check_files(functions[0], folder), inner_cases_of_files()
        if part.name == "optimizer":
            return check_optimizer(functions[0], functions[1]), ()
        return check_training(functions[0]), inner_cases_of_training()
    except StudentError as error:
        inner = {"load": inner_cases_of_files, "train": inner_cases_of_training}.get(part.name)
        return Finding(str(error)), inner() if inner else ()


def _try_cases(part: Part, make: Any) -> tuple[Finding, Iterable[Case]]:
    whole = Finding()
    for number, case in enumerate(cases_of(part.name)):
        found = judge(case, make)
        if found.wrong:
            probed = where_it_is_right(case, make) if found.numbers else ""
            look = f" All before it is right, so look at {case.look}." if number and case.look else ""
            return replace(found, wrong=f"{case.said}: {found.wrong}{probed}{look}"), inner_cases(case)
        whole = Finding(
            "",
            max(whole.apart, found.apart),
            max(whole.gradient_apart, found.gradient_apart),
            whole.bits and found.bits,
        )
    return whole, ()


def _earlier_fault(part: Part, adapters: dict[str, Any], cases: Iterable[Case]) -> tuple[str, str] | None:
    """The earlier part at fault and what is wrong with it, or None."""
    try:
        for case in cases:
            found = judge(case, adapter(adapters, case.part))
            if found.wrong:
                return case.part, f"{case.said}: {found.wrong}"
        if part.name == "train":
            weights, gradients = gradients_of_training()
            found = check_steps(adapter(adapters, "optimizer"), weights, gradients)
            if found.wrong:
                return "optimizer", found.wrong
    except (NotImplementedError, StudentError):
        return None
    return None
