"""What `generate` is given is checked before the first word: no traceback from inside, and no number that nobody meant."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from minibert import BertLMHeadModel
from tests.unit.tiny_bert import tiny

IDS = torch.tensor([[5, 6, 7], [8, 9, 10]])


@pytest.fixture
def model() -> Any:
    return tiny(BertLMHeadModel, is_decoder=True, initializer_range=0.5).eval()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_length": True}, "max_length is True; it must be a whole number"),
        (
            {"input_ids": IDS[:1], "eos_token_id": 3, "pad_token_id": 999, "num_beams": 2, "num_return_sequences": 2},
            "pad_token_id is 999",
        ),
        ({"max_length": "9"}, "max_length is '9'; it must be a whole number"),
        ({"max_length": 9.9}, "max_length is 9.9; it must be a whole number"),
        ({"max_length": float("nan")}, "max_length is nan; it must be a whole number"),
        (
            {"max_length": None, "max_new_tokens": 1.5},
            "max_length is 4.5; it must be a whole number, and so must max_new_tokens",
        ),
        ({"eos_token_id": 3, "pad_token_id": 999}, "pad_token_id is 999; it must be among the ids below"),
        ({"eos_token_id": 3, "pad_token_id": -1}, "pad_token_id is -1; it must be among the ids below"),
        (
            {"attention_mask": torch.ones(2, 3, 3)},
            r"attention_mask has shape \(2, 3, 3\); it must be \(batch, prompt\)",
        ),
        ({"attention_mask": torch.ones(4, 3)}, r"attention_mask has shape \(4, 3\); it must be"),
        ({"input_ids": [[5, 6, 7]]}, "input_ids is of type list, and must be a tensor"),
        ({"input_ids": IDS[:0]}, "There is no prompt"),
        ({"input_ids": IDS[:0], "num_beams": 2}, "There is no prompt"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_named(model: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        model.generate(**{"input_ids": IDS, "max_length": 8, **given})


@pytest.mark.parametrize("length", [6.0, torch.tensor(6)], ids=str)
def test_a_whole_number_may_be_written_in_any_way(model: Any, length: Any) -> None:
    assert torch.equal(model.generate(IDS, max_length=length), model.generate(IDS, max_length=6))
    assert torch.equal(model.generate(IDS, max_new_tokens=length), model.generate(IDS, max_length=9))


@pytest.mark.parametrize(
    "given", [{"pad_token_id": 999}, {"pad_token_id": -1, "eos_token_id": 3, "num_beams": 2}], ids=str
)
def test_what_never_pads_may_be_any_token(model: Any, given: dict[str, Any]) -> None:
    one = IDS[:1] if "eos_token_id" in given else IDS
    assert model.generate(one, max_length=6, **given).size(0) == len(one)


@pytest.mark.parametrize(
    "search", [{}, {"num_beams": 3}, {"fast": True}, {"output_scores": True, "return_dict_in_generate": True}], ids=str
)
@pytest.mark.parametrize("rule", [{"repetition_penalty": 1.8}, {"no_repeat_ngram_size": 2}], ids=str)
@pytest.mark.parametrize("seed", range(8))
def test_padding_on_the_left_is_no_word_for_the_rules(seed: int, rule: dict[str, Any], search: dict[str, Any]) -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, initializer_range=2.0, seed=seed, vocab_size=12).eval()
    model.cls.predictions.bias.data[0] = 20.0  # the token that pads is a likely word, too
    prompt = torch.tensor([[5, 6, 7]])
    padded, mask = torch.tensor([[0, 0, 0, 5, 6, 7]]), torch.tensor([[0, 0, 0, 1, 1, 1]])
    alone = model.generate(prompt, max_new_tokens=8, **rule, **search)
    found = model.generate(padded, attention_mask=mask, positions_from_mask=True, max_new_tokens=8, **rule, **search)
    alone, found = (getattr(each, "sequences", each) for each in (alone, found))
    assert found[:, 3:].tolist() == alone.tolist()


def test_no_word_is_forbidden_for_the_padding(model: Any) -> None:
    model.cls.predictions.bias.data[-1] = 20.0
    padded, mask = torch.tensor([[0, 0, 5, 6]]), torch.tensor([[0, 0, 1, 1]])
    given = {"positions_from_mask": True, "max_length": 6, "no_repeat_ngram_size": 1}
    assert model.generate(padded, attention_mask=mask, **given)[0, 4] == model.config.vocab_size - 1


def cached(model: Any, encoder: Tensor) -> Any:
    return model(IDS, encoder_hidden_states=encoder, use_cache=True).past_key_values


def test_keys_of_another_encoder_are_refused() -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=True).eval()
    width = model.config.hidden_size
    encoder = torch.randn(2, 5, width)
    past = cached(model, encoder)
    new = {"input_ids": IDS[:, :1], "past_key_values": past}
    model(**new, encoder_hidden_states=encoder)
    with pytest.raises(ValueError, match=r"it must be \(2, 4, 4, \d+\), as encoder_hidden_states is"):
        model(**new, encoder_hidden_states=torch.randn(2, 4, width))
    of_one = [tuple(tensor[:1] if cross > 1 else tensor for cross, tensor in enumerate(layer)) for layer in past]
    with pytest.raises(ValueError, match=r"as encoder_hidden_states is"):
        model(**{**new, "past_key_values": of_one}, encoder_hidden_states=encoder)
    narrow = [(*(tensor.bfloat16() for tensor in layer[:2]), *layer[2:]) for layer in past]  # to save memory
    model(**{**new, "past_key_values": narrow}, encoder_hidden_states=encoder)
    numbers = [(*(tensor.long() for tensor in layer[:2]), *layer[2:]) for layer in past]
    with pytest.raises(ValueError, match=r"past_key_values\[0\] has dtype torch.int64"):
        model(**{**new, "past_key_values": numbers}, encoder_hidden_states=encoder)
    short = model(IDS[:, :2], encoder_hidden_states=encoder[:, :2], use_cache=True).past_key_values  # both are 2 long
    half = [tuple(tensor.half() for tensor in layer) for layer in short]
    with pytest.raises(ValueError, match=r"past_key_values\[0\] has dtype torch.float16"):
        model(IDS[:, :1], past_key_values=half, encoder_hidden_states=encoder[:, :2])
    half = [tuple(tensor.half() for tensor in layer) for layer in past]
    with pytest.raises(ValueError, match=r"past_key_values\[0\] has dtype torch.float16"):
        model(**{**new, "past_key_values": half}, encoder_hidden_states=encoder)


def test_a_negative_number_of_scored_positions_is_refused(model: Any) -> None:
    with pytest.raises(ValueError, match="logits_to_keep is -1"):
        model(IDS, logits_to_keep=-1)
