"""Opening a checkpoint reads each weight once, into memory of its own; the first forward has nothing left to read."""

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


def test_opening_takes_the_memory_of_the_weights_once(growth: dict[str, dict[str, float]]) -> None:
    """No second copy meanwhile, and no pages of the file: it is read, not mapped."""
    assert 0.95 < growth["opening"]["VmHWM"] < 1.15
    assert 0.95 < growth["opening"]["RssAnon"] < 1.15


def test_a_first_forward_takes_next_to_none(growth: dict[str, dict[str, float]]) -> None:
    for measure in ("VmHWM", "VmRSS", "RssAnon"):
        assert growth["first forward"][measure] - growth["opening"][measure] < 0.05
