"""torch.export writes a program that takes any batch and length."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

from minibert.outputs import SequenceClassifierOutput
from tests.beside.page import run


def test_the_saved_program_gives_the_models_numbers_for_other_batches_and_lengths(tmp_path: Path) -> None:
    names = run("torch.export")
    longest = "word " * 400
    for texts in (["He shook his head."], ["No.", "She opened the door.", "A ship."] * 5, [longest, "No."]):
        inputs = names["tokenizer"](texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        found = names["exported"](**inputs)
        assert isinstance(found, SequenceClassifierOutput)
        assert list(found) == ["logits"]
        with torch.no_grad():
            torch.testing.assert_close(found.logits, names["model"](**inputs).logits, atol=1e-5, rtol=0)
    program = "import torch, minibert.outputs; print(type(torch.export.load('bert.pt2').module()).__name__)"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)
