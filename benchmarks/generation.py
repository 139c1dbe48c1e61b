"""64 new tokens from a decoder of 4 layers × 256, over a cache: greedily, with 4 beams, and behind a long prompt.

The fast way is `fast=True`.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator

import torch

import minibert

from .side_by_side import SideBySide, side_by_side

SIZES = {
    "vocab_size": 8192,
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
    "max_position_embeddings": 1024,
    "is_decoder": True,
}
OPTIONS = {"max_new_tokens": 64, "pad_token_id": 0, "eos_token_id": None}


def rows(rounds: int = 10) -> Iterator[SideBySide]:
    """The same weights, prompt and answer in both libraries."""
    import transformers

    logging.disable(logging.WARNING)
    torch.manual_seed(0)
    ours = minibert.BertLMHeadModel(minibert.BertConfig(**SIZES)).eval()
    theirs = {}
    for way in ("eager", "sdpa"):
        theirs[way] = transformers.BertLMHeadModel(transformers.BertConfig(**SIZES, attn_implementation=way)).eval()
        theirs[way].load_state_dict(ours.state_dict(), strict=False)
    for name, beams, length in (("greedy", 1, 8), ("4 beams", 4, 8), ("greedy, behind 900 words", 1, 900)):
        prompt = torch.randint(1, 8192, (1, length))
        work = functools.partial(ours.generate, prompt, num_beams=beams, **OPTIONS)
        contenders = {"plain": work, "fast": functools.partial(work, fast=True)}
        for way, model in theirs.items():
            asked = {"attention_mask": torch.ones_like(prompt), "do_sample": False, "num_beams": beams, **OPTIONS}
            contenders[f"transformers {way}"] = functools.partial(model.generate, prompt, **asked)
        yield side_by_side(f"generate 64 tokens, 4 × 256, {name}, float32", contenders, rounds)
