"""A dense forward of BERT-base, 8 sequences of 128 tokens, without gradients: both attention paths of both libraries."""

from __future__ import annotations

import torch

import minibert

from .harness import Row, compare, race


def rows(rounds: int = 12) -> list[Row]:
    """The fused and the written-out path against both of transformers'."""
    import transformers

    torch.manual_seed(0)
    theirs = transformers.BertModel(transformers.BertConfig(attn_implementation="eager")).eval()
    ours = minibert.BertModel(minibert.BertConfig()).eval()
    ours.load_state_dict(theirs.state_dict(), strict=False)
    ids = torch.randint(1, ours.config.vocab_size, (8, 128))

    def run(model: object, attention: str) -> None:
        model.set_attn_implementation(attention)  # type: ignore[attr-defined]
        with torch.no_grad():
            model(ids)  # type: ignore[operator]

    times = race(
        {
            "minibert sdpa": lambda: run(ours, "sdpa"),
            "transformers eager": lambda: run(theirs, "eager"),
            "minibert eager": lambda: run(ours, "eager"),
            "transformers sdpa": lambda: run(theirs, "sdpa"),
        },
        rounds,
    )
    return [
        compare(f"BERT-base forward, 8 × 128, {path}", times, f"minibert {path}", f"transformers {other}")
        for path in ("sdpa", "eager")
        for other in ("sdpa", "eager")
    ]
