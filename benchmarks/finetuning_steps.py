"""A step of fine-tuning a model of MiniLM's sizes: kinds of questions (as TREC's) and entities in tweets (as WNUT 2017's), 16 texts each.

Random ids in texts as long as those are, in batches of about one length, as both libraries make them. Gradients, clipping and AdamW.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

import minibert
from minibert import fast
from minibert.fast.packing import packed_if_padded
from minibert.optim import AdamW

from .forward import MINILM
from .packing import LENGTHS, padded
from .side_by_side import SideBySide, side_by_side

QUESTIONS = [9, 10, 10, 10, 10, 11, 11, 11, 11, 11, 12, 12, 12, 12, 13, 13]
CASES = (
    ("kinds of questions", "BertForSequenceClassification", QUESTIONS, 6),
    ("entities in tweets", "BertForTokenClassification", sorted(LENGTHS["tweets"])[8:24], 13),
)


def rows(rounds: int = 20) -> Iterator[SideBySide]:
    """The fast way is that of `minibert finetune --fast`: `fast.training`, the word embeddings' gradient in memory that stays, and
    packed rows for tags where a fifth or more is padding.
    """
    import transformers

    for name, head, lengths, classes in CASES:
        torch.manual_seed(0)
        ids, mask = padded(lengths)
        labels = (
            torch.randint(classes, (16,))
            if head.endswith("SequenceClassification")
            else torch.randint(classes, ids.shape)
        )
        batch = {"input_ids": ids, "attention_mask": mask, "labels": labels}
        plain, quick = (getattr(minibert, head)(minibert.BertConfig(**MINILM, num_labels=classes)) for _ in range(2))
        contenders = {
            "plain": step(plain, AdamW(plain.parameters(), lr=1e-5), batch),
            "fast": fast_step(quick, batch),
        }
        for way in ("eager", "sdpa"):
            config = transformers.BertConfig(**MINILM, num_labels=classes, attn_implementation=way)
            theirs = getattr(transformers, head)(config)
            optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-5, fused=True)
            contenders[f"transformers {way}"] = step(theirs, optimizer, batch)
        yield side_by_side(f"fine-tuning step, MiniLM, {name}, 16 × {ids.size(1)}, float32", contenders, rounds)


def fast_step(model: Any, batch: dict[str, Tensor]) -> Callable[[], None]:
    """A step of minibert's, as `minibert finetune --fast` takes it."""
    optimizer = AdamW(model.train().parameters(), lr=1e-5, implementation="fused")
    words = fast.WordGradient(model.base_model.embeddings.word_embeddings)

    def run() -> None:
        with fast.training(model), words.kept(), packed_if_padded(model, batch):
            model(**batch).loss.backward()
        with words.without_zeros(model.parameters()) as parameters:
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return run


def step(model: Any, optimizer: torch.optim.Optimizer, batch: dict[str, Tensor]) -> Callable[[], None]:
    """A step as anyone writes it."""
    model.train()

    def run() -> None:
        model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return run
