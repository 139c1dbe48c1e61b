"""What programs of the era call on a model, a config or a tokenizer, put on the core's classes: the core stays readable, and imports nothing."""

from typing import Any

ATTACHED: dict[type, dict[str, Any]] = {}
"""Class → name → function, property or value. Each file of `compat/` that has some is imported here and listed by class."""


def attach() -> None:
    """Give the classes what the era has; called once, when the first public name of minibert is imported."""
    for owner, found in ATTACHED.items():
        for name, value in found.items():
            setattr(owner, name, value)
