"""Lets the tests import the helpers beside them, and reports the largest difference they met."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import side_by_side


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Tiny tensors only wait for each other on more."""
    torch.set_num_threads(1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The proof in one line: how far apart the two libraries ever were."""
    if side_by_side.SEEN:
        name, largest = max(side_by_side.SEEN.items(), key=lambda item: item[1])
        terminalreporter.write_line(f"largest difference to transformers: {largest:.1e}, in {name}")
