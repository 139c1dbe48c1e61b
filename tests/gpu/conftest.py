"""On a GPU, the numbers of the CPU and of the newest transformers. Without a GPU all of it is skipped: `make test-gpu` where there is one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(
    0, str(Path(__file__).parents[1] / "parity" / "live")
)  # the table of models, and both libraries side by side


@pytest.fixture(autouse=True)
def _on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("There is no GPU.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which card it was."""
    if torch.cuda.is_available():
        terminalreporter.write_line(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}")
