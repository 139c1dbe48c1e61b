"""Lets the tests import the helpers beside them, and reports the largest difference they met."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import side_by_side

from tests.jobs import jobs_here


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Tiny tensors only wait for each other on more."""
    torch.set_num_threads(1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Each of the processes imports transformers, which takes as long as a good part of the tests."""
    return min(jobs_here(), 6)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes hands on what it saw."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["seen"] = side_by_side.SEEN


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    side_by_side.SEEN.update(getattr(node, "workeroutput", {}).get("seen", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The proof in one line: how far apart the two libraries ever were."""
    if side_by_side.SEEN:
        name, largest = max(side_by_side.SEEN.items(), key=lambda item: item[1])
        terminalreporter.write_line(f"largest difference to transformers: {largest:.1e}, in {name}")
