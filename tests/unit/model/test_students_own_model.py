"""A student's own class on top of BertPreTrainedModel: own head, own buffer, own raw parameter."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from minibert import BertConfig, BertModel, BertPreTrainedModel
from minibert.checkpoints import CheckpointError
from minibert.model.initialization import without_init_weights
from tests.unit.tiny_bert import BUNDLED, same_weights, text_batch, tiny, tiny_config, token_ids


class SentimentModel(BertPreTrainedModel):
    """Scores from a learned mixture of all layers' [CLS] vectors."""

    def __init__(self, config: BertConfig, dropout: float = 0.1):
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.layer_weights = nn.Parameter(torch.zeros(config.num_hidden_layers + 1))
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.register_buffer("temperature", torch.tensor(2.0))
        self.init_weights()

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Tensor) -> Tensor:
        states = self.bert(input_ids, attention_mask, output_hidden_states=True).hidden_states
        weights = torch.softmax(self.layer_weights, dim=0)
        mixed = sum(weight * state[:, 0] for weight, state in zip(weights, states, strict=True))
        return self.classifier(self.dropout(mixed)) / self.temperature


def test_its_body_comes_from_the_bundled_checkpoint() -> None:
    model = SentimentModel.from_pretrained(BUNDLED, num_labels=3)
    assert same_weights(model.bert, BertModel.from_pretrained(BUNDLED, add_pooling_layer=False))
    assert model(token_ids()).shape == (2, 3)


def test_its_report_tells_what_is_new_and_what_went_unused(caplog: pytest.LogCaptureFixture) -> None:
    report = SentimentModel.from_pretrained(BUNDLED).loading_report
    assert {finding.name for finding in report.new} == {
        *("layer_weights", "classifier.weight", "classifier.bias", "temperature"),
    }
    assert all(name.startswith("bert.") for name in report.read)
    assert {finding.name.rpartition(".")[0] for finding in report.left_over} == {
        *("bert.pooler.dense", "cls.predictions", "cls.seq_relationship"),
        *("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"),
    }
    assert not any(finding.needs_attention for finding in report.left_over)
    [record] = caplog.records
    assert record.getMessage().startswith(f"SentimentModel from {BUNDLED}:\n  newly initialised: layer_weights")


def test_its_new_layers_are_drawn_as_the_config_says_and_its_raw_parameters_stay_as_it_made_them() -> None:
    model = SentimentModel.from_pretrained(BUNDLED, num_labels=50)
    assert model.classifier.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert not model.classifier.bias.any()
    assert not model.layer_weights.any()
    assert model.temperature.item() == 2.0


def test_arguments_of_its_own_reach_it() -> None:
    assert SentimentModel.from_pretrained(BUNDLED, dropout=0.4).dropout.p == 0.4
    assert SentimentModel.from_pretrained(BUNDLED, 0.3).dropout.p == 0.3


def test_it_saves_and_loads_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = tiny(SentimentModel, num_labels=4)
    model.layer_weights.data.uniform_()
    model.temperature.fill_(3.0)
    model.save_pretrained(tmp_path)
    loaded = SentimentModel.from_pretrained(tmp_path)
    assert same_weights(loaded, model)
    assert torch.equal(loaded(**text_batch()), model(**text_batch()))
    assert isinstance(loaded.layer_weights, nn.Parameter)
    assert loaded.temperature.item() == 3.0
    assert not caplog.records


def test_its_body_loads_into_a_bare_model(tmp_path: Path) -> None:
    model = tiny(SentimentModel)
    model.save_pretrained(tmp_path)
    bare = BertModel.from_pretrained(tmp_path, add_pooling_layer=False)
    assert same_weights(bare, model.bert)
    unknown = {finding.name: finding.needs_attention for finding in bare.loading_report.left_over}
    assert unknown == {
        "layer_weights": True,
        "temperature": True,
        "classifier.weight": False,
        "classifier.bias": False,
    }


def test_it_can_do_what_every_model_can() -> None:
    model = tiny(SentimentModel)
    model.prune_heads({0: [1]})
    model.resize_token_embeddings(120)
    model.set_attn_implementation("sdpa")
    assert model(token_ids()).isfinite().all()
    assert model.get_input_embeddings().num_embeddings == 120
    assert model.get_output_embeddings() is None


def test_a_frozen_parameter_stays_frozen_when_loaded(tmp_path: Path) -> None:
    class Frozen(SentimentModel):
        def __init__(self, config: BertConfig):
            super().__init__(config)
            self.bert.embeddings.requires_grad_(False)

    tiny(Frozen).save_pretrained(tmp_path)
    loaded = Frozen.from_pretrained(tmp_path)
    assert not any(parameter.requires_grad for parameter in loaded.bert.embeddings.parameters())
    assert loaded.classifier.weight.requires_grad


def test_its_nan_is_found_too(tmp_path: Path) -> None:
    model = tiny(SentimentModel)
    model.layer_weights.data[1] = float("nan")
    model.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="layer_weights of"):
        SentimentModel.from_pretrained(tmp_path)


class RandomMixture(BertPreTrainedModel):
    """A raw parameter that the class itself draws."""

    def __init__(self, config: BertConfig):
        super().__init__(config)
        self.bert = BertModel(config)
        self.mixture = nn.Parameter(torch.randn(3))
        self.out = nn.Linear(config.hidden_size, 2)
        self.init_weights()


def test_a_parameter_the_class_draws_itself_is_what_the_seed_gives_and_drawn_once() -> None:
    source = tiny(BertModel)
    torch.manual_seed(7)
    loaded = RandomMixture.from_pretrained(None, config=tiny_config(), state_dict=source.state_dict())
    after_loading = torch.rand(3)
    torch.manual_seed(7)
    with without_init_weights():  # what the reference draws: PyTorch's own numbers once, then the new layers
        built = RandomMixture(tiny_config())
    built._init_weights(built.out)
    assert torch.equal(loaded.mixture, built.mixture)
    assert torch.equal(loaded.out.weight, built.out.weight)
    assert torch.equal(after_loading, torch.rand(3))


class UniformAttention(nn.Module):
    """A student's stage in the place of self-attention: every position gathers from all alike."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.value = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, **_: object
    ) -> tuple[Tensor, None, tuple]:
        seen = torch.zeros_like(hidden_states[..., 0]) if attention_mask is None else attention_mask[:, 0, 0]
        weights = seen.softmax(dim=-1)[..., None]  # (batch, seq, 1)
        mean = (weights * self.value(hidden_states)).sum(dim=1, keepdim=True)
        return mean.expand_as(hidden_states), None, ()


def test_a_stage_of_ones_own_gets_its_arguments_by_name() -> None:
    model = tiny(BertModel)
    for layer in model.encoder.layer:
        layer.attention.self = UniformAttention(model.config)
    batch = text_batch()
    states = model(**batch).last_hidden_state
    batch["input_ids"][1, 4:] = 55  # hidden by the mask
    seen = batch["attention_mask"].bool()
    assert torch.equal(model(**batch).last_hidden_state[seen], states[seen])
