"""Instruments: what happens inside a BERT, and where two of them diverge."""

from .compare import compare
from .trace import trace

__all__ = ["compare", "trace"]
