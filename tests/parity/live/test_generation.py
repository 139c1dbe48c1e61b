"""Greedy search and beam search say what today's transformers says, with random and with trained weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

import minibert

BUNDLED = "novels-4l-256h"
SEARCHES: dict[str, dict[str, Any]] = {
    "greedy": {},
    "greedy, no run of two twice": {"no_repeat_ngram_size": 2},
    "greedy, repetition penalized": {"repetition_penalty": 1.5},
    "beams": {"num_beams": 4},
    "beams, three texts": {"num_beams": 4, "num_return_sequences": 3},
    "beams, bad words": {"num_beams": 3, "bad_words_ids": [[24], [40, 86]]},
    "beams, no early end": {"num_beams": 3, "min_length": 12},
}


def random_pair(seed: int) -> tuple[minibert.BertLMHeadModel, Any]:
    """The same random decoder in both libraries."""
    sizes = {
        "vocab_size": 99,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 37,
        "max_position_embeddings": 32,
        "initializer_range": 0.4,
        "is_decoder": True,
    }
    torch.manual_seed(seed)
    ours = minibert.BertLMHeadModel(minibert.BertConfig(**sizes)).eval()
    theirs = transformers.BertLMHeadModel(transformers.BertConfig(**sizes, attn_implementation="eager")).eval()
    theirs.load_state_dict(ours.state_dict(), strict=False)
    return ours, theirs


def trained_pair() -> tuple[minibert.BertLMHeadModel, Any]:
    """The bundled weights read from left to right, in both libraries."""
    ours = minibert.BertLMHeadModel.from_pretrained(BUNDLED, is_decoder=True)
    config = transformers.BertConfig(**ours.config.to_dict())
    config.is_decoder, config._attn_implementation = True, "eager"
    theirs = transformers.BertLMHeadModel(config).eval()
    theirs.load_state_dict(ours.state_dict(), strict=False)
    return ours, theirs


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("end", [None, 24])
def test_random_decoders_say_the_same(search: str, seed: int, end: int | None) -> None:
    ours, theirs = random_pair(seed)
    prompt = torch.randint(25, 99, (3, 4), generator=torch.Generator().manual_seed(seed))
    # Today's library no longer counts the prompt in a text's length, so lengths must not count where texts can end.
    options = {**SEARCHES[search], "eos_token_id": end, "pad_token_id": 0, "length_penalty": 0.0, "max_length": 20}
    expected = theirs.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, **options)
    for fast in (False, True):
        assert torch.equal(ours.generate(prompt, **options, fast=fast), expected)


@pytest.mark.parametrize("num_beams", [1, 4])
def test_trained_weights_say_the_same(num_beams: int) -> None:
    ours, theirs = trained_pair()
    tokenizer = minibert.BertTokenizer.from_pretrained(BUNDLED)
    for text in ("It was a dark and stormy", "The captain looked at the sea and", "She"):
        prompt = tokenizer(text, return_tensors="pt")["input_ids"][:, :-1]
        options = {"max_new_tokens": 24, "num_beams": num_beams, "pad_token_id": 0, "eos_token_id": None}
        expected = theirs.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, **options)
        for fast in (False, True):
            assert torch.equal(ours.generate(prompt, **options, fast=fast), expected)


def test_scores_of_some_positions_alone_are_the_same() -> None:
    ours, theirs = random_pair(0)
    prompt = torch.randint(25, 99, (3, 6), generator=torch.Generator().manual_seed(1))
    for kept in (2, torch.tensor([0, 4]), torch.tensor([], dtype=torch.long)):
        with torch.no_grad():
            found, expected = (model(prompt, logits_to_keep=kept).logits for model in (ours, theirs))
        assert found.shape == expected.shape == (3, 2 if isinstance(kept, int) else len(kept), 99)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_prompt_that_is_read_in_blocks_gets_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minibert.generation.search.PROMPT_BLOCK", 32)
    ours, theirs = trained_pair()
    prompt = torch.randint(1000, 8000, (2, 100), generator=torch.Generator().manual_seed(2))
    for num_beams in (1, 3):
        options = {"max_new_tokens": 8, "num_beams": num_beams, "pad_token_id": 0, "eos_token_id": None}
        expected = theirs.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, **options)
        for fast in (False, True):
            assert torch.equal(ours.generate(prompt, **options, fast=fast), expected)
