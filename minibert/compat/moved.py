"""Modules that had another name: a program that imports from one gets the same objects, and a warning that says where they are now.

Some names moved out of a module that is still there (`LEFT`), and some are called otherwise now (`RENAMED`).
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
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
    places = MOVED.get(module) or LEFT[module]
    for place in map(import_module, places):
        for name in (attribute, RENAMED.get(attribute, attribute)):
            if name in vars(place):  # no place is asked for what it knows from elsewhere in turn
                return vars(place)[name]
    raise AttributeError(f"module {module!r} has no attribute {attribute!r}; it is now {' and '.join(places)}.")


class MovedModules:
    """A finder and loader for `sys.meta_path`: asked only for modules that no file has."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """How to make a moved module; None for every other name."""
        return spec_from_loader(name, self) if name in MOVED else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """As usual."""

    def exec_module(self, module: ModuleType) -> None:
        """Give the module a `__getattr__` that looks where its names are now."""
        name, places = module.__name__, MOVED[module.__name__]
        warnings.warn(f"{name} is now {' and '.join(places)}.", DeprecationWarning, stacklevel=2)
        module.__dict__["__getattr__"] = partial(moved_name, name)


def find_moved_modules() -> None:
    """Let `import` find moved modules: last, after everything that has a file."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
