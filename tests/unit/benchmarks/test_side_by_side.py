"""A row of the first table of `make bench`: medians, the ratio to the faster of two, and the share of the machine's rate."""

from __future__ import annotations

import importlib

import pytest
import torch
from torch import nn

from benchmarks.__main__ import TABLES
from benchmarks.matrices import operations
from benchmarks.side_by_side import HEADER, SideBySide
from minibert import fast
from minibert.fast import linear_layers

TIMES = {
    "plain": [4.0, 4.0, 4.0],
    "fast": [2.0, 1.0, 2.0],
    "transformers eager": [9.0, 9.0, 9.0],
    "transformers sdpa": [6.0, 8.0, 6.0],
}


def test_the_fast_way_is_compared_with_the_faster_of_the_others_round_by_round() -> None:
    row = SideBySide("a forward", TIMES, share=0.834)
    assert row.ratios == [3.0, 8.0, 3.0]
    cells = "| a forward | 4.00 s | 2.00 s | 9.00 s | 6.00 s | **3.00×** | 3.00–8.00 | 83% |"
    assert str(row) == cells
    assert str(row).count("|") == HEADER.partition("\n")[0].count("|")


def test_one_round_is_enough_for_a_row() -> None:
    assert "**3.00×** | 3.00–3.00" in str(SideBySide("a", {name: each[:1] for name, each in TIMES.items()}, 0.5))


def test_operations_are_those_of_products_and_gradients_whichever_library_computes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(linear_layers, "SMALLEST", 1)
    monkeypatch.setattr(linear_layers, "measured", lambda *_args, **_sizes: True)
    layer, x = nn.Linear(8, 4), torch.randn(3, 8)

    def work() -> None:
        with fast.linear(layer):
            layer(x).sum().backward()

    assert operations(work) == 2 * (2 * 3 * 8 * 4)  # forward, and the weight's gradient; x wants none


def test_every_benchmark_of_the_tables_is_there() -> None:
    for header, names in TABLES:
        assert header.startswith("| ")
        for name in names:
            assert callable(importlib.import_module(f"benchmarks.{name}").rows)
