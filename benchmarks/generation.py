"""64 new tokens from a decoder of 4 layers × 256, over a cache: greedily, with 4 beams, and behind a long prompt.

Each search runs three times in a round: the plain way, with `fast=True`, and in transformers.
"""

from __future__ import annotations

import functools
import logging

import torch

import minibert

from .harness import Row, compare, race


def rows(rounds: int = 10) -> list[Row]:
    """The same weights, prompt and answer in both libraries, each with its default attention."""
    import transformers

    logging.disable(logging.WARNING)
    sizes = {
        "vocab_size": 8192,
        "hidden_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 1024,
        "max_position_embeddings": 1024,
        "is_decoder": True,
    }
    torch.manual_seed(0)
    ours = minibert.BertLMHeadModel(minibert.BertConfig(**sizes)).eval()
    theirs = transformers.BertLMHeadModel(transformers.BertConfig(**sizes)).eval()
    theirs.load_state_dict(ours.state_dict(), strict=False)
    options = {"max_new_tokens": 64, "pad_token_id": 0, "eos_token_id": None}

    results = []
    for name, beams, length in (("greedy", 1, 8), ("4 beams", 4, 8), ("greedy, behind 900 words", 1, 900)):
        prompt = torch.randint(1, 8192, (1, length))
        work = functools.partial(ours.generate, prompt, num_beams=beams, **options)
        times = race(
            {
                "plain": work,
                "fast": functools.partial(work, fast=True),
                "transformers": functools.partial(
                    theirs.generate,
                    prompt,
                    attention_mask=torch.ones_like(prompt),
                    do_sample=False,
                    num_beams=beams,
                    **options,
                ),
            },
            rounds,
        )
        task = f"generate 64 tokens, 4 × 256, {name}"
        results.append(compare(task, times, "plain", "transformers"))
        results.append(compare(f"{task}, fast=True", times, "fast", "transformers"))
    return results
