"""The local hub of the checkpoint tests, here too."""

from tests.unit.checkpoints.conftest import serve

__all__ = ["serve"]
