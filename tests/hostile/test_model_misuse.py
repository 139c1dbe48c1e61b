"""Misuse that needs a model at work: caches, masks, vectors and vocabularies of the wrong kind, refused clearly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from minibert import BertModel, BertPreTrainedModel
from tests.unit.tiny_bert import same_weights, tiny, token_ids


def refused(model: BertPreTrainedModel, message: str, **inputs: object) -> None:
    with pytest.raises(ValueError, match=message):
        model(**inputs)


def test_a_refused_pruning_prunes_nothing() -> None:
    model = tiny(BertModel)
    with pytest.raises(ValueError, match="Cannot prune heads"):
        model.prune_heads({0: [1], 1: [99]})
    assert same_weights(model, tiny(BertModel))
    assert model.config.pruned_heads == {}


def test_a_vocabulary_cannot_be_cut_below_its_padding_word() -> None:
    with pytest.raises(ValueError, match="pad"):
        tiny(BertModel, pad_token_id=50).resize_token_embeddings(3)


@pytest.mark.parametrize("size", [10.5, "10", True])
def test_a_vocabularys_size_is_a_whole_number(size: object) -> None:
    with pytest.raises(ValueError, match="resize"):
        tiny(BertModel).resize_token_embeddings(size)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.int16, torch.int8, torch.uint8])
@pytest.mark.parametrize("name", ["input_ids", "token_type_ids", "position_ids"])
def test_a_kind_of_integer_that_a_table_cannot_be_read_with_is_refused(dtype: torch.dtype, name: str) -> None:
    inputs = {"input_ids": token_ids(), name: torch.ones(2, 7, dtype=dtype)}
    refused(tiny(BertModel), f"{name} has dtype {dtype}", **inputs)


def test_ids_that_are_no_tensor_are_refused() -> None:
    refused(tiny(BertModel), "input_ids", input_ids=token_ids().tolist())


def test_a_mask_that_is_no_tensor_is_refused() -> None:
    refused(tiny(BertModel), "attention_mask", input_ids=token_ids(), attention_mask=[[1] * 7] * 2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_vectors_of_another_dtype_than_the_models_are_refused(dtype: torch.dtype) -> None:
    refused(tiny(BertModel), "inputs_embeds has dtype", inputs_embeds=torch.zeros(2, 7, 32, dtype=dtype))


def test_positions_given_by_hand_do_not_let_a_sequence_outgrow_the_model_by_accident() -> None:
    """It is either computed or refused clearly; now it ends in torch's "expanded size" error."""
    ids = token_ids(2, 30)
    model = tiny(BertModel)
    try:
        assert model(ids, position_ids=torch.zeros_like(ids))[0].shape == (2, 30, 32)
    except ValueError as error:
        assert "positions" in str(error)  # noqa: PT017


@pytest.mark.parametrize("wrong", [lambda t: t[:, :2], lambda t: t[..., :4]], ids=["heads", "head size"])
def test_a_cache_of_other_heads_is_refused(wrong: Callable[[torch.Tensor], torch.Tensor]) -> None:
    model = tiny(BertModel, is_decoder=True)
    past = tuple(tuple(wrong(tensor) for tensor in layer) for layer in model(token_ids()).past_key_values)
    refused(model, r"past_key_values\[0\] holds a tensor", input_ids=token_ids(), past_key_values=past)


def test_a_cache_made_without_the_encoder_is_refused_with_one() -> None:
    model = tiny(BertModel, is_decoder=True, add_cross_attention=True)
    past = model(token_ids()).past_key_values
    refused(
        model,
        r"past_key_values\[0\] has 2 tensors",
        input_ids=token_ids(),
        past_key_values=past,
        encoder_hidden_states=torch.zeros(2, 5, 32),
    )


@pytest.mark.parametrize("shape", [(2, 1, 3, 1, 1), (3, 1, 4, 1, 1), (2, 4, 1)])
def test_a_head_mask_of_five_dimensions_must_fit_too(shape: tuple[int, ...]) -> None:
    refused(tiny(BertModel), "head_mask has shape", input_ids=token_ids(), head_mask=torch.ones(shape))


def test_a_chunk_that_does_not_divide_the_sequence_is_refused_before_any_arithmetic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny(BertModel, chunk_size_feed_forward=4)
    monkeypatch.setattr(model.embeddings, "forward", lambda **_: pytest.fail("arithmetic had begun"))
    refused(model, "no multiple of chunk_size_feed_forward = 4", input_ids=token_ids())
