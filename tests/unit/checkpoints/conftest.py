"""What tests of the hub share: a cache of their own, no sleeping between retries, no settings from outside."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.unit.checkpoints.hub_server import HubServer, Repository


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., HubServer]]:
    """Start a hub that holds the given repositories, and point the library at it until the test ends."""
    import huggingface_hub.constants

    for variable in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("time.sleep", lambda _: None)

    with ExitStack() as servers:

        def start(repositories: dict[str, Repository]) -> HubServer:
            server = servers.enter_context(HubServer(repositories))
            monkeypatch.setenv("HF_ENDPOINT", server.url)
            return server

        yield start
