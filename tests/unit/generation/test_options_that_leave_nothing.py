"""Ends in several tokens, and options that leave no word: kept to, or an error that names them; never another text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from minibert import BertLMHeadModel
from tests.unit.tiny_bert import SIZES, tiny, token_ids

WORDS = SIZES["vocab_size"]
PROMPT = token_ids(2, 4)
END = 3
ALL_BUT_THE_END = [[word] for word in range(WORDS) if word != END]
SEARCHES: list[dict[str, Any]] = [
    {},
    {"fast": True},
    {"do_sample": True},
    {"num_beams": 2},
    {"num_beams": 3, "do_sample": True},
    {"return_dict_in_generate": True},
    {"return_dict_in_generate": True, "num_beams": 2},
    {"return_dict_in_generate": True, "do_sample": True},
]


@pytest.fixture
def model() -> BertLMHeadModel:
    return tiny(BertLMHeadModel, is_decoder=True, initializer_range=0.4)


def texts(model: BertLMHeadModel, **options: Any) -> list[list[int]]:
    torch.manual_seed(0)
    output = model.generate(PROMPT, **{"max_length": 12, "pad_token_id": 0, **options})
    return (output if isinstance(output, torch.Tensor) else output.sequences).tolist()


def said(model: BertLMHeadModel, **options: Any) -> list[int]:
    """The words behind the first prompt, without an end."""
    return texts(model, **options)[0][4:]


# ------------------------------------------------------------------------------------------------------- several end tokens


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_a_text_ends_at_the_first_of_several_end_tokens(model: BertLMHeadModel, search: dict[str, Any]) -> None:
    endless = said(model, **search)
    ends = [endless[2], 98]
    for text in texts(model, eos_token_id=ends, **search):
        found = [i for i, word in enumerate(text) if i >= 4 and word in ends]
        assert all(word == 0 for word in text[found[0] + 1 :]) if found else len(text) == 12


@pytest.mark.parametrize(
    "listed",
    [lambda e: [e, 98], lambda e: (98, e), np.array, torch.tensor, lambda e: np.array([e, 98]), lambda e: [e, e]],
)
def test_an_end_token_may_be_listed_in_any_way(model: BertLMHeadModel, listed: Any) -> None:
    end = said(model)[2]
    assert texts(model, eos_token_id=listed(end)) == texts(model, eos_token_id=end)


@pytest.mark.parametrize("num_beams", [2, 4])
def test_beams_that_end_in_several_tokens_keep_their_own(model: BertLMHeadModel, num_beams: int) -> None:
    ends = list(range(20, 60))
    found = texts(model, eos_token_id=ends, num_beams=num_beams, num_return_sequences=num_beams)
    for text in found:
        at = next(i for i, word in enumerate(text) if i >= 4 and word in ends)
        assert set(text[at + 1 :]) <= {0}
    assert len({word for text in found for word in text[4:] if word in ends}) > 1


def test_none_of_several_ends_comes_before_min_length(model: BertLMHeadModel) -> None:
    ends = list(range(2, 90))
    for search in SEARCHES:
        for text in texts(model, eos_token_id=ends, min_length=9, **search):
            assert not set(text[4:9]) & set(ends)


def test_padding_is_an_end_where_the_config_names_none(model: BertLMHeadModel) -> None:
    model.config.pad_token_id = None
    end = said(model)[1]
    rows = model.generate(PROMPT, max_length=12, eos_token_id=[end, 98])
    assert set(rows[0, 6:].tolist()) <= {end, 98}


@pytest.mark.parametrize("ends", [WORDS, -1, WORDS + 5, [3, WORDS], [-3], 2.5, list(range(WORDS))], ids=str)
@pytest.mark.parametrize("search", SEARCHES[:4], ids=str)
def test_an_end_that_no_word_can_be_is_refused(model: BertLMHeadModel, search: dict[str, Any], ends: Any) -> None:
    with pytest.raises(ValueError, match=r"eos_token_id is .* must be among the ids below 99"):
        texts(model, eos_token_id=ends, **search)


# ---------------------------------------------------------------------------------------------------------- nothing is left

IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"bad_words_ids": ALL_BUT_THE_END, "min_length": 8, "eos_token_id": END}, "min_length or bad_words_ids"),
    ({"bad_words_ids": [*ALL_BUT_THE_END, [END]]}, "bad_words_ids"),
    ({"bad_words_ids": ALL_BUT_THE_END, "no_repeat_ngram_size": 1}, "no_repeat_ngram_size or bad_words_ids"),
    ({"bad_words_ids": ALL_BUT_THE_END, "no_repeat_ngram_size": 2}, "no_repeat_ngram_size or bad_words_ids"),
    ({"bad_words_ids": ALL_BUT_THE_END[5:], "no_repeat_ngram_size": 1}, "no_repeat_ngram_size or bad_words_ids"),
    ({"bad_words_ids": [*ALL_BUT_THE_END, [END, END]]}, "bad_words_ids"),
]


@pytest.mark.parametrize(("options", "named"), IMPOSSIBLE, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_no_forbidden_word_comes_where_nothing_else_is_left(
    model: BertLMHeadModel, search: dict[str, Any], options: dict[str, Any], named: str
) -> None:
    plain = "return_dict_in_generate" not in search
    with pytest.raises(ValueError, match=f"No word can follow.*{named if plain else 'processors'}"):
        texts(model, **options, **search)


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_a_text_that_can_only_end_ends(model: BertLMHeadModel, search: dict[str, Any]) -> None:
    for text in texts(model, bad_words_ids=ALL_BUT_THE_END, eos_token_id=END, **search):
        assert text[4:] == [END]


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_a_text_that_has_ended_needs_no_word_while_others_go_on(model: BertLMHeadModel, search: dict[str, Any]) -> None:
    """The second prompt forbids itself all but the end at once; the first may go on."""
    model.config.min_length = 0
    others = [[int(PROMPT[1, -1]), word] for word in range(WORDS) if word != END]
    found = texts(
        model,
        bad_words_ids=[*others, [END, END], [0, 0], *([0, w] for w in range(1, WORDS))],
        eos_token_id=END,
        **search,
    )
    assert found[1][4] == END
    assert set(found[1][5:]) <= {0}
    assert len(found[0]) >= 6


def test_more_words_than_there_are_cannot_all_differ() -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, max_position_embeddings=200)
    seen: list[torch.Tensor] = []
    with pytest.raises(ValueError, match=r"no_repeat_ngram_size=1 .* max_length asks for 116"):
        model.generate(PROMPT, max_length=120, no_repeat_ngram_size=1, on_tokens=seen.append)
    assert seen == []
    with pytest.raises(ValueError, match=r"No word can follow the 99 tokens.*no_repeat_ngram_size"):
        model.generate(torch.tensor([[5]]), max_length=100, no_repeat_ngram_size=1)
    whole = model.generate(torch.tensor([[5]]), max_length=99, no_repeat_ngram_size=1)
    assert len(set(whole[0].tolist())) == 99


def test_fewer_texts_than_asked_for_are_not_filled_with_forbidden_ones(model: BertLMHeadModel) -> None:
    options = {"bad_words_ids": ALL_BUT_THE_END, "eos_token_id": END, "num_beams": 3, "num_return_sequences": 3}
    found = texts(model, **options)
    assert all(text[4:] == [END] for text in found)


@pytest.mark.parametrize("word", [5, "5", None], ids=str)
def test_a_bad_word_is_a_list_of_pieces(model: BertLMHeadModel, word: Any) -> None:
    with pytest.raises(ValueError, match=r"bad_words_ids holds .*; a word is a list of ids below 99"):
        texts(model, bad_words_ids=[[7], word])


def test_min_length_beyond_max_length_means_no_end(model: BertLMHeadModel) -> None:
    for search in SEARCHES:
        for text in texts(model, min_length=50, eos_token_id=END, **search):
            assert END not in text[4:]
            assert len(text) == 12


# ------------------------------------------------------------------------------------------------------------- temperatures


@pytest.mark.parametrize("temperature", [1e-42, 1e-45, 1e-60, 1e-39])
@pytest.mark.parametrize("search", [{}, {"num_beams": 2}, {"num_beams": 3, "num_return_sequences": 2}], ids=str)
def test_a_temperature_that_makes_scores_infinite_is_named(
    model: BertLMHeadModel, search: dict[str, Any], temperature: float
) -> None:
    with pytest.raises(ValueError, match=r"No word can follow the 4 tokens.*Loosen temperature"):
        texts(model, do_sample=True, temperature=temperature, **search)


def test_a_very_low_temperature_that_scores_can_bear_draws_the_likeliest_word(model: BertLMHeadModel) -> None:
    assert texts(model, do_sample=True, temperature=1e-30) == texts(model)


@pytest.mark.parametrize(
    ("temperature", "options"),
    [
        (0.2, {"num_beams": 3}),
        (0.1, {"num_beams": 2}),
        (0.3, {"num_beams": 3, "num_return_sequences": 2}),
        (0.2, {"num_beams": 4, "top_k": 0}),
        (0.2, {"num_beams": 3, "top_p": 0.9}),
        (0.25, {"num_beams": 3, "eos_token_id": [3, 4], "min_length": 200}),
        (0.2, {"num_beams": 3, "repetition_penalty": 1.1}),
        (0.2, {"num_beams": 3, "return_dict_in_generate": True}),
    ],
    ids=str,
)
def test_beams_that_overflow_say_why_and_what_to_do(temperature: float, options: dict[str, Any]) -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, initializer_range=0.4, max_position_embeddings=200)
    torch.manual_seed(0)
    with pytest.raises(ValueError, match="No word can follow") as error:
        model.generate(PROMPT, do_sample=True, temperature=temperature, max_length=200, **options)
    assert "temperature" in str(error.value)
    assert "once more at each word" in str(error.value)


def test_beams_above_a_temperature_of_one_never_overflow() -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, initializer_range=0.4, max_position_embeddings=200)
    options: Sequence[dict[str, Any]] = ({"temperature": 1.0}, {"temperature": 3.0})
    for each in options:
        assert model.generate(PROMPT, do_sample=True, num_beams=3, max_length=200, **each).size(1) == 200


def test_a_model_whose_scores_are_no_numbers_is_not_asked_for_words(model: BertLMHeadModel) -> None:
    model.cls.predictions.bias.data[7] = float("nan")
    for search in SEARCHES[:5]:
        with pytest.raises(ValueError, match="No word can follow"):
            texts(model, **search)
