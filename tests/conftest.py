"""One thread for every test: tiny tensors only wait for each other on more, on a busy machine ten times as long.

And no deadline for the examples of a law: the first of a kind loads libraries, and a busy machine is no mistake.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported; the processes that tests start have it too

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("without a clock", deadline=None)
hypothesis.settings.load_profile("without a clock")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Set again for each test, since some choose their own number."""
    torch.set_num_threads(1)
