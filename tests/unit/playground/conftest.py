"""The bundled model's page, written once, and opened anew for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from minibert.cli import main
from tests.unit.microscope.browser import Browser, browser

from .in_browser import settled


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "playground.html"
    result = CliRunner().invoke(main, ["playground", "--out", str(path)])
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as window:
        window.ask("POST", "/goog/cdp/execute", cmd="Network.enable", params={})
        nothing = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        window.ask("POST", "/goog/cdp/execute", cmd="Network.emulateNetworkConditions", params=nothing)
        yield window


@pytest.fixture
def page(window: Browser, bundled: Path) -> Iterator[Browser]:
    """The bundled model's page, newly opened; it asked for nothing and complained about nothing."""
    window.resize(1280, 900)
    window.open(bundled)
    settled(window)
    yield window
    assert (
        window.run(
            "return performance.getEntriesByType('resource').filter(each => !each.name.startsWith('blob:')).map(each => each.name)"
        )
        == []
    )
    assert window.console() == []
    window.run("localStorage.clear()")  # what a reader has chosen is kept, but not for the next test
