"""Lets the tests import the helpers beside them and those of the live comparison."""

import sys
from pathlib import Path

import pytest
import torch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "live")]

# Only Linux tells a process how much memory it has touched without a further library.
collect_ignore = [] if sys.platform == "linux" else ["test_memory.py"]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Both libraries split their sums alike."""
    torch.set_num_threads(1)
