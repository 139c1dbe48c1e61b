"""Generation obeys these laws whatever the model."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minibert import BertConfig, BertLMHeadModel

models = st.builds(
    dict,
    seed=st.integers(0, 1000),
    position_embedding_type=st.sampled_from(["absolute", "relative_key", "relative_key_query"]),
    num_attention_heads=st.sampled_from([1, 2, 4]),
    num_hidden_layers=st.integers(1, 3),
    hidden_act=st.sampled_from(["gelu", "relu"]),
)
searches = st.sampled_from([{}, {"num_beams": 3}, {"num_beams": 2, "length_penalty": 2.0, "num_return_sequences": 2}])
draws = st.sampled_from(
    [
        {"do_sample": True},
        {"do_sample": True, "num_return_sequences": 3, "top_p": 0.9},
        {"do_sample": True, "num_beams": 2},
    ]
)
rules = st.sampled_from([{}, {"repetition_penalty": 1.5}, {"no_repeat_ngram_size": 2, "min_length": 9}])


def decoder(seed: int, **overrides: object) -> BertLMHeadModel:
    torch.manual_seed(seed)
    sizes = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "max_position_embeddings": 16}
    config = BertConfig(**{**sizes, "is_decoder": True, "initializer_range": 0.5, **overrides})
    return BertLMHeadModel(config).eval()


@given(models, searches, st.integers(1, 5))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_cache_changes_no_word(model: dict, search: dict, prompt_length: int) -> None:
    network = decoder(**model)
    prompt = torch.randint(1, 40, (2, prompt_length))
    cached = network.generate(prompt, max_length=12, eos_token_id=3, use_cache=True, **search)
    assert torch.equal(cached, network.generate(prompt, max_length=12, eos_token_id=3, use_cache=False, **search))


@given(models, st.integers(1, 5), st.integers(6, 16), st.integers(1, 3), st.booleans(), st.integers(1, 39))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_no_text_is_too_long_or_goes_on_after_its_end(
    model: dict, prompt_length: int, max_length: int, num_beams: int, do_sample: bool, end: int
) -> None:
    prompt = torch.randint(1, 40, (2, prompt_length))
    prompt[prompt == end] = 1 if end != 1 else 2
    ids = decoder(**model).generate(
        prompt, max_length=max_length, num_beams=num_beams, do_sample=do_sample, eos_token_id=end
    )
    assert ids.size(1) <= max_length
    assert torch.equal(ids[:, :prompt_length], prompt)
    for text in ids.tolist():
        if end in text:
            assert set(text[text.index(end) + 1 :]) <= {0}


@given(models, searches)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_a_batch_says_what_its_prompts_say_alone(model: dict, search: dict) -> None:
    network = decoder(**model)
    prompts = torch.randint(1, 40, (3, 4))
    together = network.generate(prompts, max_length=10, **search)
    alone = torch.cat([network.generate(prompt[None], max_length=10, **search) for prompt in prompts])
    assert torch.equal(together, alone)


@given(models, searches | draws, rules, st.integers(1, 5), st.sampled_from(["left", "right", "none"]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_fast_way_chooses_the_same_words(
    model: dict, search: dict, rule: dict, prompt_length: int, padding: str
) -> None:
    network = decoder(**model)
    prompt = torch.randint(1, 40, (2, prompt_length))
    if padding != "none" and prompt_length > 1:
        prompt[0, 0 if padding == "left" else -1] = 0

    def ids(fast: bool) -> torch.Tensor:
        generator = torch.Generator().manual_seed(7)
        return network.generate(prompt, max_length=12, eos_token_id=3, generator=generator, fast=fast, **search, **rule)

    assert torch.equal(ids(fast=True), ids(fast=False))
