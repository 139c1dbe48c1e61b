"""A model of one's own may call its body what it likes: the word embeddings tell where it is, in the model and in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from minibert import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel, BertPreTrainedModel
from minibert.checkpoints import CheckpointError
from minibert.model.embeddings import BertEmbeddings
from minibert.model.encoder import BertEncoder
from tests.unit.tiny_bert import BUNDLED, same_weights, tiny, tiny_config, token_ids


class Doc(BertPreTrainedModel):
    """A classifier whose body is called `transformer`, and whose class says so."""

    base_model_prefix = "transformer"

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.transformer = BertModel(config)
        self.scorer = nn.Linear(config.hidden_size, 3)
        self.init_weights()

    @property
    def body(self) -> BertModel:
        return self.transformer


class Deep(BertPreTrainedModel):
    """A body inside another module."""

    base_model_prefix = "parts"

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.parts = nn.ModuleDict({"reader": BertModel(config, add_pooling_layer=False)})
        self.out = nn.Linear(config.hidden_size, 1)
        self.init_weights()

    @property
    def body(self) -> BertModel:
        return self.parts["reader"]


class Silent(BertPreTrainedModel):
    """A body of another name, and no `base_model_prefix`: the reference would start it at random without a word."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.language = BertModel(config)
        self.init_weights()

    @property
    def body(self) -> BertModel:
        return self.language


class OwnPooler(BertPreTrainedModel):
    """A module beside the body with a name that the body has too."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.bert = BertModel(config)
        self.pooler = nn.ModuleDict({"dense": nn.Linear(config.hidden_size, config.hidden_size)})
        self.init_weights()

    @property
    def body(self) -> BertModel:
        return self.bert


MODELS = [Doc, Deep, Silent, OwnPooler]


@pytest.mark.parametrize("model_class", MODELS)
@pytest.mark.parametrize("source", [BertModel, BertForMaskedLM, BertForSequenceClassification, *MODELS])
def test_its_body_is_read_from_every_model_that_has_one(
    model_class: type, source: type[BertPreTrainedModel], tmp_path: Path
) -> None:
    model = tiny(source, seed=5)
    model.save_pretrained(tmp_path)
    expected = getattr(model, "body", model.base_model)
    found = model_class.from_pretrained(tmp_path).body
    for name, parameter in found.named_parameters():
        if name in expected.state_dict():
            assert torch.equal(parameter, expected.state_dict()[name]), name


@pytest.mark.parametrize("model_class", MODELS)
def test_its_own_save_comes_back_whole_and_its_body_alone(model_class: type, tmp_path: Path) -> None:
    model = tiny(model_class, seed=5)
    model.save_pretrained(tmp_path)
    assert same_weights(model_class.from_pretrained(tmp_path), model)
    with_pooler = model.body.pooler is not None
    assert same_weights(BertModel.from_pretrained(tmp_path, add_pooling_layer=with_pooler), model.body)
    with_head = BertForSequenceClassification.from_pretrained(tmp_path)
    assert same_weights(with_head.bert.encoder, model.body.encoder)


def test_it_opens_a_published_checkpoint_and_says_what_is_new(caplog: pytest.LogCaptureFixture) -> None:
    model = Doc.from_pretrained(BUNDLED)
    assert same_weights(model.transformer, BertModel.from_pretrained(BUNDLED))
    assert [finding.name for finding in model.loading_report.new] == ["scorer.weight", "scorer.bias"]
    assert len(caplog.records) == 1


def test_it_can_be_pruned_resized_and_checkpointed() -> None:
    model = tiny(Doc)
    model.prune_heads({0: [1]})
    model.resize_token_embeddings(120)
    model.gradient_checkpointing_enable()
    assert model.get_input_embeddings().num_embeddings == 120
    assert model.transformer(token_ids())[0].isfinite().all()


@pytest.mark.parametrize("hole", ["embeddings.position_embeddings.weight", "encoder.layer.1.output.dense.bias"])
def test_a_hole_in_its_body_is_refused(hole: str) -> None:
    tensors = tiny(BertModel).state_dict()
    del tensors[hole]
    with pytest.raises(CheckpointError, match=f"lacks 1 parameters of the body of Doc: transformer.{hole}"):
        Doc.from_pretrained(None, config=tiny_config(), state_dict=tensors)


class FromParts(BertPreTrainedModel):
    """A body from the parts, a head beside them, and no prefix at all."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.embeddings, self.encoder = BertEmbeddings(config), BertEncoder(config)
        self.classifier = nn.Linear(config.hidden_size, 3)
        self.init_weights()


@pytest.mark.parametrize("source", [BertModel, BertForMaskedLM])
def test_a_head_beside_the_parts_of_a_body_is_new_and_no_hole(source: type, tmp_path: Path) -> None:
    model = tiny(source, seed=5)
    model.save_pretrained(tmp_path)
    loaded = FromParts.from_pretrained(tmp_path)
    assert same_weights(loaded.encoder, model.base_model.encoder)
    assert [finding.name for finding in loaded.loading_report.new] == ["classifier.weight", "classifier.bias"]


class TwoTowers(BertPreTrainedModel):
    """Two bodies: a bare checkpoint cannot say which is meant."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.question, self.answer = BertModel(config), BertModel(config)
        self.init_weights()

    def forward(self, ids: Tensor) -> Tensor:
        return self.question(ids)[1] * self.answer(ids)[1]


def test_two_bodies_come_back_from_their_own_save_and_are_not_filled_by_chance(tmp_path: Path) -> None:
    model = tiny(TwoTowers, seed=5)
    model.save_pretrained(tmp_path / "own")
    assert same_weights(TwoTowers.from_pretrained(tmp_path / "own"), model)
    tiny(BertModel).save_pretrained(tmp_path / "bare")
    with pytest.raises(CheckpointError, match=r"of the body of TwoTowers: question.embeddings.word_embeddings.weight"):
        TwoTowers.from_pretrained(tmp_path / "bare")
    with pytest.raises(CheckpointError, match="of the body of BertModel"):
        BertModel.from_pretrained(tmp_path / "own")
