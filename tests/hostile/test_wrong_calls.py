"""Calls that cannot be meant: each is an error that names what is wrong, before any arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.utils._pytree as pytree

import minibert
from minibert import BertConfig, BertModel, BertTokenizer
from tests.unit.tiny_bert import SIZES, tiny, token_ids

LABELS: dict[str, dict[str, Any]] = {
    "BertForSequenceClassification": {"labels": [0, 1]},
    "BertForTokenClassification": {"labels": [[0] * 7] * 2},
    "BertForMaskedLM": {"labels": [[1] * 7] * 2},
    "BertForQuestionAnswering": {"start_positions": [1, 2], "end_positions": [2, 3]},
    "BertForNextSentencePrediction": {"labels": [0, 1]},
    "BertForPreTraining": {"labels": [[1] * 7] * 2, "next_sentence_label": [0, 1]},
    "BertForMultipleChoice": {"labels": [0]},
    "BertLMHeadModel": {"labels": [[1] * 7] * 2},
}


def ids_for(name: str) -> torch.Tensor:
    return token_ids()[None] if name == "BertForMultipleChoice" else token_ids()


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("make", [list, np.array, tuple], ids=["list", "array", "tuple"])
@pytest.mark.parametrize("what", ["labels", "input_ids", "attention_mask", "token_type_ids"])
def test_heads_refuse_what_is_no_tensor_by_its_name(name: str, make: Any, what: str) -> None:
    ids = ids_for(name)
    given: dict[str, Any] = {"input_ids": ids}
    if what == "labels":
        given |= {key: make(value) for key, value in LABELS[name].items()}
    else:
        given[what] = make(ids.tolist())
    with pytest.raises(
        ValueError,
        match=r"(labels?|positions|input_ids|attention_mask|token_type_ids) is of type \w+, and must be a tensor",
    ):
        tiny(getattr(minibert, name))(**given)


MASKS = {
    "float32": torch.tensor([[1.0] * 7, [1.0] * 4 + [0.0] * 3]),
    "float64": torch.tensor([[1.0] * 7, [1.0] * 4 + [0.0] * 3]).double(),
    "float16": torch.tensor([[1.0] * 7, [1.0] * 4 + [0.0] * 3]).half(),
    "bool": torch.tensor([[True] * 7, [True] * 4 + [False] * 3]),
    "int32": torch.tensor([[1] * 7, [1] * 4 + [0] * 3]).int(),
    "uint8": torch.tensor([[1] * 7, [1] * 4 + [0] * 3]).to(torch.uint8),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("implementation", ["eager", "sdpa", "packed"])
def test_a_mask_means_the_same_in_every_dtype_and_every_attention(mask: torch.Tensor, implementation: str) -> None:
    eager, other = tiny(BertModel), tiny(BertModel, attn_implementation=implementation)
    real = MASKS["bool"]
    expected = eager(token_ids(), attention_mask=real.long()).last_hidden_state[real]
    assert torch.allclose(other(token_ids(), attention_mask=mask).last_hidden_state[real], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["BertModel", *LABELS])
def test_outputs_are_known_to_pytree_as_ddp_needs_them(name: str) -> None:
    output = tiny(getattr(minibert, name))(ids_for(name))
    leaves, structure = pytree.tree_flatten(output)
    assert all(isinstance(leaf, torch.Tensor) for leaf in leaves)
    assert type(pytree.tree_unflatten(leaves, structure)) is type(output)


@pytest.mark.parametrize("name", ["BertModel", *LABELS])
def test_a_default_device_holds_the_whole_model(name: str) -> None:
    with torch.device("meta"):
        model = getattr(minibert, name)(BertConfig(**SIZES))
    assert {each.device.type for each in (*model.parameters(), *model.buffers())} == {"meta"}


@pytest.mark.parametrize("name", ["BertModel", *(name for name in LABELS if name != "BertLMHeadModel")])
def test_generate_on_a_model_that_predicts_no_next_word_says_which_does(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} predicts no next word.*BertLMHeadModel"):
        tiny(getattr(minibert, name)).generate(ids_for(name))


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer.from_pretrained("novels-4l-256h")


@pytest.mark.parametrize("value", [0, -1, -(10**9), 1.5, "5", float("nan"), [5]])
@pytest.mark.parametrize("name", ["max_length", "pad_to_multiple_of"])
@pytest.mark.parametrize("how", [{"truncation": True}, {"padding": "max_length"}, {"padding": True}, {}])
def test_a_length_that_is_none_is_refused(tokenizer: BertTokenizer, value: Any, name: str, how: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{name} = .* must be a whole number of at least 1"):
        tokenizer("the cat sat", **{name: value}, **how)


@pytest.mark.parametrize("value", [-1, -100, 1.5, "5", float("inf")])
def test_a_stride_that_is_none_is_refused(tokenizer: BertTokenizer, value: Any) -> None:
    with pytest.raises(ValueError, match=r"stride = .* must be a whole number of at least 0"):
        tokenizer("the cat sat", truncation=True, max_length=4, stride=value, return_overflowing_tokens=True)


@pytest.mark.parametrize("value", [-1, -100, -(2**70), [5, -1], torch.tensor([-100, 5]), np.array([-9])])
def test_negative_ids_are_refused(tokenizer: BertTokenizer, value: Any) -> None:
    for decode in (tokenizer.decode, tokenizer.convert_ids_to_tokens, lambda ids: tokenizer.batch_decode([ids])):
        with pytest.raises(ValueError, match=r"-?\d+ is the id of no token: they begin at 0"):
            decode(value)


@pytest.mark.parametrize("value", [8192, 10**9, 2**70, [5, 8192], torch.tensor([5, 9000]), np.array([8193])])
def test_ids_beyond_the_vocabulary_are_refused(tokenizer: BertTokenizer, value: Any) -> None:
    for decode in (tokenizer.decode, tokenizer.convert_ids_to_tokens, lambda ids: tokenizer.batch_decode([ids])):
        with pytest.raises(ValueError, match=r"\d+ is the id of no token: the last one is 8191\. Is it of another"):
            decode(value)


def test_an_added_token_moves_the_last_id_and_a_gap_stays_unknown() -> None:
    own = BertTokenizer({"[UNK]": 0, "[PAD]": 1, "a": 4})
    assert own.decode([2, 4]) == "[UNK] a"
    with pytest.raises(ValueError, match="the last one is 4"):
        own.decode([5])
    grown = BertTokenizer({"[UNK]": 0, "[PAD]": 1, "a": 2, **dict.fromkeys(("[CLS]", "[SEP]", "[MASK]"), 2)})
    grown.add_tokens(["new"])
    assert grown.convert_ids_to_tokens(len(grown) - 1) == "new"


@pytest.mark.parametrize(
    "value", ["abc", ["abc"], None, [None], 1.5, [1.5], [[1, 2]], torch.tensor([[1, 2]]), {"a": 1}, b"\xff" and "x"]
)
def test_what_is_no_id_is_refused(tokenizer: BertTokenizer, value: Any) -> None:
    for decode in (tokenizer.decode, tokenizer.convert_ids_to_tokens):
        with pytest.raises(ValueError, match="Ids are whole numbers, one or a sequence of them, not"):
            decode(value)


@pytest.mark.parametrize("value", [None, 5, 1.5, b"abc", {}, ["a"], object()])
def test_what_is_no_text_is_refused(tokenizer: BertTokenizer, value: Any) -> None:
    with pytest.raises(ValueError, match="tokenize takes a str, not"):
        tokenizer.tokenize(value)
    if not isinstance(value, list):
        for call in (tokenizer, tokenizer.encode, lambda text: tokenizer(["a", text])):
            with pytest.raises(ValueError, match="expected a str, a list of tokens or a list of ids, got"):
                call(value)


@pytest.mark.parametrize(
    "field",
    [
        "use_return_dict",
        "hidden_size_per_head",
        "to_dict",
        "validate",
        "__class__",
        "__dict__",
        "attribute_map",
        "_with",
        "from_pretrained",
    ],
)
def test_a_field_cannot_take_the_place_of_a_method_or_property(field: str) -> None:
    with pytest.raises(ValueError, match=f"'{field}' is the name of something else"):
        BertConfig(**{field: 5})
