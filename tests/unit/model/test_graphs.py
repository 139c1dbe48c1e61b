"""Captured graphs compute what the model computes, and checks stand aside while one is captured."""

import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx

from minibert import (
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertLMHeadModel,
    BertModel,
    BertPreTrainedModel,
)
from minibert.compat.attach import attach
from minibert.outputs import BaseModelOutputWithPoolingAndCrossAttentions
from tests.unit.tiny_bert import BUNDLED, text_batch, tiny, token_ids


def inputs(batch: int = 2, seq: int = 7) -> tuple[Tensor, Tensor]:
    """Ids and a mask that hides the end of the last row."""
    ids = token_ids(batch, seq)
    mask = torch.ones_like(ids)
    mask[-1, seq // 2 :] = 0
    return ids, mask


def assert_same(results: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> None:
    torch.testing.assert_close(tuple(results), tuple(expected), rtol=0, atol=1e-6)


def traced(model: BertPreTrainedModel) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that tracing is deprecated, and that sizes are fixed while traced
        return torch.jit.trace(model, inputs())


@pytest.mark.parametrize("model_class", [BertModel, BertForPreTraining])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_traced_model_computes_the_same_for_any_batch_and_length(
    model_class: type[BertModel], attention: str
) -> None:
    model = tiny(model_class, torchscript=True, attn_implementation=attention)
    graph = traced(model)
    for batch, seq in [(2, 7), (3, 9), (1, 4)]:
        assert_same(graph(*inputs(batch, seq)), model(*inputs(batch, seq)))


@pytest.mark.seconds
@pytest.mark.parametrize(
    "model_class",
    [
        *(BertForMaskedLM, BertForNextSentencePrediction, BertForPreTraining, BertForQuestionAnswering, BertModel),
        *(BertForSequenceClassification, BertForTokenClassification, BertLMHeadModel, BertForMultipleChoice),
    ],
)
def test_a_model_traced_by_the_names_of_its_inputs_gives_its_outputs_by_name(
    model_class: type[BertPreTrainedModel],
) -> None:
    model = tiny(model_class, use_cache=False, is_decoder=model_class is BertLMHeadModel)

    def named(batch: int, seq: int) -> dict[str, Tensor]:
        given = dict(zip(("input_ids", "attention_mask"), inputs(batch, seq), strict=True))
        choices = model_class is BertForMultipleChoice
        return {name: column[:, None].expand(-1, 2, -1) for name, column in given.items()} if choices else given

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = torch.jit.trace(model, example_kwarg_inputs=named(2, 7), strict=False)
    for batch, seq in [(2, 7), (3, 9), (1, 4)]:
        found, expected = graph(**named(batch, seq)), model(**named(batch, seq))
        assert list(found) == list(expected)
        assert_same(tuple(found.values()), expected.to_tuple())


def test_tracing_warns_of_no_size_that_was_looked_at() -> None:
    model = tiny(BertModel, torchscript=True)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        attach()  # pytest has filters of its own: the library's come first again
        torch.jit.trace(model, inputs())
    assert [warning.category.__name__ for warning in said if "Tracer" in warning.category.__name__] == []


def test_a_mask_of_ones_at_tracing_time_is_not_frozen_into_the_graph() -> None:
    model, ids = tiny(BertModel, torchscript=True), token_ids()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = torch.jit.trace(model, (ids, torch.ones_like(ids)))
    assert_same(graph(*inputs()), model(*inputs()))


def test_an_exported_model_computes_the_same() -> None:
    model = tiny(BertModel)
    program = torch.export.export(model, inputs(), {"return_dict": False})
    ids, mask = token_ids().flip(1), text_batch()["attention_mask"]
    assert_same(program.module()(ids, mask, return_dict=False), model(ids, mask, return_dict=False))


@pytest.mark.seconds
def test_an_exported_model_takes_any_batch_and_length_and_gives_an_output_object() -> None:
    model = tiny(BertForSequenceClassification)
    sizes = {0: torch.export.Dim("batch", min=1, max=8), 1: torch.export.Dim("seq", min=1, max=16)}
    ids, mask = inputs()
    named = {"input_ids": ids, "attention_mask": mask}
    program = torch.export.export(model, (), named, dynamic_shapes=dict.fromkeys(named, sizes)).module()
    for batch, seq in [(2, 7), (3, 9), (1, 4)]:
        ids, mask = inputs(batch, seq)
        assert_same((program(input_ids=ids, attention_mask=mask).logits,), (model(ids, mask).logits,))


def test_the_gradient_of_each_example_by_vmap_is_that_of_a_batch_of_one() -> None:
    model = tiny(BertForSequenceClassification)
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    (ids, mask), labels = inputs(), torch.tensor([0, 1])

    def loss(weights: dict[str, Tensor], ids: Tensor, mask: Tensor, label: Tensor) -> Tensor:
        arguments = {"attention_mask": mask[None], "labels": label[None]}
        return torch.func.functional_call(model, weights, (ids[None],), arguments).loss

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0, 0))(weights, ids, mask, labels)
    for example in (0, 1):
        model.zero_grad()
        model(
            ids[example : example + 1], mask[example : example + 1], labels=labels[example : example + 1]
        ).loss.backward()
        torch.testing.assert_close(each["classifier.weight"][example], model.classifier.weight.grad, rtol=0, atol=1e-6)


def test_a_tensor_that_is_only_a_shape_goes_through_the_checks() -> None:
    with FakeTensorMode() as shapes_only:
        model = tiny(BertModel)
        ids = shapes_only.from_tensor(token_ids())
        assert model(ids, attention_mask=torch.ones_like(ids)).last_hidden_state.shape == (2, 7, 32)


def test_a_compiled_model_computes_the_same_in_one_graph() -> None:
    model = tiny(BertModel)
    outputs = torch.compile(model, backend="eager", fullgraph=True)(**text_batch())
    assert type(outputs) is BaseModelOutputWithPoolingAndCrossAttentions
    assert_same(outputs.to_tuple(), model(**text_batch()).to_tuple())


WORDS, CLASSES = token_ids().clone(), torch.tensor([1, 0])
WORDS[:, 2:] = -100
LABELLED: list[tuple[type[BertPreTrainedModel], dict[str, Tensor]]] = [
    (BertForMaskedLM, {"labels": WORDS}),
    (BertForPreTraining, {"labels": WORDS, "next_sentence_label": CLASSES}),
    (BertForSequenceClassification, {"labels": CLASSES}),
    (BertForQuestionAnswering, {"start_positions": CLASSES, "end_positions": CLASSES + 1}),
]


@pytest.mark.seconds
@pytest.mark.parametrize("attention", ["eager", "packed"])
@pytest.mark.parametrize(("model_class", "labels"), LABELLED, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("way", ["compile", "make_fx", "make_fx with fake tensors", "vmap", "fake tensors"])
def test_checks_stop_no_graph_no_transform_and_no_shape(
    way: str, model_class: type[BertPreTrainedModel], labels: dict[str, Tensor], attention: str
) -> None:
    model, batch = tiny(model_class, attn_implementation=attention), {**text_batch(), **labels}

    def loss(*columns: Tensor) -> Tensor:
        return model(**dict(zip(batch, columns, strict=True))).loss

    expected = loss(*batch.values()) if attention == "eager" else None
    if way == "fake tensors":
        with FakeTensorMode(allow_non_fake_inputs=True) as shapes_only:
            assert loss(*map(shapes_only.from_tensor, batch.values())).shape == ()
        return
    if way == "compile":
        torch._dynamo.reset()
        found = torch.compile(loss, backend="eager", fullgraph=True)(*batch.values())
    elif way == "vmap":
        found = torch.func.vmap(lambda *row: loss(*(column[None] for column in row)))(*batch.values())
        assert found.shape == (2,)
        return
    else:
        mode = "real" if way == "make_fx" else "fake"
        found = make_fx(loss, tracing_mode=mode, _allow_non_fake_inputs=True)(*batch.values())(*batch.values())
    if expected is not None:
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_loaded_model_can_be_compiled_before_its_first_forward() -> None:
    model = BertForPreTraining.from_pretrained(BUNDLED)
    with torch.no_grad():
        outputs = torch.compile(model, backend="eager", fullgraph=True)(**text_batch())
        assert_same(outputs.to_tuple(), model(**text_batch()).to_tuple())


def test_a_model_without_numbers_still_knows_its_shapes() -> None:
    model = tiny(BertModel).to("meta")
    ids = token_ids().to("meta")
    assert model(ids, attention_mask=torch.ones_like(ids)).last_hidden_state.shape == (2, 7, 32)


def test_a_loaded_model_can_be_traced_before_its_first_forward(tmp_path: Path) -> None:
    tiny(BertModel, torchscript=True).save_pretrained(tmp_path)
    model = BertModel.from_pretrained(tmp_path)
    ids = token_ids()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = torch.jit.trace(model, (ids,))
    torch.testing.assert_close(tuple(graph(ids.flip(1))), model(ids.flip(1)), rtol=0, atol=1e-6)
