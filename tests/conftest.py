"""One thread for every test: tiny tensors only wait for each other on more, on a busy machine ten times as long.

And no deadline for the examples of a law: the first of a kind loads libraries, and a busy machine is no mistake. The fast tests try
fewer examples of each. No test cuts the power of the machine it runs on, so none waits until the disk has everything.
"""

import gc
import os
import signal
from collections.abc import Iterator

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported; the processes that tests start have it too
os.environ.pop(
    "COLUMNS", None
)  # which a runner with several processes sets: a command's output is as wide here as in a pipe

os.environ["MINIBERT_LANG"] = "en"  # whatever the machine's locale is

import hypothesis
import pytest
import torch

import tests.forks  # noqa: F401  # every fork of a test has a lock of its own
from tests.jobs import FEW_SHARES, SHARES, in_shares, jobs_here

gc.disable()  # while tests are collected, whose million objects all stay

os.fsync = lambda _file: None

# A shell starts what runs behind `&` deaf to Ctrl-C, and the commands under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.register_profile("all", deadline=None)
    hypothesis.settings.register_profile("fast", deadline=None, max_examples=25)
    hypothesis.settings.load_profile("fast" if config.option.markexpr.startswith("not slow") else "all")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    few = all(argument.startswith("tests/parity") for argument in config.args)
    return jobs_here(FEW_SHARES if few else SHARES)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    long, short = ([item for item in items if bool(item.get_closest_marker("slow")) == slow] for slow in (True, False))
    long.sort(key=seconds_of, reverse=True)
    items[:] = in_shares(long, short, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_collection_finish() -> None:
    """Python's collector need not go through all of it again and again."""
    gc.freeze()
    gc.enable()


def seconds_of(item: pytest.Item) -> float:
    """What its mark says that a long test takes."""
    mark = item.get_closest_marker("slow")
    return mark.args[0] if mark and mark.args else 0


def settings() -> dict[str, object]:
    """Of PyTorch, for the whole process: what a test that changed one must have put back."""
    return {
        "default device or another function mode": torch._C._len_torch_function_stack(),
        "default dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "float32 products": torch.get_float32_matmul_precision(),
        "oneDNN": torch.backends.mkldnn.enabled,
    }


@pytest.fixture(autouse=True)
def one_thread_and_settings_put_back() -> Iterator[None]:
    """One thread is set again for each test, since some choose their own number."""
    torch.set_num_threads(1)
    before = settings()
    yield
    assert settings() == before
