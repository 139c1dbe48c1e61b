"""One thread for every test: tiny tensors only wait for each other on more, on a busy machine ten times as long."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Set again for each test, since some choose their own number."""
    torch.set_num_threads(1)
