"""`with fast.training(model):` around a loop of one's own: the loss and gradients of the plain way, for less work."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from minibert import (
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertLMHeadModel,
    BertPreTrainedModel,
    fast,
)
from minibert.fast import linear_layers
from minibert.fast.dropout import fast_dropout
from minibert.fast.fused_attention import fused_on_gpu
from minibert.fast.packing import packed_if_padded
from minibert.outputs import BaseModelOutputWithPastAndCrossAttentions
from tests.unit.fast.test_linear_layers import assert_gradients_agree, gradients
from tests.unit.tiny_bert import text_batch, tiny

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
WORDS = torch.tensor([[-100, 8, -100, 9, -100, -100, -100], [-100, -100, 11, -100, -100, -100, -100]])
CLASSES = torch.tensor([1, 0])

BATCHES: dict[type[BertPreTrainedModel], dict[str, Tensor]] = {
    BertForPreTraining: {**text_batch(), "labels": WORDS, "next_sentence_label": CLASSES},
    BertForMaskedLM: {**text_batch(), "labels": WORDS},
    BertForTokenClassification: {**text_batch(), "labels": torch.ones(2, 7, dtype=torch.long)},
    BertForSequenceClassification: {**text_batch(), "labels": CLASSES},
    BertForNextSentencePrediction: {**text_batch(), "labels": CLASSES},
    BertForMultipleChoice: {
        **{name: column[:, None].expand(-1, 2, -1) for name, column in text_batch().items()},
        "labels": CLASSES,
    },
    BertForQuestionAnswering: {**text_batch(), "start_positions": CLASSES, "end_positions": CLASSES + 2},
    BertLMHeadModel: {**text_batch(), "labels": text_batch()["input_ids"]},
}


def model_of(model_class: type[BertPreTrainedModel], **fields: Any) -> Any:
    fields = {**NO_DROPOUT, "is_decoder": model_class is BertLMHeadModel, "initializer_range": 0.2, **fields}
    return tiny(model_class, **fields).train()


def assert_a_fast_step_is_the_plain_one(model: Any, batch: dict[str, Tensor]) -> None:
    """The same loss and gradients within `fast.training` as without."""
    plain = model(**batch).loss
    expected = gradients(plain, model)
    with fast.training(model):
        loss = model(**batch).loss
        assert_gradients_agree(gradients(loss, model), expected)
    assert loss.item() == pytest.approx(plain.item(), abs=1e-5)


@pytest.mark.parametrize("fields", [{}, {"attn_implementation": "sdpa"}, {"attn_implementation": "packed"}], ids=str)
@pytest.mark.parametrize("model_class", BATCHES)
def test_a_step_has_the_loss_and_gradients_of_the_plain_one(
    model_class: type[BertPreTrainedModel], fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_layers, "SMALLEST", 1)
    monkeypatch.setattr(linear_layers, "measured", lambda *_args, **_sizes: linear_layers.onednn_is_there())
    model, batch = model_of(model_class, **fields), BATCHES[model_class]
    assert_a_fast_step_is_the_plain_one(model, batch)


@pytest.mark.parametrize(
    "fields",
    [
        {"position_embedding_type": "relative_key_query"},
        {"chunk_size_feed_forward": 1},
        {"gradient_checkpointing": True},
    ],
    ids=str,
)
def test_other_configs_too(fields: dict[str, Any]) -> None:
    for model_class in (BertForPreTraining, BertForSequenceClassification):
        model, batch = model_of(model_class, **fields), BATCHES[model_class]
        expected = gradients(model(**batch).loss, model)
        with fast.training(model):
            loss = model(**batch).loss
        assert_gradients_agree(gradients(loss, model), expected)  # backward after the block, too


CAUSAL = torch.ones(2, 7, 7).tril()


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize(
    ("fields", "given"),
    [
        ({}, {"head_mask": torch.tensor([[1.0, 0.5, 1.0, 0.0], [0.0, 2.0, 1.0, 0.5]])}),
        ({}, {"attention_mask": CAUSAL}),
        ({"is_decoder": True}, {}),
        ({"is_decoder": True}, {"head_mask": torch.tensor([1.0, 0.5, 0.0, 1.0]), "attention_mask": CAUSAL}),
    ],
    ids=["heads", "a mask for each query", "a decoder", "all of them"],
)
@pytest.mark.parametrize("model_class", BATCHES)
def test_masks_of_heads_and_of_each_query_too(
    model_class: type[BertPreTrainedModel], fields: dict[str, Any], given: dict[str, Tensor], implementation: str
) -> None:
    model = model_of(model_class, **{**fields, "is_decoder": model_class is BertLMHeadModel or bool(fields)})
    model.set_attn_implementation(implementation)
    batch = {**BATCHES[model_class], **given}
    if model_class is BertForMultipleChoice and "attention_mask" in given:
        batch["attention_mask"] = BATCHES[model_class]["attention_mask"]
    assert_a_fast_step_is_the_plain_one(model, batch)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=2, max_size=2), tags=st.booleans())
def test_whichever_positions_have_a_label(asked: list[list[bool]], tags: bool) -> None:
    model_class = BertForTokenClassification if tags else BertForMaskedLM
    model, batch = model_of(model_class), text_batch()
    batch["labels"] = torch.where(torch.tensor(asked), batch["input_ids"] % 2, -100)
    plain = model(**batch).loss
    expected = gradients(plain, model)
    with fast.training(model):
        loss = model(**batch).loss
        found = gradients(loss, model)
    torch.testing.assert_close(loss, plain, equal_nan=True, rtol=0, atol=1e-5)
    if not plain.isnan():
        assert_gradients_agree(found, expected)


def test_several_steps_in_one_block_or_in_one_each_are_those_of_the_plain_loop() -> None:
    losses = []
    for way in ("plain", "one block", "one each"):
        model = model_of(BertForPreTraining)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        found = []

        def one_step(model: Any = model, optimizer: Any = optimizer, found: list[float] = found) -> None:
            loss = model(**BATCHES[BertForPreTraining]).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            found.append(loss.item())

        if way == "one block":
            with fast.training(model):
                for _ in range(4):
                    one_step()
        else:
            for _ in range(4):
                if way == "plain":
                    one_step()
                else:
                    with fast.training(model):
                        one_step()
        losses.append(found)
    assert losses[1] == losses[2]
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)


def test_words_are_scored_only_where_there_is_a_label() -> None:
    model, batch = model_of(BertForPreTraining, vocab_size=3000), BATCHES[BertForPreTraining]
    counts = []
    for way in (fast.linear, fast.training):
        with FlopCounterMode(display=False) as counter, way(model):
            model(**batch)
        counts.append(counter.get_total_flops())
    plain, less = counts
    assert less < plain / 2


def test_scores_that_were_not_computed_are_not_there() -> None:
    model, batch = model_of(BertForPreTraining), BATCHES[BertForPreTraining]
    with fast.training(model):
        outputs = model(**batch)
    assert outputs.prediction_logits is None
    assert list(outputs) == ["loss", "seq_relationship_logits"]


@pytest.mark.parametrize(
    "how", ["in evaluation", "without labels", "as a tuple", "with hidden states", "with one label"]
)
def test_who_asks_for_more_than_the_loss_gets_all_of_it(how: str) -> None:
    model, batch = model_of(BertForPreTraining).train(how != "in evaluation"), dict(BATCHES[BertForPreTraining])
    more: dict[str, Any] = {"as a tuple": {"return_dict": False}, "with hidden states": {"output_hidden_states": True}}
    more = more.get(how, {})
    if how == "without labels":
        del batch["labels"], batch["next_sentence_label"]
    if how == "with one label":
        del batch["next_sentence_label"]
    expected = model(**batch, **more)
    with fast.training(model):
        found = model(**batch, **more)
    torch.testing.assert_close(list(found), list(expected)) if how == "as a tuple" else None
    if how != "as a tuple":
        assert list(found) == list(expected)
        torch.testing.assert_close(found.prediction_logits, expected.prediction_logits)


def test_wrong_labels_are_refused_as_by_the_plain_way() -> None:
    model, batch = model_of(BertForMaskedLM), {**text_batch(), "labels": WORDS + 99}
    with pytest.raises(ValueError, match="labels") as plain:
        model(**batch)
    with fast.training(model), pytest.raises(ValueError, match="labels") as found:
        model(**batch)
    assert str(found.value) == str(plain.value)


def test_a_class_of_one_s_own_keeps_its_forward() -> None:
    class Own(BertForMaskedLM):
        def forward(self, *args: Any, **named: Any) -> Any:
            self.called = True
            return super().forward(*args, **named)

    model = model_of(Own)
    with fast.training(model):
        assert model(**BATCHES[BertForMaskedLM]).logits is not None
    assert model.called


def doubled_layer(stage: Any, hidden_states: Tensor, attention_mask: Tensor | None = None, **_: Any) -> Any:
    attended, *_rest = stage.attention(hidden_states, attention_mask=attention_mask)
    return 2 * stage.feed_forward(attended), None, None, None


def averages(stage: Any, hidden_states: Tensor, **_: Any) -> Any:
    return stage.value(hidden_states.mean(dim=1, keepdim=True).expand_as(hidden_states)), None, (None, None)


def halved(_stage: Any, x: Tensor) -> Tensor:
    return x / 2


def adding_encoder(stage: Any, hidden_states: Tensor, attention_mask: Tensor | None = None, **_: Any) -> Any:
    for layer in stage.layer:
        hidden_states = hidden_states + layer(hidden_states, attention_mask=attention_mask)[0]
    return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=hidden_states)


OWN = {
    "encoder": adding_encoder,
    "encoder.layer.1": doubled_layer,
    "encoder.layer.1.attention.self": averages,
    "encoder.layer.1.output.dropout": halved,
}


@pytest.mark.parametrize("place", OWN)
@pytest.mark.parametrize("way", [fast.training, fast.packed])
@pytest.mark.parametrize("model_class", [BertForPreTraining, BertForTokenClassification, BertForSequenceClassification])
def test_a_stage_with_a_forward_of_its_own_runs_it_and_keeps_it(
    model_class: type[BertPreTrainedModel], way: Any, place: str
) -> None:
    model, batch = model_of(model_class), {**BATCHES[model_class]}
    batch["attention_mask"] = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
    stage = model.get_submodule(f"bert.{place}")
    stage.forward = own = partial(OWN[place], stage)
    plain = model(**batch).loss
    with way(model):
        assert model(**batch).loss.item() == pytest.approx(plain.item(), abs=1e-5)
    assert stage.forward is own


class Tripled(torch.nn.Module):
    def __init__(self, heads: Any):
        super().__init__()
        self.heads = heads

    def forward(self, states: Tensor, pooled: Tensor) -> Any:
        scores, next_scores = self.heads(states, pooled)
        return 3 * scores, next_scores


@pytest.mark.parametrize("replaced", [False, True])
def test_a_head_of_its_own_is_called_whole(replaced: bool) -> None:
    model, batch = model_of(BertForPreTraining), BATCHES[BertForPreTraining]
    heads = model.cls
    if replaced:
        model.cls = Tripled(heads)
    else:
        heads.forward = lambda states, pooled: (3 * heads.predictions(states), heads.seq_relationship(pooled))
    plain = model(**batch).loss
    with fast.training(model):
        assert model(**batch).loss.item() == pytest.approx(plain.item(), abs=1e-5)


def test_within_itself_it_changes_nothing_and_ends_as_it_began() -> None:
    model, batch = model_of(BertForPreTraining, hidden_dropout_prob=0.1), BATCHES[BertForPreTraining]
    with fast.training(model):
        with fast.training(model):
            model(**batch).loss.backward()
        model(**batch).loss.backward()
    assert not [name for name, module in model.named_modules() if "forward" in vars(module)]


def test_the_model_is_plain_again_afterwards_also_by_an_error() -> None:
    model = model_of(BertForPreTraining)
    with pytest.raises(KeyError), fast.training(model):
        raise KeyError
    assert [name for name, module in model.named_modules() if "forward" in vars(module)] == []


def on_no_cpu(model: Any) -> Any:
    """On the device that only knows shapes, as on a GPU."""
    return model.to("meta")


@pytest.mark.parametrize("path", ["eager", "sdpa", "packed"])
def test_elsewhere_than_on_a_cpu_layers_keep_their_forwards_and_attention_is_fused(path: str) -> None:
    model = model_of(BertForPreTraining, attn_implementation=path)
    with fast.training(model):
        assert model.config.attn_implementation == path
        assert "forward" in vars(model.bert.pooler.dense)
    with fast.training(on_no_cpu(model)):
        assert model.config.attn_implementation == ("sdpa" if path == "eager" else path)
        assert not [m for m in model.modules() if "forward" in vars(m) and m is not model]
        assert "forward" in vars(model)  # words are scored where there is a label
    assert model.config.attn_implementation == path
    assert "forward" not in vars(model)


def test_where_probabilities_are_asked_for_fused_attention_gives_them() -> None:
    model = on_no_cpu(model_of(BertForPreTraining).eval())
    batch = {name: column.to("meta") for name, column in text_batch().items()}
    with fused_on_gpu(model):
        assert model(**batch, output_attentions=True).attentions[0].shape == (2, 4, 7, 7)


@pytest.mark.parametrize(("device", "rows", "packs"), [("cpu", 1, True), ("cuda", 1, False), ("cuda", 200, True)])
def test_a_gpu_packs_large_batches(device: str, rows: int, packs: bool) -> None:
    model = model_of(BertForMaskedLM)
    column = torch.ones(rows, 100).masked_fill(torch.arange(100) > 20, 0)
    mask: Any = SimpleNamespace(device=torch.device(device), numel=column.numel, float=column.float)
    with packed_if_padded(model, {"attention_mask": mask}):
        assert model.config.attn_implementation == ("packed" if packs else "eager")


def test_dropout_within_compiled_layers_is_pytorchs() -> None:
    """Whose compiler does not see that the drawn bits are read as numbers of another size."""
    torch.compiler.reset()
    layer = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Dropout(0.5)).train()
    x = torch.ones(64, 8)
    with fast_dropout(layer):
        compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
        y = compiled(x)
        y.sum().backward()
    assert 0.3 < float((y == 0).float().mean()) < 0.7
    assert torch.equal(layer[0].bias.grad, (y != 0).sum(0) * 2.0)
