"""64 new tokens from a decoder of 4 layers × 256, over a cache: greedily, with 4 beams, and behind a long prompt."""

from __future__ import annotations

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
        times = race(
            {
                "minibert": lambda prompt=prompt, beams=beams: ours.generate(prompt, num_beams=beams, **options),
                "transformers": lambda prompt=prompt, beams=beams: theirs.generate(
                    prompt, attention_mask=torch.ones_like(prompt), do_sample=False, num_beams=beams, **options
                ),
            },
            rounds,
        )
        results.append(compare(f"generate 64 tokens, 4 × 256, {name}", times, "minibert", "transformers"))
    return results
