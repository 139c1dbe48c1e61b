"""Laws of every model class: files give back what they were given, tuples what objects hold, and vocabularies grow."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

import minibert
from tests.property.model_cases import VOCABULARY, Case, batches, cases, lengths, reproducibly

CLASSES: dict[str, dict[str, Any]] = {
    "BertModel": {},
    "BertForPreTraining": {},
    "BertForMaskedLM": {},
    "BertLMHeadModel": {"is_decoder": True},
    "BertForNextSentencePrediction": {},
    "BertForSequenceClassification": {"num_labels": 3},
    "BertForMultipleChoice": {},
    "BertForTokenClassification": {"num_labels": 4},
    "BertForQuestionAnswering": {},
}
WORD_PREDICTORS = ["BertForPreTraining", "BertForMaskedLM", "BertLMHeadModel"]

every_class = pytest.mark.parametrize("class_name", CLASSES)
a_few = settings(reproducibly, max_examples=10)


def test_every_model_class_is_here() -> None:
    base = minibert.BertPreTrainedModel
    exported = (getattr(minibert, name) for name in minibert.__all__)
    models = {c.__name__ for c in exported if isinstance(c, type) and issubclass(c, base) and c is not base}
    assert models - {"EncoderDecoderModel"} == CLASSES.keys()  # a pair has tests of its own


def inputs_of(case: Case, class_name: str, batch: int, length: int) -> dict[str, Tensor]:
    """Words, segments and a mask; for multiple choice two texts an example."""
    if class_name != "BertForMultipleChoice":
        return case.inputs(batch, length)
    return {name: tensor.view(batch, 2, length) for name, tensor in case.inputs(2 * batch, length).items()}


@every_class
@a_few
@given(
    case=cases(),
    tied=st.booleans(),
    cut=st.booleans(),
    safe=st.booleans(),
    shard=st.sampled_from([None, 500, 5000]),
    dtype=st.sampled_from([torch.float32, torch.float32, torch.float16, torch.bfloat16, torch.float64]),
)
def test_loading_what_was_saved_is_the_identity(
    class_name: str, case: Case, tied: bool, cut: bool, safe: bool, shard: int | None, dtype: torch.dtype
) -> None:
    """To the bit, in every format, with pruned heads too; and again after a second save."""
    model = case.model(class_name, **CLASSES[class_name], tie_word_embeddings=tied).to(dtype)
    if cut and model.config.num_hidden_layers and model.config.num_attention_heads > 1:
        model.prune_heads({0: [0]})
    with TemporaryDirectory() as folder:
        for save in ("first", "second"):
            path = Path(folder) / save
            model.save_pretrained(path, safe_serialization=safe, max_shard_size=shard)
            loaded = getattr(minibert, class_name).from_pretrained(
                path, torch_dtype="auto", attn_implementation=model.config.attn_implementation
            )
            assert not loaded.loading_report.needs_attention
            assert loaded.config.to_dict() == model.config.to_dict()
            before, after = model.state_dict(), loaded.state_dict()
            assert before.keys() == after.keys()
            assert all(before[name].dtype == after[name].dtype for name in before)
            assert all(torch.equal(before[name], after[name]) for name in before)
            inputs = inputs_of(case, class_name, 2, 5)
            if dtype == torch.float32:
                assert all(
                    torch.equal(a, b) for a, b in zip(flat(model(**inputs)), flat(loaded(**inputs)), strict=True)
                )
            model = loaded


def flat(value: Any) -> list[Tensor]:
    """Every tensor in an output or in nested tuples, in order."""
    if isinstance(value, Tensor):
        return [value]
    items = value.to_tuple() if hasattr(value, "to_tuple") else value
    return [tensor for item in items for tensor in flat(item)]


@every_class
@a_few
@given(case=cases(), batch=batches, length=lengths, hidden=st.booleans(), attentions=st.booleans())
def test_a_tuple_is_what_the_object_holds(
    class_name: str, case: Case, batch: int, length: int, hidden: bool, attentions: bool
) -> None:
    model = case.model(class_name, **CLASSES[class_name], use_cache=False)
    asked = {"output_hidden_states": hidden, "output_attentions": attentions}
    inputs = inputs_of(case, class_name, batch, length)
    expected = model(**inputs, **asked).to_tuple()
    found = model(**inputs, **asked, return_dict=False)
    assert isinstance(found, tuple)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert type(one) is type(other)
        assert all(torch.equal(a, b) for a, b in zip(flat(one), flat(other), strict=True))


@every_class
@a_few
@given(case=cases(), size=st.integers(1, 2 * VOCABULARY), tied=st.booleans())
def test_resizing_the_vocabulary_keeps_the_old_words(class_name: str, case: Case, size: int, tied: bool) -> None:
    model = case.model(class_name, **CLASSES[class_name], tie_word_embeddings=tied)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    words = model.resize_token_embeddings(size)
    assert words is model.get_input_embeddings()
    assert model.config.vocab_size == words.num_embeddings == size
    of_words = {
        n for n in before if "word_embeddings" in n or "predictions.decoder" in n or n == "cls.predictions.bias"
    }
    for name, tensor in model.state_dict().items():
        kept = min(size, VOCABULARY) if name in of_words else len(tensor)
        assert len(tensor) == (size if name in of_words else len(before[name]))
        assert torch.equal(tensor[:kept], before[name][:kept])


@pytest.mark.parametrize("class_name", WORD_PREDICTORS)
@a_few
@given(case=cases(), size=st.integers(1, 2 * VOCABULARY), tied=st.booleans())
def test_a_resized_model_still_predicts_words_with_its_tied_decoder(
    class_name: str, case: Case, size: int, tied: bool
) -> None:
    """New words start with bias 0, and the old ones keep their scores."""
    model = case.model(class_name, **CLASSES[class_name], tie_word_embeddings=tied)
    inputs = {**case.inputs(2, 5), "input_ids": torch.zeros(2, 5, dtype=torch.long)}
    position = 0 if class_name != "BertForPreTraining" else "prediction_logits"
    before = model(**inputs)[position]
    model.resize_token_embeddings(size)
    decoder = model.get_output_embeddings()
    assert (decoder.weight is model.get_input_embeddings().weight) == tied
    assert decoder.bias is model.cls.predictions.bias
    assert torch.equal(decoder.bias[VOCABULARY:], torch.zeros(max(0, size - VOCABULARY)))
    after = model(**inputs)[position]
    kept = min(size, VOCABULARY)
    assert after.shape == (2, 5, size)
    assert torch.allclose(after[..., :kept], before[..., :kept], rtol=0, atol=1e-5)
