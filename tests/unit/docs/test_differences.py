"""docs/differences.md says of every name and argument of 4.12.5's BERT that minibert has not that it is left out, and of no other."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from typing import Any

import pytest

import minibert
from minibert.tokenization.encoding import EncodeOptions
from tests.unit.docs.pages import DOCS, ROOT

THERE = json.loads((ROOT / "tests" / "fixtures" / "era_names.json").read_text(encoding="utf-8"))
PAGE = (DOCS / "differences.md").read_text(encoding="utf-8")
TABLE = PAGE.split("## Names and arguments that are left out")[1].split("\n## ")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines() if line.startswith("| `")]


def words(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def listed() -> list[tuple[str, str]]:
    """(owner, name) of every row; the names may have `*` for any text."""
    return [(owner, name) for row in ROWS for owner in words(row[0]) for name in words(row[1])]


@cache
def instance(owner: str) -> Any:
    """What has attributes that its class has not."""
    sizes = {
        "vocab_size": 9,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    }
    config = minibert.BertConfig(**sizes)
    if owner in ("BertTokenizer", "BertTokenizerFast"):
        return getattr(minibert, owner)({"[UNK]": 0, "[PAD]": 1})
    if owner == "EncoderDecoderConfig":
        return minibert.EncoderDecoderConfig.from_encoder_decoder_configs(config, config)
    made = {"BertConfig": config, "BertModel": minibert.BertModel(config), "BatchEncoding": minibert.BatchEncoding()}
    return made.get(owner)


def takes(function: Any, argument: str) -> bool:
    """Whether a function has the argument, or hands it on by name."""
    parameters = inspect.signature(function).parameters
    if argument in parameters or function.__qualname__ == "BertConfig.__init__":
        return True
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return False
    module = inspect.getsource(sys.modules[function.__module__])
    handed_on = ("minibert.model.pretrained", "minibert.config_files", "minibert.compat.era_generate")
    known = module + "".join(inspect.getsource(importlib.import_module(each)) for each in handed_on if find_spec(each))
    return argument in EncodeOptions._fields or bool(re.search(rf"\b{argument}: |\"{argument}\"", known))


def missing() -> Iterator[tuple[str, str]]:
    """(owner, name or name(argument)) of what 4.12.5 has and minibert has not."""
    for owner, names in THERE.items():
        if owner == "top level":
            yield from ((owner, name) for name in names if not hasattr_here(name))
            continue
        kind = getattr(minibert, owner, None)
        if kind is None:
            yield owner, owner
            continue
        has_instance = instance(owner) if inspect.isclass(kind) else None
        for name, there in names.items():
            function = (kind.__init__ if inspect.isclass(kind) else kind) if name == "()" else None
            if function is None:
                if not hasattr(kind, name) and not hasattr(has_instance, name):
                    yield owner, name
                    continue
                function = getattr(kind, name, None)
                function = getattr(function, "__func__", function)
            for argument in (there or ()) if inspect.isfunction(function) else ():
                if not takes(function, argument):
                    yield owner, f"{'' if name == '()' else name}({argument})"


def hasattr_here(name: str) -> bool:
    try:
        return hasattr(minibert, name)
    except ImportError:
        return False


@pytest.mark.seconds
@pytest.mark.parametrize("owner", THERE)
def test_everything_that_is_not_here_has_a_row(owner: str) -> None:
    rows = [name for of, name in listed() if fnmatchcase(owner, of)]
    unsaid = [name for of, name in missing() if of == owner and not any(fnmatchcase(name, row) for row in rows)]
    assert unsaid == []


@pytest.mark.seconds
@pytest.mark.parametrize(("owner", "name"), listed())
def test_no_row_names_what_is_here(owner: str, name: str) -> None:
    assert any(fnmatchcase(of, owner) and fnmatchcase(each, name) for of, each in missing())
