"""The site as `make docs` built it. These tests are run by `make test-docs`, after the build."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.microscope.browser import Browser, browser

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site() -> Path:
    site = ROOT / "build" / "site"
    assert (site / "index.html").is_file(), "There is no site yet: run `make docs`."
    return site


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as window:
        yield window
