"""Dense forwards without gradients: BERT-base over 8 × 128 positions, and a model of MiniLM's sizes over one text and over many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

import minibert
from minibert import fast

from .side_by_side import SideBySide, side_by_side, without_gradients

MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
CASES: tuple[tuple[str, dict[str, Any], tuple[int, int], int], ...] = (
    ("BERT-base forward, 8 × 128", {}, (8, 128), 1),
    ("MiniLM forward, 1 × 16", MINILM, (1, 16), 10),
    ("MiniLM forward, 32 × 64", MINILM, (32, 64), 1),
)


def rows(rounds: int = 12) -> Iterator[SideBySide]:
    """The plain way attends as is usual here, the fast one with the fused kernel."""
    import transformers

    for name, sizes, shape, more in CASES:
        torch.manual_seed(0)
        ours = minibert.BertModel(minibert.BertConfig(**sizes)).eval()
        fused = minibert.BertModel(minibert.BertConfig(**sizes, attn_implementation="sdpa")).eval()
        ids = torch.randint(1, ours.config.vocab_size, shape)

        contenders = {"plain": lambda ours=ours, ids=ids: ours(ids), "fast": lambda fused=fused, ids=ids: fused(ids)}
        for attention in ("eager", "sdpa"):
            theirs = transformers.BertModel(transformers.BertConfig(**sizes, attn_implementation=attention)).eval()
            contenders[f"transformers {attention}"] = lambda theirs=theirs, ids=ids: theirs(ids)
        work = {key: without_gradients(each) for key, each in contenders.items()}
        with fast.linear(fused, frozen=True):
            measured = side_by_side(f"{name}, float32", work, rounds * more)
        yield measured
