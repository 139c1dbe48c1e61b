"""minibert: BERT from scratch in plain PyTorch."""

from .version import __version__

__all__ = ["__version__"]
