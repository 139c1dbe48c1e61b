"""Calls of `generate` that cannot mean anything: each is refused by a message that says why."""

from typing import Any

import pytest
import torch

from minibert import BertLMHeadModel
from tests.unit.tiny_bert import tiny, token_ids

PROMPT = token_ids(2, 4)  # the tiny model has 99 words and 24 positions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 4}, "prompt has 4 tokens and max_length is 4"),
        ({"max_length": 2}, "nothing left to generate"),
        ({"max_length": 25}, "max_length is 25, but this model knows 24 positions"),
        ({"max_length": None, "max_new_tokens": 21}, "max_length is 25, but this model knows 24 positions"),
        ({"num_return_sequences": 2}, "num_return_sequences is 2, but a search with num_beams = 1"),
        ({"num_beams": 2, "num_return_sequences": 3}, "num_return_sequences is 3, but a search with num_beams = 2"),
        ({"num_beams": 0}, "num_beams is 0; it must be at least 1"),
        ({"do_sample": True, "top_p": 0.0}, "top_p is 0.0; it must be above 0 and at most 1"),
        ({"do_sample": True, "top_p": 1.1}, "top_p is 1.1; it must be above 0 and at most 1"),
        ({"do_sample": True, "temperature": 0.0}, "temperature is 0.0; it must be above 0"),
        ({"do_sample": True, "top_k": -1}, "top_k is -1; it must be at least 0"),
        ({"repetition_penalty": -1.0}, "repetition_penalty is -1.0; it must be above 0"),
        ({"no_repeat_ngram_size": -2}, "no_repeat_ngram_size is -2"),
        ({"bad_words_ids": [[5], [99]]}, r"bad_words_ids holds \[99\]"),
        ({"bad_words_ids": [[]]}, r"bad_words_ids holds \[\]"),
        ({"bad_words_ids": [["the"]]}, r"bad_words_ids holds \['the'\]"),
        ({"do_sample": True, "top_k": 5.0}, "top_k is 5.0; it must be a whole number, at least 0"),
        ({"num_beams": 2.0}, "num_beams is 2.0; it must be a whole number, at least 1"),
        ({"no_repeat_ngram_size": "2"}, "no_repeat_ngram_size is 2; it must be a whole number"),
        ({"forced_eos_token_id": 99}, "forced_eos_token_id is 99; it must be among the ids below 99"),
        ({"forced_bos_token_id": -5}, "forced_bos_token_id is -5; it must be among the ids below 99"),
        ({"forced_eos_token_id": "[SEP]", "num_beams": 2}, r"forced_eos_token_id is \[SEP\]"),
        ({"prefix_allowed_tokens_fn": lambda *_: [5, 99]}, r"prefix_allowed_tokens_fn returned \[5, 99\]"),
        ({"prefix_allowed_tokens_fn": lambda *_: [-100]}, r"prefix_allowed_tokens_fn returned \[-100\]"),
        (
            {"prefix_allowed_tokens_fn": lambda *_: None},
            "prefix_allowed_tokens_fn returned None; it must return a list",
        ),
        ({"prefix_allowed_tokens_fn": lambda *_: ["a"], "num_beams": 2}, "a list of ids below 99"),
    ],
)
def test_options_out_of_range_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny(BertLMHeadModel, is_decoder=True).generate(PROMPT, **{"max_length": 10, **options})


def test_new_tokens_behind_a_prompt_that_fills_the_positions() -> None:
    with pytest.raises(ValueError, match="knows 24 positions"):
        tiny(BertLMHeadModel, is_decoder=True).generate(token_ids(1, 30), max_new_tokens=1)


WAYS: list[dict[str, Any]] = [{}, {"use_cache": True}, {"fast": True}, {"num_beams": 3}, {"num_beams": 2, "fast": True}]
WAYS += [{"return_dict_in_generate": True}, {"do_sample": True, "top_k": 1}]


@pytest.mark.parametrize("options", WAYS)
def test_a_model_that_reads_both_ways_generates_with_a_warning_and_reads_the_whole_text_each_time(
    options: dict[str, Any],
) -> None:
    model = tiny(BertLMHeadModel).eval()
    with pytest.warns(UserWarning, match="reads in both directions.* is_decoder=True"):
        found = model.generate(PROMPT, max_length=PROMPT.size(1) + 3, **options)
    ids = found if isinstance(found, torch.Tensor) else found.sequences
    assert ids.shape == (PROMPT.size(0), PROMPT.size(1) + 3)
    if "num_beams" not in options:
        for length in range(PROMPT.size(1), ids.size(1)):
            scores = model(ids[:, :length], attention_mask=(ids[:, :length] != 0).long()).logits[:, -1]
            assert torch.equal(ids[:, length], scores.argmax(dim=-1))


def test_without_a_prompt_there_must_be_a_first_token() -> None:
    with pytest.raises(ValueError, match="bos_token_id"):
        tiny(BertLMHeadModel, is_decoder=True).generate()


def test_a_prompt_is_a_batch() -> None:
    with pytest.raises(ValueError, match=r"shape \(4,\); it must be \(batch, prompt\)"):
        tiny(BertLMHeadModel, is_decoder=True).generate(PROMPT[0])


def test_an_encoder_needs_cross_attention() -> None:
    with pytest.raises(ValueError, match="no cross-attention"):
        tiny(BertLMHeadModel, is_decoder=True).generate(PROMPT, encoder_hidden_states=torch.randn(2, 3, 32))
