"""Generation, as programs for both libraries: the ids must be equal."""

from __future__ import annotations

from typing import Any

import encoder_decoder_programs
import torch
from programs import BATCH, TINY, Program, build
from torch import Tensor

SETTINGS: dict[str, dict[str, Any]] = {
    "greedy": {},
    "greedy to 20 tokens": {"max_length": 20},
    "greedy, new tokens": {"max_new_tokens": 9},
    "greedy without a cache": {"use_cache": False},
    "greedy, no early end": {"min_length": 14},
    "greedy, repetition penalized": {"repetition_penalty": 1.7},
    "greedy, no run of two twice": {"no_repeat_ngram_size": 2},
    "greedy, no word twice": {"no_repeat_ngram_size": 1},
    "greedy, bad words": {"bad_words_ids": [[5], [17, 20], [40], [71, 3, 9]]},
    "sampling": {"do_sample": True},
    "sampling, cold": {"do_sample": True, "temperature": 0.5},
    "sampling, top 3": {"do_sample": True, "top_k": 3},
    "sampling, top half": {"do_sample": True, "top_k": 0, "top_p": 0.5},
    "sampling, three texts": {"do_sample": True, "num_return_sequences": 3, "top_p": 0.9, "temperature": 1.3},
    "beams": {"num_beams": 4},
    "beams, three texts": {"num_beams": 4, "num_return_sequences": 3},
    "beams, long texts preferred": {"num_beams": 3, "length_penalty": 2.0},
    "beams, short texts preferred": {"num_beams": 3, "length_penalty": 0.2},
    "beams, stopped early": {"num_beams": 4, "early_stopping": True, "num_return_sequences": 2},
    "beams, no early end": {"num_beams": 4, "min_length": 14},
    "beams, repetition penalized": {"num_beams": 4, "repetition_penalty": 1.3, "no_repeat_ngram_size": 2},
    "beams, bad words": {"num_beams": 2, "bad_words_ids": [[5], [17, 20]]},
    "beams without a cache": {"num_beams": 3, "use_cache": False},
    "beams, drawn": {"num_beams": 3, "do_sample": True, "num_return_sequences": 2, "top_k": 20},
}
PADDINGS = ("none", "left", "right")
# Two scales of random weights, and a word that a model of each says often: there it ends a text.
ENDS = {0.1: 64, 0.4: 24}


def prompts(padding: str) -> dict[str, Tensor]:
    """Three prompts of four tokens; padded, two of them are shorter."""
    ids = torch.randint(5, TINY["vocab_size"], (BATCH, 4), generator=torch.Generator().manual_seed(8))
    mask = torch.ones_like(ids)
    if padding != "none":
        for row, missing in ((1, 1), (2, 3)):
            hidden = slice(None, missing) if padding == "left" else slice(4 - missing, None)
            ids[row, hidden], mask[row, hidden] = 0, 0
    return {"input_ids": ids, "attention_mask": mask}


def generated(library: Any, model: Any, **options: Any) -> Tensor:
    """Ids from a fixed seed; minibert's fast way must choose the same as its plain way."""
    torch.manual_seed(9)
    ids: Tensor = model.generate(**options)
    if library.__name__ == "minibert":
        torch.manual_seed(9)
        assert torch.equal(model.generate(**options, fast=True), ids)
    return ids


def generation(settings: dict[str, Any], padding: str, ends: bool) -> Program:
    """Ids from two decoders, over prompts that may be padded, of texts that may end."""

    def program(library: Any) -> dict[str, Tensor]:
        results = {}
        for scale, end in ENDS.items():
            model = build(library, "BertLMHeadModel", is_decoder=True, initializer_range=scale).eval()
            options = {"max_length": 16, **settings}
            if "max_new_tokens" in settings:
                del options["max_length"]
            end_token = end if ends else None
            results[f"ids, weights {scale}"] = generated(
                library, model, **prompts(padding), eos_token_id=end_token, **options
            )
        return results

    return program


def pair(settings: dict[str, Any], tied: bool) -> Program:
    """A pair of BERTs: the encoder reads three texts, two of them padded, the decoder writes."""

    def program(library: Any) -> dict[str, Tensor]:
        model = encoder_decoder_programs.build(library, tied, initializer_range=0.4).eval()
        given = {"max_length": 12, "eos_token_id": 24, **settings}
        if "max_new_tokens" in settings:
            del given["max_length"]
        return {"ids": generated(library, model, **prompts("right"), **given)}

    return program


def from_nothing(library: Any) -> dict[str, Tensor]:
    """No prompt: the text starts from the first token of the config."""
    model = build(library, "BertLMHeadModel", is_decoder=True, bos_token_id=7, initializer_range=0.3).eval()
    return {"ids": model.generate(max_length=12)}


def unmasked(library: Any) -> dict[str, Tensor]:
    """Prompts padded on the left without a mask: it is made from the padding."""
    model = build(library, "BertLMHeadModel", is_decoder=True, initializer_range=0.3).eval()
    return {"ids": model.generate(prompts("left")["input_ids"], max_length=12)}


def all_programs() -> dict[str, Program]:
    """Every program by name."""
    programs: dict[str, Program] = {}
    for name, settings in SETTINGS.items():
        for padding in PADDINGS:
            programs[f"generate, {name}, padding {padding}"] = generation(settings, padding, ends=True)
        programs[f"generate, {name}, endless"] = generation(settings, "none", ends=False)
        programs[f"generate by a pair, {name}"] = pair(settings, tied="beams" in name)
    programs["generate from nothing"] = from_nothing
    programs["generate, mask made from the padding"] = unmasked
    return programs
