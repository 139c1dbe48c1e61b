"""Padded batches of 32 texts through BERT-base: without their padding, against the padded forward of transformers.

The texts are as full of padding as two real sources were found to be: tweets (58% text) and a novel's paragraphs (29%).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

import minibert
from minibert import fast

from .side_by_side import SideBySide, side_by_side, without_gradients

WAYS = ("eager", "sdpa")

# Pieces in each text of a batch, drawn once from WNUT 2017 sentences and from the paragraphs of a novel.
LENGTHS = {
    "tweets": [
        19,
        31,
        24,
        12,
        27,
        36,
        22,
        9,
        17,
        41,
        28,
        33,
        15,
        21,
        30,
        11,
        26,
        38,
        20,
        14,
        25,
        34,
        18,
        29,
        23,
        8,
        37,
        16,
        32,
        13,
        27,
        22,
    ],
    "a novel's paragraphs": [
        12,
        64,
        18,
        9,
        120,
        33,
        22,
        71,
        15,
        48,
        11,
        26,
        103,
        19,
        8,
        37,
        55,
        14,
        29,
        132,
        21,
        10,
        42,
        17,
        88,
        13,
        31,
        24,
        7,
        52,
        16,
        36,
    ],
}


def rows(rounds: int = 6) -> Iterator[SideBySide]:
    """The plain way computes the padding; the fast one leaves it out."""
    import transformers

    torch.manual_seed(0)
    ours = minibert.BertModel(minibert.BertConfig()).eval()
    theirs = {way: transformers.BertModel(transformers.BertConfig(attn_implementation=way)).eval() for way in WAYS}
    for name, lengths in LENGTHS.items():
        ids, mask = padded(lengths)

        def quickly(ids: torch.Tensor = ids, mask: torch.Tensor = mask) -> None:
            with fast.linear(ours), fast.packed(ours):
                ours(ids, attention_mask=mask)

        contenders = {"plain": lambda ids=ids, mask=mask: ours(ids, attention_mask=mask), "fast": quickly}
        for way, model in theirs.items():
            contenders[f"transformers {way}"] = lambda model=model, ids=ids, mask=mask: model(ids, attention_mask=mask)
        work = {key: without_gradients(each) for key, each in contenders.items()}
        task = f"32 texts, BERT-base, {name}, {float(mask.float().mean()):.0%} text, float32"
        yield side_by_side(task, work, rounds)


def padded(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Random ids and the mask of texts of these lengths."""
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    return torch.randint(1, 30000, mask.shape) * mask, mask
