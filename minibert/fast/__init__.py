"""Every acceleration, asked for by name. Nothing in the core knows of this folder."""

from .packing import packed

__all__ = ["packed"]
