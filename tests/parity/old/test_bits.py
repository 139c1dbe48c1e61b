"""Every program gives the same bits under minibert as under transformers 4.12.5, on this machine and this PyTorch."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import run
import torch
from torch import Tensor

import minibert
from tests.parity.old import finetuning_files
from tests.unit import chapter_checkpoints

ROOT = Path(__file__).resolve().parents[3]
OLD_PYTHON = ROOT / ".venv-old" / ("Scripts" if os.name == "nt" else "bin") / "python"


@pytest.fixture(scope="session")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What minibert and the old reference return for the programs selected.

    The old reference runs in an environment of its own, at the same time as minibert does here.
    """
    python = Path(os.environ.get("MINIBERT_OLD_PYTHON", OLD_PYTHON))
    assert python.exists(), f"{python} is missing: `make parity` makes the environment of the old reference"
    folder = tmp_path_factory.mktemp("old")
    chapter_checkpoints.write(folder / "chapter")
    finetuning_files.write(folder / "finetuning")
    selected = [item.callspec.params["name"] for item in request.session.items if item.path == Path(__file__)]
    (folder / "names").write_text("\n".join(selected), encoding="utf-8")
    command = [python, Path(__file__).with_name("run.py"), "transformers", folder / "names", folder / "results.pt"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIBERT_CHAPTER", str(folder / "chapter"))
        patch.setenv("MINIBERT_FINETUNING", str(folder / "finetuning"))
        with subprocess.Popen(command) as old:
            ours = run.run(minibert, selected)
    assert old.returncode == 0
    return ours, torch.load(folder / "results.pt")


def same(found: Any, expected: Any) -> bool:
    """Equal: tensors in dtype, shape and every bit."""
    if isinstance(expected, Tensor):
        return isinstance(found, Tensor) and found.dtype == expected.dtype and torch.equal(found, expected)
    return found == expected


def difference(found: Any, expected: Any) -> Any:
    """How far apart two tensors are, for the message; of other values, both."""
    if isinstance(expected, Tensor) and isinstance(found, Tensor) and found.shape == expected.shape:
        return float((found.double() - expected.double()).abs().max())
    return found, expected


@pytest.mark.parametrize("name", run.all_programs())
def test_program_gives_the_bits_of_the_old_reference(name: str, results: tuple[dict[str, Any], dict[str, Any]]) -> None:
    found, expected = (side[name] for side in results)
    assert not isinstance(expected, str), expected
    assert not isinstance(found, str), found
    if not isinstance(expected, dict):
        assert same(found, expected)
        return
    assert found.keys() == expected.keys()
    assert not {key: difference(found[key], expected[key]) for key in expected if not same(found[key], expected[key])}
