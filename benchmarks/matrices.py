"""How fast the machine multiplies matrices: by either of PyTorch's two libraries, in float32 and bfloat16. What all else is measured by.

A processor does not have one speed: on AMD's Zen 5, PyTorch's usual way for float32 (MKL) reaches less than half of what oneDNN does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest import mock

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from minibert.fast import linear_layers

from .harness import Work

ROWS, INPUTS, OUTPUTS = 1024, 768, 3072  # the widest layer of BERT-base over 8 × 128 positions
TURNS = 12
HEADER = f"| matrix products, {ROWS} × {INPUTS} × {OUTPUTS} | as `F.linear` does it | by oneDNN |\n|---|--:|--:|"


@cache
def rates(dtype: torch.dtype) -> list[float]:
    """Operations a second, a multiplication and an addition being two: of `F.linear`, and of oneDNN if it multiplies these, the shortest of some turns of each."""
    x, weight, bias = torch.randn(ROWS, INPUTS), torch.randn(OUTPUTS, INPUTS), torch.randn(OUTPUTS)
    tensors = [tensor.to(dtype) for tensor in (x, weight, bias)]
    ways = [F.linear]
    if linear_layers.onednn_is_there() and linear_layers.onednn_takes(dtype):
        ways.append(linear_layers.product)
    shortest = [float("inf")] * len(ways)
    with torch.inference_mode():
        for _ in range(TURNS):
            for number, way in enumerate(ways):
                began = time.perf_counter()
                way(*tensors)
                shortest[number] = min(shortest[number], time.perf_counter() - began)
    return [2 * ROWS * INPUTS * OUTPUTS / seconds for seconds in shortest]


def rows() -> Iterator[str]:
    """A row for each type."""
    for dtype in (torch.float32, torch.bfloat16):
        by_linear, *by_onednn = (f"{rate / 1e9:,.0f} GFLOP/s" for rate in rates(dtype))
        yield f"| {str(dtype).removeprefix('torch.')} | {by_linear} | {by_onednn[0] if by_onednn else '—'} |"


def operations(work: Work) -> int:
    """Those of its matrix products, gradients included. They are counted as PyTorch's own operators, which its counter knows."""
    with plain_products(), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


@contextmanager
def plain_products() -> Iterator[None]:
    """Within, `fast.linear` leaves all products to `F.linear`."""
    with mock.patch.object(linear_layers, "for_onednn", return_value=None):
        yield
