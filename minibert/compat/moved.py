"""Modules that had another name: a program that imports from one gets the same objects, and a warning that says where they are now."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

MOVED = {
    "minibert.checkpoints.errors": ("minibert.checkpoints.files",),
    "minibert.checkpoints.reading": ("minibert.checkpoints.read",),
    "minibert.data.pretraining": ("minibert.data.pretraining_batches",),
    "minibert.data.tasks": ("minibert.tasks",),
    "minibert.training.evaluation": ("minibert.training.pretraining_loss",),
    "minibert.training.memory": ("minibert.fast.training",),
    "minibert.training.metrics": ("minibert.tasks.metrics",),
    "minibert.training.precision": ("minibert.training.distributed",),
    "minibert.training.run_checkpoints": ("minibert.training.run_files",),
    "minibert.training.run_log": ("minibert.training.run_files",),
    "minibert.training.world": ("minibert.training.distributed",),
}


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

        def find(attribute: str) -> Any:
            for place in map(import_module, places):
                if hasattr(place, attribute):
                    return getattr(place, attribute)
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}; it is now {' and '.join(places)}.")

        module.__dict__["__getattr__"] = find


def find_moved_modules() -> None:
    """Let `import` find moved modules: last, after everything that has a file."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
