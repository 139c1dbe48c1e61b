"""`trace`: every stage is recorded, and nothing else changes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minibert import BertForMaskedLM, BertForPreTraining, BertForSequenceClassification, BertLMHeadModel, BertModel
from minibert.microscope.trace import TensorFacts, measure, trace
from tests.unit.tiny_bert import text_batch, tiny, token_ids


def hooks_of(model: nn.Module) -> int:
    """How many hooks watch any part of the model."""
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


@pytest.mark.parametrize("path", ["eager", "sdpa", "packed"])
@pytest.mark.parametrize("model_class", [BertModel, BertForPreTraining, BertForSequenceClassification])
def test_tracing_changes_no_bit_of_any_output(model_class: type[BertModel], path: str) -> None:
    model = tiny(model_class, attn_implementation=path)
    plain = model(**text_batch(), output_hidden_states=True)
    for keep in (False, True):
        with trace(model, keep_tensors=keep):
            traced = model(**text_batch(), output_hidden_states=True)
        assert torch.equal(traced[0], plain[0])
        assert all(map(torch.equal, traced.hidden_states, plain.hidden_states))


def test_tracing_changes_no_bit_of_training_with_dropout() -> None:
    gradients = []
    for watch in (False, True):
        model = tiny(BertForMaskedLM).train()
        torch.manual_seed(3)
        if watch:
            with trace(model):
                loss = model(**text_batch(), labels=token_ids()).loss
        else:
            loss = model(**text_batch(), labels=token_ids()).loss
        loss.backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    assert all(map(torch.equal, *gradients))


def test_every_module_that_runs_is_a_stage_in_the_order_of_its_call() -> None:
    model = tiny(BertModel)
    with trace(model) as t:
        model(**text_batch())
    paths = [stage.path for stage in t.stages]
    assert set(paths) == {name for name, _ in model.named_modules()} - {"encoder.layer"}  # a list is never called
    assert paths[:4] == ["", "embeddings", "embeddings.word_embeddings", "embeddings.token_type_embeddings"]
    assert paths.index("encoder.layer.0") < paths.index("encoder.layer.1") < paths.index("pooler")
    assert [stage.path for stage in t.finished][-2:] == ["pooler", ""]


def test_depth_counts_the_stages_around() -> None:
    model = tiny(BertModel)
    with trace(model) as t:
        model(**text_batch())
    around = ["", "encoder", "encoder.layer.1", "encoder.layer.1.attention", "encoder.layer.1.attention.self"]
    assert [t[path].depth for path in around] == [0, 1, 2, 3, 4]


def test_facts_are_those_of_the_tensors() -> None:
    model = tiny(BertModel)
    with trace(model, keep_tensors=True) as t:
        result = model(**text_batch()).last_hidden_state
    facts = t["encoder.layer.1"].outputs["0"]
    assert (facts.shape, facts.dtype) == ((2, 7, 32), torch.float32)
    assert torch.equal(facts.tensor, result)
    assert facts.mean == pytest.approx(result.mean().item())
    assert facts.std == pytest.approx(result.std(correction=0).item())
    assert (facts.minimum, facts.maximum) == (result.min().item(), result.max().item())


def test_inputs_bear_the_names_of_forwards_parameters() -> None:
    model = tiny(BertModel)
    with trace(model) as t:
        model(**text_batch())
    assert set(t[""].inputs) == {"input_ids", "attention_mask", "token_type_ids"}
    assert set(t["encoder.layer.0"].inputs) == {"hidden_states", "attention_mask"}
    assert set(t["encoder.layer.0.output"].inputs) == {"hidden_states", "input_tensor"}


def test_tensors_are_kept_only_where_asked_for() -> None:
    model = tiny(BertModel)
    with trace(model) as t:
        model(**text_batch())
    assert all(facts.tensor is None for stage in t.stages for facts in (stage.inputs | stage.outputs).values())


def test_a_kept_tensor_is_what_it_was_when_the_stage_ended() -> None:
    class WritesInPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 3), nn.Tanh()

        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            y += 100
            return self.second(y)

    model = WritesInPlace()
    for mode in (torch.no_grad, torch.inference_mode):
        with mode(), trace(model, keep_tensors=True) as t:
            model(torch.zeros(2, 3))
        assert t["first"].outputs["0"].maximum < 50 < t["second"].inputs["input"].minimum
        assert torch.equal(t["first"].outputs["0"].tensor + 100, t["second"].inputs["input"].tensor)


def test_times_of_the_inner_stages_fit_into_that_of_the_outer() -> None:
    model = tiny(BertModel)
    with trace(model) as t:
        model(**text_batch())
    assert all(stage.seconds is not None and stage.seconds > 0 for stage in t.stages)
    inner = sum(stage.seconds for stage in t.stages if stage.depth == 1)
    assert inner < t[""].seconds


def test_times_leave_the_tracing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def slow_measure(*arguments: Any) -> TensorFacts:
        clock[0] += 100.0
        return measure(*arguments)

    module = importlib.import_module("minibert.microscope.trace")
    monkeypatch.setattr(module, "measure", slow_measure)
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])
    model = tiny(BertModel)
    with trace(model) as t:
        model(**text_batch())
    assert clock[0] > 1000
    assert {stage.seconds for stage in t.stages} == {0.0}


def test_hooks_are_gone_at_the_end_also_after_an_exception() -> None:
    model = tiny(BertModel)
    with trace(model):
        assert hooks_of(model) > 0
    assert hooks_of(model) == 0
    with pytest.raises(ValueError, match="input_ids"), trace(model) as t:
        model()
    assert hooks_of(model) == 0
    assert t.stopped_in is t[""]


def test_an_exception_inside_the_block_leaves_the_trace_usable() -> None:
    model = tiny(BertModel)
    broken = model.encoder.layer[0].output.register_forward_pre_hook(lambda *_: 1 / 0)
    with trace(model) as t:
        with pytest.raises(ZeroDivisionError) as caught:
            model(**text_batch())
        assert t.stage_that_raised(caught.value).path == "encoder.layer.0"
        broken.remove()
        model(**text_batch())
    assert t.stopped_in is None
    assert (t[""].call, t[""].depth, t["encoder.layer.0.output"].depth) == (1, 0, 3)


def test_layers_that_are_computed_again_in_the_backward_pass_are_recorded_again() -> None:
    model = tiny(BertModel).train()
    model.gradient_checkpointing_enable()
    with trace(model) as t:
        model(**text_batch()).last_hidden_state.sum().backward()
    assert [s.call for s in t.stages if s.path == "encoder.layer.0"] == [0, 1]
    assert t.current is None
    assert t.stopped_in is None


def test_traces_can_be_nested_and_repeated() -> None:
    model = tiny(BertForMaskedLM)
    with trace(model) as outer:
        with trace(model.bert.encoder) as inner:
            model(**text_batch())
        model(**text_batch())
    assert [stage.path for stage in inner.stages if stage.depth <= 1] == ["", "layer.0", "layer.1"]
    assert [stage.call for stage in outer.stages if stage.path == "bert.pooler" or stage.path == ""] == [0, 1]
    assert inner["layer.1"].outputs == outer["bert.encoder.layer.1"].outputs


def test_a_layer_that_stands_in_two_places_is_called_by_both_its_names() -> None:
    model = tiny(BertModel)
    model.encoder.layer[1] = model.encoder.layer[0]
    with trace(model) as t:
        model(**text_batch())
    assert [s.path for s in t.stages if s.depth == 2 and "layer" in s.path] == ["encoder.layer.0", "encoder.layer.1"]
    assert t["encoder.layer.1.attention.self.query"].inputs["input"] == t["encoder.layer.0"].outputs["0"]


def test_a_stage_that_runs_piece_by_piece_is_recorded_each_time() -> None:
    model = tiny(BertModel, chunk_size_feed_forward=1)
    with trace(model) as t:
        model(**text_batch())
    calls = [stage for stage in t.stages if stage.path == "encoder.layer.0.intermediate"]
    assert [(stage.call, stage.outputs["0"].shape) for stage in calls] == [(i, (2, 1, 37)) for i in range(7)]
    assert t["encoder.layer.0.intermediate"] is calls[-1]


def test_generation_runs_through_the_stages() -> None:
    model = tiny(BertLMHeadModel, is_decoder=True)
    plain = model.generate(token_ids(1, 3), max_new_tokens=4)
    with trace(model) as t:
        traced = model.generate(token_ids(1, 3), max_new_tokens=4)
    assert torch.equal(plain, traced)
    assert [stage.inputs["input_ids"].shape for stage in t.stages if stage.path == ""] == [(1, 3)] + [(1, 1)] * 3


def test_an_empty_tensor_has_no_numbers() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    with trace(model) as t:
        model(torch.zeros(0, 3))
    facts = t["0"].outputs["0"]
    assert facts.shape == (0, 2)
    assert facts.mean != facts.mean


def test_half_precision_does_not_overflow() -> None:
    model = nn.Identity()
    with trace(model) as t:
        model(torch.full((1000,), 60000.0, dtype=torch.float16))
    assert t[""].outputs["0"].mean == pytest.approx(60000, rel=1e-3)
    assert t[""].outputs["0"].std == pytest.approx(0, abs=1e-3)


def test_an_unknown_path_is_answered_with_those_near_to_it() -> None:
    model = tiny(BertModel)
    with trace(model) as t:
        model(**text_batch())
    with pytest.raises(KeyError, match=r"encoder\.layer\.0\.attention\.self"):
        t["encoder.layer.0.attention.slef"]
