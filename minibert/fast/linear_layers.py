"""Linear layers through the faster of PyTorch's two libraries of matrix products: in float32 twice as fast on AMD's Zen 5.

    y = x Wᵀ + b        dx = dy W        dW = dyᵀ x        db = Σ dy

PyTorch multiplies float32 matrices by MKL, which uses half of the width of some processors that are not Intel's, and brings a second library,
oneDNN, by which it multiplies bfloat16. Which of the two is faster is measured, for each size of product once in a process; where it is MKL,
nothing changes. Both add in float32, in another order. Weights are read where they are at each call: nothing is kept that could become stale.

    with fast.linear(model):
        model(**batch).loss.backward()

Where weights stay as they are, `fast.linear(model, frozen=True)` also keeps them as oneDNN lays them out (`blocks.py`), which short texts gain by.
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from itertools import cycle
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model.activations import gelu
from ..model.checks import values_unknown
from ..model.layer import BertIntermediate
from .blocks import Blocks, Room, blocks_are_there, in_blocks

SMALLEST = 1 << 20  # multiplications; in smaller products it is the call that takes time
LARGEST = 1 << 28  # that are measured: a few milliseconds
CLEARLY = 0.9  # of the usual way's time, so that chance does not decide
FEW_ROWS = 32  # with gradients the usual way: with 16 by oneDNN, a step of fine-tuning took 89 ms for 65
IN_BLOCKS = 512  # rows; with more, making the blocks at each product is a small part of it
TURNS = 5
MEMORY = 1 << 24  # bytes of weights that are measured by
TYPES = (torch.float32, torch.bfloat16)
REAL = (nn.Parameter, Tensor)  # that hold numbers; of x the same is asked, and whether a graph is being made
Multiply = Callable[[Tensor], Tensor]  # some x by weights, (out, in)
FASTER: dict[
    tuple[Any, ...], bool
] = {}  # what was measured in this process; a run that goes on in another takes it along


@contextmanager
def linear(model: nn.Module, *, frozen: bool = False) -> Iterator[None]:
    """Within, every `nn.Linear` of the model multiplies in the faster way, forwards and backwards, and without gradients bias and gelu are one with it.

    frozen: weights will not be written to within, so that up to 64 MiB of them may be kept in oneDNN's layout, for a few rows without
    gradients. Steps of an optimizer, `load_state_dict`, `.to()`, pruning and tying are noticed all the same; a single number that is
    written through `.data` may not be.
    """
    changed: list[tuple[dict[str, Any], Callable[..., Tensor]]] = []
    room, cells = Room(), dict[nn.Module, Blocks]()
    frozen = frozen and blocks_are_there()
    for module in model.modules() if onednn_is_there() and on_cpu(model) else ():
        own, kind = vars(module), type(module)
        if kind in FORWARDS and "forward" not in own:
            kept = cells.setdefault(getattr(module, "dense", module), Blocks(room)) if frozen else None
            own["forward"] = partial(FORWARDS[kind], module, kept)
            changed.append((own, own["forward"]))
    try:
        yield
    finally:
        for own, forward in changed:
            if own.get("forward") is forward:
                del own["forward"]


def on_cpu(model: nn.Module) -> bool:
    """Whether a model is on the CPU. On a GPU its forwards stay its own, which `torch.compile` can compile."""
    first = next(model.parameters(), None)
    return first is None or first.device.type == "cpu"


def own_forward(module: nn.Module) -> bool:
    """Whether a module's forward is of this file: another way to the same numbers."""
    return getattr(vars(module).get("forward"), "func", None) in FORWARDS.values()


def linear_forward(module: nn.Linear, kept: Blocks | None, x: Tensor) -> Tensor:
    """What `module(x)` gives: (…, in) → (…, out)."""
    weight = for_onednn(x, module.weight, kept)
    if weight is None:
        return F.linear(x, module.weight, module.bias)
    if torch.is_grad_enabled():
        return OneDNNLinear.apply(x, module.weight, module.bias)
    return product(x, weight, module.bias)


def intermediate_forward(stage: BertIntermediate, kept: Blocks | None, x: Tensor) -> Tensor:
    """gelu(W x + b), in one pass where no gradient and nobody else wants W x + b."""
    dense = stage.dense
    watched = not own_forward(dense) or dense._forward_hooks or dense._forward_pre_hooks
    if stage.intermediate_act_fn is not gelu or watched or torch.is_grad_enabled():
        return BertIntermediate.forward(stage, x)
    weight = for_onednn(x, dense.weight, kept)
    if weight is None:
        return BertIntermediate.forward(stage, x)
    return product(x, weight, dense.bias, activation="gelu")


FORWARDS: dict[type, Callable[..., Tensor]] = {nn.Linear: linear_forward, BertIntermediate: intermediate_forward}


class OneDNNLinear(torch.autograd.Function):
    """x Wᵀ + b with its gradients, each of them such a product again, so that gradients have gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        dy = gradients[0]
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        multiply = OneDNNLinear.apply if torch.is_grad_enabled() else product
        rows = dy.flatten(0, -2)  # (rows, out)
        dx = multiply(dy, weight.t(), None) if needs_x else None
        dw = multiply(rows.t(), x.flatten(0, -2).t(), None) if needs_weight else None
        return dx, dw, rows.sum(0) if needs_bias else None


def product(x: Tensor, weight: Tensor, bias: Tensor | None, activation: str = "none") -> Tensor:
    """activation(x Wᵀ + b) by oneDNN: (…, in) → (…, out). The operator takes any strides, but of the bias, which it does not look at."""
    bias = None if bias is None else bias.contiguous()
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, attr=activation, scalars=[], algorithm="none")


def onednn_is_there() -> bool:
    """Whether this PyTorch has the operator: its name begins with an underscore, so it may go."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@cache
def onednn_takes(dtype: torch.dtype) -> bool:
    """Whether oneDNN multiplies such numbers on this processor: bfloat16 only where there are instructions for it, as in AVX-512."""
    one = torch.ones(1, 1, dtype=dtype, device="cpu")
    try:
        product(one, one, None)
    except RuntimeError:
        return False
    return True


def for_onednn(x: Tensor, weight: Tensor, kept: Blocks | None = None) -> Tensor | None:
    """W, or its blocks, where x Wᵀ is worth going another way than `F.linear`'s. kept: the blocks, for products without gradients."""
    if torch.is_grad_enabled() and kept is not None:
        kept.forget()  # a step of an optimizer is to be expected
        kept = None
    multiplications = x.numel() * weight.size(0)
    if multiplications < SMALLEST or weight.dtype not in TYPES or x.dtype != weight.dtype:
        return None
    if x.device.type != "cpu" or torch.is_autocast_enabled("cpu") or values_unknown(x) or type(weight) not in REAL:
        return None
    if not onednn_takes(weight.dtype):
        return None
    rows = 1 << (x.numel() // x.size(-1) - 1).bit_length()
    if torch.is_grad_enabled() and rows <= FEW_ROWS:
        return None
    size: dict[str, Any] = {"outputs": weight.size(0), "threads": torch.get_num_threads()}
    if kept is not None and rows <= IN_BLOCKS and measured(weight.dtype, rows, weight.size(1), **size, blocks=True):
        blocks = kept.of(weight)
        if blocks is not None:
            return blocks
    return weight if measured(weight.dtype, rows, weight.size(1), **size) else None


def measured(dtype: torch.dtype, rows: int, inputs: int, *, outputs: int, threads: int, blocks: bool = False) -> bool:
    """Whether oneDNN is clearly the faster for products of about this size; with blocks, whether these are the fastest. Measured once."""
    kind = (dtype, rows, inputs, outputs, threads, blocks)
    if kind not in FASTER:
        FASTER[kind] = measured_now(dtype, rows, inputs, outputs=outputs, blocks=blocks)
    return FASTER[kind]


def measured_now(dtype: torch.dtype, rows: int, inputs: int, *, outputs: int, blocks: bool) -> bool:
    """Time it: whether oneDNN is the quickest here, for `blocks` with the weight in its own layout."""
    while rows * inputs * outputs > LARGEST:  # a part of the product tells as much
        rows, inputs, outputs = (max(size // 2, 32) for size in (rows, inputs, outputs))
    x, bias = (torch.ones(size, dtype=dtype, device="cpu") for size in ((rows, inputs), (outputs,)))
    ways = [lambda weight, way=way: way(x, weight, bias) for way in (F.linear, product, *[product] * blocks)]
    turns = min(max(LARGEST // (8 * rows * inputs * outputs), TURNS), 4 * TURNS)  # more of what takes microseconds
    layouts = [None, None, in_blocks][: len(ways)]
    return quickest(ways, shape=(outputs, inputs), dtype=dtype, layouts=layouts, turns=turns) == 1 + blocks


def quickest(
    ways: Sequence[Multiply],
    *,
    shape: tuple[int, int],
    dtype: torch.dtype = torch.float32,
    layouts: Sequence[Multiply | None] = (),
    turns: int = TURNS,
) -> int:
    """Which way to multiply by weights is the fastest, by the median of some turns; the first, unless another clearly is.

    Each time by other weights, as a model's layers are: those of the time before would still be in the processor's nearest cache. layouts:
    what a way's weights are copied to beforehand.
    """
    copies = min(max(MEMORY // (math.prod(shape) * dtype.itemsize), 1), turns * len(ways))
    weights = torch.ones(copies, *shape, dtype=dtype, device="cpu")
    times: list[list[float]] = [[] for _ in ways]
    with torch.inference_mode():
        own = [[*map(layout, weights)] if layout else weights for layout in layouts or [None] * len(ways)]
        numbers = cycle(range(copies))
        for _ in range(turns):
            for way, its_weights, taken in zip(ways, own, times, strict=True):
                weight = its_weights[next(numbers)]
                began = time.perf_counter()
                way(weight)
                taken.append(time.perf_counter() - began)
    usual, *others = map(statistics.median, times)
    medians = [CLEARLY * usual, *others]
    return medians.index(min(medians))
