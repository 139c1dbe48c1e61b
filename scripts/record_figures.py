"""Record what transformers 4.12.5 computes, as small figures: python scripts/record_figures.py

Run it in the environment that `scripts/old_reference.py` makes. It writes tests/parity/recorded/model_figures.json; the
test beside that file runs the same programs with minibert. They are a part of those that `make parity` compares bit by
bit: every class with every kind of positions, outputs and gradients, with dropout and without, and three classes
trained for 100 steps.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.parity.old import programs

FIGURES = Path(__file__).resolve().parents[1] / "tests" / "parity" / "recorded" / "model_figures.json"
# Not BertForQuestionAnswering: softmax ignores its bias, so that the bias's gradient is rounding alone, other on every
# processor, and a hundred steps of Adam make it 1e-5.
TRAINED = ("BertForPreTraining", "BertForSequenceClassification", "BertForTokenClassification")
PROGRAMS = [
    *(
        f"{class_name}: {position}, gelu, {mode}"
        for class_name, position, mode in itertools.product(programs.CLASSES, programs.POSITIONS, ("eval", "train"))
    ),
    *(f"{class_name}: 100 steps" for class_name in TRAINED),
]


def figures_of(library: Any, name: str) -> dict[str, list[Any]]:
    """What stands for each tensor that a program returns: its shape, mean, norm, first and last number.

    Left out: the tuple form of the outputs, which holds the same tensors once more, and the counter of positions.
    """
    torch.set_num_threads(1)
    results = programs.all_programs()[name](library).items()
    return {key: summary(t) for key, t in results if t.is_floating_point() and not key.startswith("tuple ")}


def summary(tensor: Tensor) -> list[Any]:
    """[shape, mean, norm, first, last], in eight digits: one more than float32 holds."""
    numbers = tensor.double().flatten()
    values = (numbers.mean(), numbers.norm(), numbers[0], numbers[-1])
    return [list(tensor.shape), *(float(f"{value:.8g}") for value in values)]


def main() -> None:
    import transformers

    recorded = {name: figures_of(transformers, name) for name in PROGRAMS}
    lines = [f"{json.dumps(name)}: {json.dumps(tensors, separators=(',', ':'))}" for name, tensors in recorded.items()]
    text = (
        f'{{"recorded from": "transformers {transformers.__version__}", "programs": {{\n' + ",\n".join(lines) + "\n}}\n"
    )
    temporary = FIGURES.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, FIGURES)


if __name__ == "__main__":
    main()
