"""Names of modules that wrap a model, anywhere in a path and in any order, are taken out by one rule."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from minibert import BertConfig, BertForSequenceClassification, BertModel, BertPreTrainedModel
from minibert.checkpoints import CheckpointError
from minibert.checkpoints.names import match_names
from tests.unit.tiny_bert import same_weights, tiny, tiny_config, token_ids

WRAPPED = [
    "module.{}",
    "_orig_mod.{}",
    "module._orig_mod.{}",
    "_orig_mod.module.{}",
    "module.module.{}",
    "_fsdp_wrapped_module._checkpoint_wrapped_module.{}",
    "_fsdp_wrapped_module._orig_mod.module.{}",
    "_forward_module.{}",  # Lightning's DeepSpeed
    "_module.{}",  # Opacus
    "_fsdp_wrapped_module._fpw_module.{}",  # FairScale
    "module._original_module.{}",
]
INSIDE = [
    ("encoder.layer.0.", "encoder.layer.0._orig_mod."),
    ("encoder.layer.", "encoder.layer._fsdp_wrapped_module."),
    ("encoder.layer.1.", "encoder.layer.1._checkpoint_wrapped_module._fsdp_wrapped_module."),
    ("embeddings.", "module.embeddings.module."),
    ("bert.", "bert._orig_mod."),
    ("attention.self.", "attention._checkpoint_wrapped_module.self."),
]


def from_tensors(model_class: type[BertPreTrainedModel], tensors: dict[str, Tensor]) -> BertPreTrainedModel:
    return model_class.from_pretrained(None, config=tiny_config(), state_dict=tensors)


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("model_class", [BertModel, BertForSequenceClassification])
def test_a_wrapped_model_is_read_as_the_model_itself(wrapped: str, model_class: type[BertPreTrainedModel]) -> None:
    model = tiny(model_class, seed=3)
    loaded = from_tensors(model_class, {wrapped.format(name): tensor for name, tensor in model.state_dict().items()})
    assert same_weights(loaded, model)
    assert not loaded.loading_report.needs_attention


@pytest.mark.parametrize(("stage", "wrapped"), INSIDE)
def test_a_stage_may_be_wrapped_and_the_rest_not(stage: str, wrapped: str) -> None:
    model = tiny(BertForSequenceClassification, seed=3)
    tensors = {name.replace(stage, wrapped, 1): tensor for name, tensor in model.state_dict().items()}
    assert tensors.keys() != model.state_dict().keys()
    assert same_weights(from_tensors(BertForSequenceClassification, tensors), model)


def test_a_wrapped_body_fills_a_model_with_a_head_and_the_reverse() -> None:
    model = tiny(BertForSequenceClassification, seed=3)
    bare = from_tensors(BertModel, {f"module._orig_mod.{name}": t for name, t in model.state_dict().items()})
    assert same_weights(bare, model.bert)
    again = from_tensors(
        BertForSequenceClassification, {f"_orig_mod.{name}": t for name, t in bare.state_dict().items()}
    )
    assert same_weights(again.bert, model.bert)


def test_what_pytorchs_own_wrappers_write_is_read(tmp_path: Path) -> None:
    model = tiny(BertModel, seed=3)
    layers = model.encoder.layer
    wrapped = nn.DataParallel(torch.compile(model, backend="eager"))
    layers[0] = torch.compile(layers[0], backend="eager")
    model.config.save_pretrained(tmp_path)
    torch.save(wrapped.state_dict(), tmp_path / "pytorch_model.bin")
    assert "module._orig_mod.encoder.layer.0._orig_mod.output.dense.bias" in wrapped.state_dict()
    assert same_weights(BertModel.from_pretrained(tmp_path), tiny(BertModel, seed=3))


class Wrapping(BertPreTrainedModel):
    """A model that calls its body `module`, and has a raw parameter `weight` beside a `module.weight`."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.module = nn.Linear(config.hidden_size, 2)
        self.weight = nn.Parameter(torch.ones(config.hidden_size, 2).t().contiguous())
        self.bert = BertModel(config)
        self.init_weights()


class CalledModule(BertPreTrainedModel):
    """A model whose body is really called `module`."""

    base_model_prefix = "module"

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.module = BertModel(config)
        self.head = nn.Linear(config.hidden_size, 2)
        self.init_weights()

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.module(ids)[1])


@pytest.mark.parametrize("model_class", [Wrapping, CalledModule])
def test_a_model_with_a_module_of_that_name_comes_back_from_its_own_save(
    tmp_path: Path, model_class: type[BertPreTrainedModel]
) -> None:
    model = tiny(model_class, seed=3)
    model.save_pretrained(tmp_path)
    assert same_weights(model_class.from_pretrained(tmp_path), model)


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_a_model_whose_body_is_called_module_can_be_wrapped_too(wrapped: str) -> None:
    model = tiny(CalledModule, seed=3)
    loaded = from_tensors(CalledModule, {wrapped.format(name): tensor for name, tensor in model.state_dict().items()})
    assert same_weights(loaded, model)
    assert torch.equal(loaded(token_ids()), model(token_ids()))


def test_where_unwrapping_leaves_two_readings_of_a_model_it_is_refused() -> None:
    tensors = {f"module.{name}": tensor for name, tensor in tiny(Wrapping).state_dict().items()}
    with pytest.raises(
        CheckpointError, match=r"'module.weight' and 'module.module.weight' are two names of one tensor"
    ):
        from_tensors(Wrapping, tensors)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("pooler.dense.bias", "module.pooler.dense.bias"),
        ("module.pooler.dense.bias", "_orig_mod.pooler.dense.bias"),
        ("module._orig_mod.pooler.dense.bias", "_orig_mod.module.pooler.dense.bias"),
        ("encoder.layer.0.output.dense.bias", "encoder.layer.0._fsdp_wrapped_module.output.dense.bias"),
        ("embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"),
        ("embeddings.LayerNorm.bias", "embeddings._orig_mod.LayerNorm.beta"),
        ("pooler/dense/bias", "pooler.dense.bias"),
    ],
)
def test_two_names_that_come_to_one_are_refused_by_name(first: str, second: str) -> None:
    tensors = tiny(BertModel).state_dict()
    name = match_names(tensors, ["x", first])[0].popitem()[0]
    tensors[first], tensors[second] = tensors[name], tensors[name] + 1
    if name not in (first, second):
        del tensors[name]
    with pytest.raises(CheckpointError, match="two names of one tensor") as caught:
        from_tensors(BertModel, tensors)
    assert repr(first) in str(caught.value)
    assert repr(second) in str(caught.value)


def test_two_that_the_model_lacks_are_left_over() -> None:
    extra = {"module.cls.seq_relationship.bias": torch.ones(2), "cls.seq_relationship.bias": torch.ones(2)}
    report = from_tensors(BertModel, tiny(BertModel).state_dict() | extra).loading_report
    assert {finding.name for finding in report.left_over} == {*extra, "embeddings.position_ids"}


@pytest.mark.parametrize("name", ["pooler.dense.weight", "encoder.layer.0.output.dense.bias"])
def test_one_name_with_and_without_the_bodys_prefix_is_warned_of(name: str, caplog: pytest.LogCaptureFixture) -> None:
    tensors = tiny(BertModel).state_dict()
    tensors[f"bert.{name}"] = tensors[name] + 1
    model = from_tensors(BertModel, tensors)
    assert torch.equal(model.state_dict()[name], tensors[name])
    assert f"bert.{name}: perhaps another name of {name}, which was read already" in caplog.text


def test_a_name_that_only_begins_like_a_wrapper_is_left_alone() -> None:
    assert match_names({"modules.a", "my_module.b"}, ["modules.a", "my_module.b"])[1] == []
    assert match_names({"s.a", "my_b"}, ["modules.a", "my_module.b"])[1] == ["modules.a", "my_module.b"]


class OwnParts(BertPreTrainedModel):
    """Two heads whose names look like a wrapper's."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.bert = BertModel(config)
        self._tag_module, self._topic_module = nn.Linear(config.hidden_size, 2), nn.Linear(config.hidden_size, 2)
        self.init_weights()


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_parts_that_only_look_like_wrappers_keep_their_names(wrapped: str) -> None:
    model = tiny(OwnParts, seed=3)
    tensors = {wrapped.format(name): tensor for name, tensor in model.state_dict().items()}
    assert same_weights(from_tensors(OwnParts, tensors), model)
