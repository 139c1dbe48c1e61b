"""Every program gives the same bits under minibert as under transformers 4.12.5, on this machine and this PyTorch."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import programs
import pytest
import torch
from torch import Tensor

import minibert

ROOT = Path(__file__).resolve().parents[3]
OLD_PYTHON = ROOT / ".venv-old" / ("Scripts" if os.name == "nt" else "bin") / "python"
PROGRAMS = programs.all_programs()


@pytest.fixture(scope="session")
def old_results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Tensor]]:
    """What the old reference returns for every program; it runs in a process and environment of its own."""
    python = Path(os.environ.get("MINIBERT_OLD_PYTHON", OLD_PYTHON))
    assert python.exists(), f"{python} is missing: `make parity` makes the environment of the old reference"
    out = tmp_path_factory.mktemp("old") / "results.pt"
    subprocess.run([python, Path(__file__).with_name("run.py"), "transformers", out], check=True)
    return torch.load(out)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_gives_the_bits_of_the_old_reference(name: str, old_results: dict[str, dict[str, Tensor]]) -> None:
    torch.set_num_threads(2)  # as run.py does: how a sum is split between threads changes its last bits
    expected = old_results[name]
    found = PROGRAMS[name](minibert)
    assert found.keys() == expected.keys()
    different = {
        key: float((found[key].double() - expected[key].double()).abs().max())
        for key in expected
        if found[key].shape != expected[key].shape or not torch.equal(found[key], expected[key])
    }
    assert not different
