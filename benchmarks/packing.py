"""Padded batches of 32 texts through BERT-base: without their padding, against the padded forward of transformers.

The texts are as full of padding as two real sources were found to be: tweets (58% text) and a novel's paragraphs (29%).
"""

from __future__ import annotations

import torch

import minibert

from .harness import Row, compare, race

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


def rows(rounds: int = 6) -> list[Row]:
    """Packed minibert against the faster of transformers' two attention paths."""
    import transformers

    torch.manual_seed(0)
    theirs = transformers.BertModel(transformers.BertConfig(attn_implementation="sdpa")).eval()
    ours = minibert.BertModel(minibert.BertConfig(attn_implementation="packed")).eval()
    ours.load_state_dict(theirs.state_dict(), strict=False)
    results = []
    for name, lengths in LENGTHS.items():
        ids, mask = padded(lengths)

        def run(model: object, attention: str, ids: torch.Tensor = ids, mask: torch.Tensor = mask) -> None:
            model.set_attn_implementation(attention)  # type: ignore[attr-defined]
            with torch.no_grad():
                model(ids, attention_mask=mask)  # type: ignore[operator]

        times = race(
            {
                "minibert packed": lambda run=run: run(ours, "packed"),
                "transformers sdpa": lambda run=run: run(theirs, "sdpa"),
                "transformers eager": lambda run=run: run(theirs, "eager"),
            },
            rounds,
        )
        task = f"32 texts, BERT-base, {name}, {float(mask.float().mean()):.0%} text"
        other = min(("transformers sdpa", "transformers eager"), key=lambda contender: sum(times[contender]))
        results.append(compare(task, times, "minibert packed", other))
    return results


def padded(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Random ids and the mask of texts of these lengths."""
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    return torch.randint(1, 30000, mask.shape) * mask, mask
