"""The same work on a GPU, for the table of docs/performance.md that names the card: python -m benchmarks.gpu.

Matrix products are float32 without TF32, or bfloat16 by autocast. Each turn ends when the GPU has done its work. With "layers compiled",
`layer.compile()` was called for every layer, in both libraries: the launching of many small kernels then takes the processor less time.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache, partial
from typing import Any

import torch

import minibert
from minibert import fast
from minibert.optim import AdamW
from scripts.translations import put_in_both

from .__main__ import PAGE, between
from .chinese import in_chinese, machine_in_chinese
from .generation import OPTIONS, SIZES
from .harness import Work, race
from .matrices import operations
from .packing import LENGTHS, padded
from .pretraining import BASE, example, usual_step
from .side_by_side import HEADER, THEIRS, SideBySide, without_gradients

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
BEGIN, END = "<!-- what follows is written by `python -m benchmarks.gpu` -->\n", "<!-- the end of the GPU's -->\n"


def rows() -> Iterator[SideBySide]:
    """Forwards, padded texts, steps of pre-training, and generated words."""
    for precision in (torch.float32, torch.bfloat16):
        yield forward({}, (64, 128), "BERT-base forward, 64 × 128", precision)
    for precision in (torch.float32, torch.bfloat16):
        yield texts(precision)
    yield from pretraining({**BASE}, 64, 128, "BERT-base, 64 × 128", compiled=(False,))
    yield from pretraining({**BASE, **LARGE}, 24, 512, "BERT-large, 24 × 512", compiled=(False, True))
    for options in ({}, {"num_beams": 4}):
        yield generation(**options)


def forward(sizes: dict[str, int], shape: tuple[int, int], name: str, precision: torch.dtype) -> SideBySide:
    """Full rows: the fast way attends by the fused kernel."""
    ids = torch.randint(1, 30000, shape, device=DEVICE)
    models = both("BertModel", sizes, ours=("eager", "sdpa"))
    work = {key: partial(model, ids) for key, model in models.items()}
    return measured(f"{name}, {name_of(precision)}", reading(work, precision), precision, rounds=12)


def texts(precision: torch.dtype, copies: int = 4) -> SideBySide:
    """128 paragraphs of a novel, padded: the fast way leaves the padding out."""
    ids, mask = (tensor.to(DEVICE) for tensor in padded(LENGTHS["a novel's paragraphs"] * copies))
    models = both("BertModel", {}, ours=("eager", "eager"))
    work = {key: partial(model, ids, attention_mask=mask) for key, model in models.items()}
    share, whole = float(mask.float().mean()), work["fast"]

    def packed() -> object:
        with fast.packed(models["fast"]):
            return whole()

    work["fast"] = packed
    name = f"{len(ids)} texts, BERT-base, a novel's paragraphs, {share:.0%} text, {name_of(precision)}"
    return measured(name, reading(work, precision), precision, rounds=12)


def pretraining(
    sizes: dict[str, int], batch_rows: int, length: int, name: str, *, compiled: tuple[bool, ...]
) -> Iterator[SideBySide]:
    """A step in bfloat16: the fast way is `fast.training`, and AdamW in one pass."""
    batch = {key: column.to(DEVICE) for key, column in example(sizes["vocab_size"], batch_rows, length).items()}
    models = both("BertForPreTraining", sizes, ours=("eager", "eager"), training=True)
    steps: dict[str, Work] = {}
    count = 0
    for key, model in models.items():
        if key in THEIRS:
            optimizer: torch.optim.Optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
        else:
            optimizer = AdamW(model.parameters(), lr=1e-5, implementation="plain" if key == "plain" else "fused")
        steps[key] = usual_step(model, optimizer, batch, precision="bfloat16")
    usual = steps["fast"]

    def two_lines() -> None:
        with fast.training(models["fast"]):
            usual()

    steps["fast"] = two_lines
    for by_compiler in compiled:
        if by_compiler:
            for model in models.values():
                for layer in model.bert.encoder.layer:
                    layer.compile()
        count = count or operations(steps["fast"])
        task = f"pre-training step, {name}, bfloat16{', layers compiled' * by_compiler}"
        yield measured(task, steps, torch.bfloat16, rounds=10, count=count, warm_up=3)


def generation(**search: int) -> SideBySide:
    """64 words behind 8, greedily or with beams."""
    models = both("BertLMHeadModel", SIZES, ours=("eager", "eager"))
    prompt = torch.randint(1, 8192, (1, 8), device=DEVICE)
    options = {**OPTIONS, **search}
    work = {key: partial(models[key].generate, prompt, fast=key == "fast", **options) for key in ("plain", "fast")}
    for key in THEIRS:
        mask = torch.ones_like(prompt)
        work[key] = partial(models[key].generate, prompt, attention_mask=mask, do_sample=False, **options)
    name = "4 beams" if search else "greedy"
    return measured(f"generate 64 tokens, 4 × 256, {name}, float32", work, torch.float32, rounds=6)


def both(class_name: str, sizes: dict[str, Any], *, ours: tuple[str, str], training: bool = False) -> dict[str, Any]:
    """A model for each contender, on the GPU. ours: how the plain and the fast one attend."""
    import transformers

    torch.manual_seed(0)
    models: dict[str, Any] = {}
    with DEVICE:  # weights are drawn there, in a moment
        for key, way in zip(("plain", "fast"), ours, strict=True):
            models[key] = getattr(minibert, class_name)(minibert.BertConfig(**sizes, attn_implementation=way))
        for key in THEIRS:
            config = transformers.BertConfig(**sizes, attn_implementation=key.split()[1])
            models[key] = getattr(transformers, class_name)(config)
    return {key: model.train(training) for key, model in models.items()}


def reading(work: Mapping[str, Callable[[], object]], precision: torch.dtype) -> dict[str, Work]:
    """Forward passes without gradients, their products in this type."""

    def within(each: Callable[[], object]) -> Work:
        def run() -> None:
            with torch.autocast(DEVICE.type, torch.bfloat16, enabled=precision == torch.bfloat16):
                each()

        return without_gradients(run)

    return {key: within(each) for key, each in work.items()}


def measured(
    task: str,
    work: Mapping[str, Callable[[], object]],
    precision: torch.dtype,
    *,
    rounds: int,
    count: int | None = None,
    warm_up: int = 2,
) -> SideBySide:
    """All contenders turn by turn. count: the operations of the fast one's products, if they are known."""
    count = count or operations(work["fast"])
    times = race({key: until_done(each) for key, each in work.items()}, rounds, warm_up)
    gc.collect()
    if DEVICE.type == "cuda":
        torch.cuda.empty_cache()
    return SideBySide(task, times, count / statistics.median(times["fast"]) / rate(precision))


def until_done(each: Callable[[], object]) -> Work:
    """Ended when the GPU is."""

    def run() -> None:
        each()
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    return run


@cache
def rate(dtype: torch.dtype) -> float:
    """The card's own, operations a second: a product of two large random matrices, the median of some turns."""
    size = 8192 if DEVICE.type == "cuda" else 256
    a, b = (torch.randn(size, size, device=DEVICE).to(dtype) for _ in range(2))
    times = race({"product": until_done(partial(torch.mm, a, b))}, 10)
    return 2 * size**3 / statistics.median(times["product"])


def name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def card() -> str:
    """What the figures were measured on."""
    import transformers

    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "no GPU"
    rates = ", ".join(
        f"{name_of(dtype)} {rate(dtype) / 1e12:,.0f} TFLOP/s" for dtype in (torch.float32, torch.bfloat16)
    )
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    return f"{date.today():%Y-%m-%d}: {name}, {rates}, {versions}."


def main() -> None:
    lines = [HEADER]
    print(HEADER, flush=True)
    for row in rows():
        print(row, flush=True)
        lines.append(str(row))
    table, measured_on = "\n".join(lines), card()
    english, chinese = [table, measured_on], [in_chinese(table), machine_in_chinese(measured_on)]
    put_in_both(PAGE, between(english), between(chinese), marks=(BEGIN, END))


if __name__ == "__main__":
    main()
