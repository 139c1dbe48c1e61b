"""A plugin of pytest: how long each test took that passed, in build/coverage/times.json."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

TIMES = Path("build/coverage/times.json")
times: dict[str, float] = defaultdict(float)
unfit: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    times[report.nodeid] += report.duration
    if not report.passed:
        unfit.add(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):  # one of several processes; the first hears of every test
        return
    TIMES.parent.mkdir(parents=True, exist_ok=True)
    TIMES.write_text(json.dumps({test: round(time, 4) for test, time in times.items() if test not in unfit}))
