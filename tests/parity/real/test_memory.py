"""Opening a checkpoint copies nothing: the file is mapped, and the first forward makes the one copy there will be."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from trained import MINILM

PROGRAM = """
import json, pathlib, re, sys
import torch
from minibert import BertConfig, BertModel

def memory():
    status = pathlib.Path("/proc/self/status").read_text()
    return {name: int(re.search(name + r":\\s+(\\d+) kB", status)[1]) * 1024 for name in ("VmHWM", "VmRSS", "RssAnon")}

def forward(model):
    with torch.no_grad():
        model(torch.tensor([[1, 2, 3]]))

torch.set_num_threads(1)
tiny = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
forward(BertModel(BertConfig(**tiny)))  # what PyTorch needs once, whatever the model
before = memory()
model = BertModel.from_pretrained(sys.argv[1])
opened = memory()
forward(model)
used = memory()
json.dump({
    "weights": sum(parameter.nbytes for parameter in model.parameters()),
    "opening": {name: opened[name] - before[name] for name in before},
    "first forward": {name: used[name] - before[name] for name in before},
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def growth() -> dict[str, dict[str, float]]:
    """How much a process of its own grows, in copies of the weights: VmHWM its peak, VmRSS what it holds."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, MINILM], capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout)
    weights = measured.pop("weights")
    assert weights > 80_000_000
    return {when: {name: size / weights for name, size in sizes.items()} for when, sizes in measured.items()}


def test_opening_takes_no_memory_for_the_weights(growth: dict[str, dict[str, float]]) -> None:
    assert growth["opening"]["VmHWM"] < 0.2


def test_after_the_first_forward_there_is_one_copy(growth: dict[str, dict[str, float]]) -> None:
    assert 0.9 < growth["first forward"]["VmRSS"] < 1.25
    assert 0.9 < growth["first forward"]["RssAnon"] < 1.25


def test_meanwhile_the_only_other_pages_are_the_files_own(growth: dict[str, dict[str, float]]) -> None:
    """They are the system's to take back: read from the file, never written."""
    assert growth["first forward"]["VmHWM"] < 2.25
