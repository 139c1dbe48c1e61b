"""Modules that had another name: a program that imports from one gets the same objects, and a warning that says where they are now.

Some names moved out of a module that is still there (`LEFT`), and some are called otherwise now (`RENAMED`). Modules of `transformers`
that a course imports from are there without a warning (`OF_THE_REFERENCE`).
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

MOVED = {
    "minibert.checkpoints.errors": ("minibert.checkpoints.files",),
    "minibert.checkpoints.reading": ("minibert.checkpoints.read",),
    "minibert.data.pretraining": ("minibert.compat.pretraining_batches", "minibert.data.pretraining_batches"),
    "minibert.data.tasks": ("minibert.tasks",),
    "minibert.generation_beam_search": ("minibert.compat.beam_scorer",),
    "minibert.generation_logits_process": ("minibert.generation.processors",),
    "minibert.generation_stopping_criteria": ("minibert.compat.stopping",),
    "minibert.generation_utils": ("minibert.compat.searches", "minibert.generation.processors"),
    "minibert.training.evaluation": ("minibert.training.pretraining_loss",),
    "minibert.training.memory": ("minibert.fast.memory",),
    "minibert.training.metrics": ("minibert.tasks.metrics",),
    "minibert.training.precision": ("minibert.training.distributed",),
    "minibert.training.run_checkpoints": ("minibert.training.run_files",),
    "minibert.training.run_log": ("minibert.training.run_files",),
    "minibert.training.world": ("minibert.training.distributed",),
}

_NETWORK, _TOKENIZER, _ALL = (
    "minibert.compat.modeling_bert",
    "minibert.compat.tokenization_bert",
    "minibert.public_names",
)
_AUTO = (".configuration_auto", ".modeling_auto", ".tokenization_auto")
OF_THE_REFERENCE = {
    "minibert.activations": ("minibert.model.activations",),
    "minibert.configuration_utils": (_ALL,),
    "minibert.data.data_collator": (_ALL,),
    "minibert.file_utils": (_ALL, _NETWORK),
    "minibert.modeling_outputs": ("minibert.outputs", _ALL),
    "minibert.modeling_utils": (_NETWORK, _ALL),
    **dict.fromkeys(("minibert.models", "minibert.models.bert", "minibert.models.encoder_decoder"), (_ALL,)),
    **dict.fromkeys((f"minibert.models.auto{name}" for name in ("", *_AUTO)), (_ALL,)),
    "minibert.models.bert.configuration_bert": ("minibert.config",),
    "minibert.models.bert.modeling_bert": (_NETWORK, _ALL),
    "minibert.models.bert.tokenization_bert": (_TOKENIZER,),
    "minibert.models.bert.tokenization_bert_fast": (_ALL,),
    "minibert.models.encoder_decoder.configuration_encoder_decoder": (_ALL,),
    "minibert.models.encoder_decoder.modeling_encoder_decoder": (_ALL,),
    "minibert.optimization": ("minibert.optim", _ALL),
    "minibert.tokenization_utils": (_TOKENIZER, _ALL),
    "minibert.tokenization_utils_base": (_TOKENIZER, _ALL),
    "minibert.tokenization_utils_fast": (_ALL,),
    "minibert.trainer_utils": ("minibert.optim", _ALL),
    "minibert.utils": (_ALL, _NETWORK),
    "minibert.utils.logging": ("minibert.compat.names:logging",),
    "minibert.utils.versions": ("minibert.compat.names",),
}

LEFT = {
    "minibert.training.finetuning": ("minibert.tasks", "minibert.training.prediction", "minibert.training.run_files")
}
RENAMED = {"KINDS": "TASKS", "kind_of": "task_of", "Passage": "TextExample", "TaskKind": "Task", "World": "Processes"}


def moved_name(module: str, attribute: str) -> Any:
    """What a module had under a name, from where it is now. Raises AttributeError, with the places, where nothing is."""
    if attribute.startswith("__"):  # asked for of every module, while others are half imported
        raise AttributeError(attribute)
    task = import_module("minibert.tasks.task").Task  # whose properties had other names, too
    task.decisive, task.learn = property(lambda self: self.selection_metric), lambda self, found: self.adapted_to(found)
    places = MOVED.get(module) or OF_THE_REFERENCE.get(module) or LEFT[module]
    for place in map(resolve_name, places):
        for name in (attribute, RENAMED.get(attribute, attribute)):
            if name in vars(place):  # no place is asked for what it knows from elsewhere in turn
                return vars(place)[name]
    raise AttributeError(f"module {module!r} has no attribute {attribute!r}; it is now {' and '.join(places)}.")


class MovedModules:
    """A finder and loader for `sys.meta_path`: asked only for modules that no file has."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """How to make a moved module; None for every other name."""
        if name not in MOVED and name not in OF_THE_REFERENCE:
            return None
        holds_others = any(other.startswith(f"{name}.") for other in OF_THE_REFERENCE)
        return spec_from_loader(name, self, is_package=holds_others)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """As usual."""

    def exec_module(self, module: ModuleType) -> None:
        """Give the module a `__getattr__` that looks where its names are now."""
        name = module.__name__
        if name in MOVED:
            warnings.warn(f"{name} is now {' and '.join(MOVED[name])}.", DeprecationWarning, stacklevel=2)
        else:
            there = vars(resolve_name(OF_THE_REFERENCE[name][0]))
            module.__dict__["__all__"] = there.get(
                "__all__", [each for each in there if each[0] != "_"]
            )  # for `import *`
        module.__dict__["__getattr__"] = partial(moved_name, name)


def find_moved_modules() -> None:
    """Let `import` find moved modules: last, after everything that has a file."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
