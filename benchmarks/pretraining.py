"""One step of pre-training: losses of hidden words and next sentences, gradients, AdamW.

The same weights and the same batch of full rows in both libraries: minibert as `minibert pretrain` runs it, and the plain way;
transformers in each of its two ways to compute attention, with PyTorch's fused AdamW.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

import minibert
from minibert import fast
from minibert.fast.last_layer import last_layer_at_labels
from minibert.model.checks import IGNORED
from minibert.optim import AdamW
from minibert.training.distributed import multiplies_bfloat16
from minibert.training.pretraining_loss import PretrainingLoss, count_labels

from .side_by_side import SideBySide, side_by_side

BASE = {"vocab_size": 30522}
SMALL = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024}
CASES = (("BERT-base, 8 × 128", BASE, 8), ("4 layers × 256, vocabulary 30,522, 64 × 128", {**BASE, **SMALL}, 64))
LENGTH = 128


def rows(rounds: int = 5) -> Iterator[SideBySide]:
    """Both sizes, in float32 and, where the processor has instructions for it, in bfloat16 (autocast), by the command and by a plain loop with two lines more."""
    precisions = ("float32", "bfloat16") if multiplies_bfloat16(torch.device("cpu")) else ("float32",)
    for case in CASES:
        for precision in precisions:
            yield from case_rows(*case, precision=precision, rounds=rounds)


def case_rows(name: str, sizes: dict[str, int], batch_rows: int, *, precision: str, rounds: int) -> list[SideBySide]:
    """Three ways of minibert and two of transformers, each with the same weights and batch."""
    import transformers

    torch.manual_seed(0)
    models = [minibert.BertForPreTraining(minibert.BertConfig(**sizes)) for _ in range(3)]
    batch = example(sizes["vocab_size"], batch_rows)
    plain, command, own = models
    of_own = usual_step(own, AdamW(own.parameters(), lr=1e-5, implementation="fused"), batch, precision=precision)

    def two_lines() -> None:
        with fast.training(own):
            of_own()

    contenders = {
        "plain": usual_step(plain, AdamW(plain.parameters(), lr=1e-5), batch, precision=precision),
        "fast": our_step(command, batch, precision),
        "own loop": two_lines,
    }
    for attention in ("eager", "sdpa"):
        config = transformers.BertConfig(**sizes, attn_implementation=attention)
        theirs = transformers.BertForPreTraining(config)
        optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-5, fused=True)
        contenders[f"transformers {attention}"] = usual_step(theirs, optimizer, batch, precision=precision)
    row = side_by_side(f"pre-training step, {name}, {precision}", contenders, rounds, getattr(torch, precision))
    by_hand = {**row.times, "fast": row.times["own loop"]}
    return [row, SideBySide(f"{row.task}, in a loop of one's own", by_hand, row.share * ratio(row.times))]


def ratio(times: Mapping[str, list[float]]) -> float:
    """The share of the command's speed that the loop of one's own reaches, which computes the same products."""
    return statistics.median(times["fast"]) / statistics.median(times["own loop"])


def example(vocab_size: int, batch_rows: int, length: int = LENGTH) -> dict[str, Tensor]:
    """Full rows of random words, 15% of them to be guessed."""
    noise = torch.Generator().manual_seed(1)
    shape = (batch_rows, length)
    ids = torch.randint(vocab_size, shape, generator=noise)
    hidden = torch.rand(shape, generator=noise) < 0.15
    segments = (torch.arange(length) >= length // 2).long().expand(shape)
    following = torch.randint(2, (batch_rows,), generator=noise)
    columns = {"input_ids": ids, "token_type_ids": segments, "attention_mask": torch.ones_like(ids)}
    return {**columns, "labels": torch.where(hidden, ids, IGNORED), "next_sentence_label": following}


def our_step(model: minibert.BertForPreTraining, batch: dict[str, Tensor], precision: str) -> Callable[[], None]:
    """A step of minibert's, as `minibert pretrain` takes it."""
    losses = PretrainingLoss(model.train())
    optimizer = AdamW(model.parameters(), lr=1e-5, implementation="fused")

    def step() -> None:
        with fast.training(model), last_layer_at_labels(model.bert, batch) as read:
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                sums = losses(**read)
            sums.mean(*count_labels(batch)).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def usual_step(
    model: Any, optimizer: torch.optim.Optimizer, batch: dict[str, Tensor], *, precision: str
) -> Callable[[], None]:
    """A step as anyone writes it: the model's own loss, its gradients, the optimizer."""
    model.train()
    device = batch["input_ids"].device.type

    def step() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
            outputs = model(**batch)
        outputs.loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step
