"""Prompts of different lengths in one batch: whether each goes on as it would alone, and that it is said where it does not."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

from minibert import BertLMHeadModel
from minibert.generation.search import PROMPT_BLOCK
from tests.unit.tiny_bert import tiny, token_ids

PADDED = (0, 1, 3, 5)  # words of padding before each prompt
LONG = 16


def model(**config: Any) -> BertLMHeadModel:
    return tiny(BertLMHeadModel, is_decoder=True, initializer_range=0.4, **config)


def padded(on_the_left: bool = True) -> tuple[Tensor, Tensor]:
    """Four prompts of 6, 5, 3 and 1 words in a batch, and their mask."""
    ids = token_ids(len(PADDED), 6)
    mask = torch.ones_like(ids)
    for row, number in enumerate(PADDED):
        hidden = slice(None, number) if on_the_left else slice(6 - number, None)
        ids[row, hidden], mask[row, hidden] = 0, 0
    return ids, mask


@pytest.mark.seconds
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("position_embedding_type", ["absolute", "relative_key", "relative_key_query"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_cache": False},
        {"eos_token_id": list(range(20, 40))},
        {"no_repeat_ngram_size": 2, "bad_words_ids": [[5], [17, 20]]},
        {"repetition_penalty": 1.3},
        {"num_beams": 3},
        {"num_beams": 3, "num_return_sequences": 2},
        {"num_beams": 3, "eos_token_id": list(range(20, 60)), "length_penalty": 2.0},
        {"num_beams": 2, "eos_token_id": list(range(40, 60)), "length_penalty": 0.3, "early_stopping": True},
    ],
    ids=str,
)
def test_with_positions_from_the_mask_every_prompt_goes_on_as_it_would_alone(
    options: dict[str, Any], position_embedding_type: str, fast: bool
) -> None:
    decoder = model(position_embedding_type=position_embedding_type)
    ids, mask = padded()
    texts = options.get("num_return_sequences", 1)
    given = {"attention_mask": mask, "max_length": LONG, "fast": fast, "positions_from_mask": True, **options}
    together = decoder.generate(ids, **given).view(len(PADDED), texts, -1)
    for row, number in enumerate(PADDED):
        alone = decoder.generate(ids[row : row + 1, number:], max_length=LONG - number, fast=fast, **options)
        assert torch.equal(together[row, :, number : number + alone.size(1)], alone)


def test_a_long_padded_prompt_is_read_in_blocks_with_the_same_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = model()
    ids, mask = padded()
    given = {"attention_mask": mask, "max_length": LONG, "positions_from_mask": True}
    whole = decoder.generate(ids, **given)
    monkeypatch.setattr("minibert.generation.search.PROMPT_BLOCK", 2)
    assert PROMPT_BLOCK > 2
    for fast in (False, True):
        assert torch.equal(decoder.generate(ids, **given, fast=fast), whole)


def test_sampled_words_have_the_probabilities_of_the_prompt_alone() -> None:
    decoder = model()
    ids, mask = padded()
    options = {
        "return_dict_in_generate": True,
        "output_scores": True,
        "do_sample": True,
        "top_k": 0,
        "max_new_tokens": 1,
    }
    together = decoder.generate(ids, attention_mask=mask, positions_from_mask=True, **options).scores[0]
    for row, number in enumerate(PADDED):
        alone = decoder.generate(ids[row : row + 1, number:], **options).scores[0]
        torch.testing.assert_close(together[row : row + 1], alone, rtol=0, atol=1e-5)


def test_by_default_padding_has_positions_as_in_the_era() -> None:
    decoder = model()
    ids, mask = padded()
    with pytest.warns(UserWarning, match="otherwise than they would alone"):
        together = decoder.generate(ids, attention_mask=mask, max_length=LONG)
    for length in range(6, LONG):
        scores = decoder(
            together[:, :length], attention_mask=torch.cat([mask, mask.new_ones(4, length - 6)], dim=1)
        ).logits
        assert torch.equal(scores[:, -1].argmax(-1), together[:, length])
    alone = decoder.generate(ids[3:, 5:], max_length=LONG - 5)
    assert not torch.equal(together[3:, 5:], alone)


@pytest.mark.parametrize("given", ["a mask", "padding alone"])
@pytest.mark.parametrize("options", [{}, {"fast": True}, {"num_beams": 2}, {"output_scores": False}], ids=str)
def test_a_padded_prompt_is_warned_of_with_what_to_do(options: dict[str, Any], given: str) -> None:
    ids, mask = padded()
    inputs = {"attention_mask": mask} if given == "a mask" else {}
    with pytest.warns(UserWarning, match="pad them on the left, and give positions_from_mask=True") as caught:
        model().generate(ids, **inputs, max_length=8, **options)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_prompt_padded_on_the_right_is_warned_of_whatever_the_positions() -> None:
    ids, mask = padded(on_the_left=False)
    for kind in ("absolute", "relative_key"):
        with pytest.warns(UserWarning, match="pad them on the left"):
            model(position_embedding_type=kind).generate(ids, attention_mask=mask, max_length=8)


def test_counting_words_behind_padding_on_the_right_is_refused() -> None:
    ids, mask = padded(on_the_left=False)
    with pytest.raises(ValueError, match="prompts padded on the left, but one ends in padding"):
        model().generate(ids, attention_mask=mask, max_length=8, positions_from_mask=True)


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ({}, {"positions_from_mask": True}),
        ({"position_embedding_type": "relative_key"}, {}),
        ({"position_embedding_type": "relative_key_query"}, {}),
    ],
    ids=str,
)
def test_nothing_is_said_where_a_padded_prompt_goes_on_as_alone(
    config: dict[str, Any], options: dict[str, Any]
) -> None:
    ids, mask = padded()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(**config).generate(ids, attention_mask=mask, max_length=8, **options)


def test_nothing_is_said_of_prompts_without_padding() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model().generate(token_ids(2, 4), max_length=8)
        model().generate(token_ids(2, 4), attention_mask=torch.ones(2, 4), max_length=8, positions_from_mask=True)
