"""A few vectors by a model's matrices, in the way that is fastest there: up to three times as fast as `nn.Linear`.

Such products are mostly the reading of weights, and PyTorch's usual kernel reads them slowly for a few vectors. The other ways:

* the vectors as columns of one matrix, W Xᵀ + b instead of X Wᵀ + b;
* oneDNN, with W as it lies or in a layout of its own, in blocks;
* W column by column, as a weighted sum of vectors: for a single one.

Which is the fastest depends on the processor, the number of vectors and the sizes, so that it is measured, in a tenth of a second
once in a process for such matrices. No reference class: ours.
"""

import math
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import accumulate
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model.activations import Activation, gelu
from .blocks import COPIES, blocks_are_there, in_blocks
from .linear_layers import CLEARLY, for_onednn, onednn_is_there, product

FEW_ROWS = 32  # beyond, X Wᵀ is fast enough
FEW_PRODUCTS = 24  # for fewer, a copy of the weights is not worth its making
MEASURED = 1 << 25  # bytes; the first matrices of a model, up to these, are measured by
TURNS, PASSES = 4, 3
MOST_PARTS = 16  # of a sum
Multiply = Callable[[Tensor, Tensor, Tensor], Tensor]  # x, W, b → x Wᵀ + b


class Projection:
    """W x + b, (rows, in) → (rows, out), by one linear layer or by several of the same input, side by side; then the activation, if there is one."""

    multiply: Multiply

    def __init__(self, *linears: nn.Linear, activation: Activation | None = None):
        several = len(linears) > 1
        self.weight = torch.cat([linear.weight for linear in linears]) if several else linears[0].weight
        self.bias = torch.cat([linear.bias for linear in linears]) if several else linears[0].bias
        self.with_gelu = activation is gelu
        self.activation = None if self.with_gelu else activation
        self.multiply_by(USUAL)

    def multiply_by(self, way: "Way") -> None:
        """Multiply in this way from now on."""
        self.weight = way.layout(self.weight) if way.layout else self.weight
        self.multiply = way.multiply_then_gelu if self.with_gelu else way.multiply

    def __call__(self, x: Tensor) -> Tensor:
        y = self.multiply(x, self.weight, self.bias)
        return y if self.activation is None else self.activation(y)


class Way(NamedTuple):
    """A way to multiply a few rows. layout: makes the copy of W that it takes."""

    multiply: Multiply
    multiply_then_gelu: Multiply
    layout: Callable[[Tensor], Tensor] | None = None


def then_gelu(multiply: Multiply, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """gelu(x Wᵀ + b), which oneDNN does in one pass, and the others in two."""
    y = multiply(x, weight, bias)
    # Of a matrix that lies transposed PyTorch takes gelu itself; of another oneDNN does, which takes four times as long to begin.
    return gelu(y.view(2, -1).t()).t().reshape(y.shape) if y.numel() % 2 == 0 else gelu(y)


def vectors_as_columns(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x Wᵀ + b for a few rows of x: W xᵀ + b, turned around."""
    # One column would go to the slow kernel for a single vector: twice the same is quicker.
    columns = torch.cat([x, x]).t() if x.size(0) == 1 else x.t()
    return torch.addmm(bias[:, None], weight, columns).t()[: x.size(0)].contiguous()


def by_columns(weight: Tensor) -> Tensor:
    """Wᵀ, (in, out), so that a column of W is a vector in memory."""
    return weight.t().contiguous()


def sum_of_columns(x: Tensor, columns: Tensor, bias: Tensor) -> Tensor:
    """x Wᵀ + b as Σᵢ xᵢ W[:, i] + b, a weighted sum of vectors, for which `embedding_bag` is made. columns: Wᵀ, (in, out)."""
    rows, inputs = x.shape
    indices, starts, owners = bags(rows, inputs, torch.get_num_threads())
    if rows > 1:  # bag by bag
        x = x.view(rows, -1, inputs * rows // starts.size(0)).transpose(0, 1)
    sums = torch.embedding_bag(columns, indices, starts, mode=0, per_sample_weights=x.reshape(-1))[0]
    return torch.addmm(bias, owners, sums)


@cache
def bags(rows: int, inputs: int, threads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which columns are added in which bag: two parts of them for each thread, and of each part a bag for each row, while it is in the thread's cache.

    Returns which column comes, (rows · inputs,), where each bag starts among them, (bags,), and 1 where a bag is of a row, (rows, bags).
    """
    parts = math.gcd(inputs, min(1 << threads.bit_length(), MOST_PARTS))
    order = torch.arange(inputs, dtype=torch.int32, device="cpu").view(parts, 1, -1).expand(-1, rows, -1).flatten()
    starts = torch.arange(0, rows * inputs, inputs // parts, dtype=torch.int32, device="cpu")
    return order, starts, torch.eye(rows, dtype=torch.float32, device="cpu").repeat(1, parts)


def usual(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x Wᵀ + b by the library that is faster for many rows."""
    return (F.linear if for_onednn(x, weight) is None else product)(x, weight, bias)


def usual_then_gelu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The same with its gelu."""
    return (
        gelu(F.linear(x, weight, bias))
        if for_onednn(x, weight) is None
        else product(x, weight, bias, activation="gelu")
    )


USUAL = Way(usual, usual_then_gelu)


@cache
def ways(*, copied: bool) -> tuple[Way, ...]:
    """Those to multiply a few rows, the usual one first. copied: also those that take a copy of every W."""
    found = [USUAL, Way(vectors_as_columns, partial(then_gelu, vectors_as_columns))]
    found.append(Way(sum_of_columns, partial(then_gelu, sum_of_columns), layout=by_columns))
    if onednn_is_there():
        found.append(Way(product, partial(product, activation="gelu")))
        if blocks_are_there():
            found.append(found[-1]._replace(layout=in_blocks))
    return tuple(way for way in found if copied or not way.layout)


def multiply_fast(projections: Sequence[Projection], *, rows: int, times: int) -> None:
    """From now on, multiply so many rows, so many times, in the way that is fastest; more rows in the usual one."""
    first = projections[0].weight
    if rows <= FEW_ROWS and first.device.type == "cpu" and first.dtype == torch.float32:
        size = sum(projection.weight.nbytes for projection in projections)
        way = fastest(projections, rows, copied=times >= FEW_PRODUCTS and size <= COPIES)
        for projection in projections:
            projection.multiply_by(way)


def fastest(projections: Sequence[Projection], rows: int, copied: bool) -> Way:
    """The way to multiply so many rows by these matrices one after the other, as a word is; measured once for such matrices, in some passes."""
    kind = (rows, copied, torch.get_num_threads(), *(projection.weight.shape for projection in projections))
    if kind not in FASTEST:
        before = accumulate((projection.weight.nbytes for projection in projections), initial=0)
        some = [projection for projection, size in zip(projections, before, strict=False) if size < MEASURED]
        possible = ways(copied=copied)
        passes = [one_pass(way, some, rows) for way in possible]
        # In turns, so that chance meets all alike; each several times, so that it finds its own weights in the cache.
        times = [[min(run() for _ in range(PASSES)) for run in passes] for _ in range(TURNS)]
        usual, *others = map(min, zip(*times, strict=True))
        best = [CLEARLY * usual, *others]
        FASTEST[kind] = possible[best.index(min(best))]
    return FASTEST[kind]


def one_pass(way: Way, projections: Sequence[Projection], rows: int) -> Callable[[], float]:
    """All products, as a function that returns how many seconds they took."""
    products = [
        (
            way.multiply_then_gelu if p.with_gelu else way.multiply,
            torch.ones(rows, p.weight.size(1), dtype=p.weight.dtype, device="cpu"),
            way.layout(p.weight) if way.layout else p.weight,
            p.bias,
        )
        for p in projections
    ]

    def run() -> float:
        began = time.perf_counter()
        for multiply, x, weight, bias in products:
            multiply(x, weight, bias)
        return time.perf_counter() - began

    return run


FASTEST: dict[tuple[Any, ...], Way] = {}
