"""Who is decayed, who is not, and what each group says about itself. The modules are small and named as BERT's are."""

import pytest
import torch
from torch import nn

from minibert.optim import AdamW, layerwise_groups, no_decay_groups


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(2, 2)
        self.LayerNorm = nn.LayerNorm(2)


class Tower(nn.Module):
    def __init__(self, layers: int):
        super().__init__()
        self.embeddings = nn.Module()
        self.embeddings.word_embeddings = nn.Embedding(5, 2)
        self.embeddings.LayerNorm = nn.LayerNorm(2)
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList(Block() for _ in range(layers))
        self.pooler = nn.Linear(2, 2)


class TinyBert(nn.Module):
    """BERT's names, a decoder tied to the word embeddings, and a decoder bias tied to the head's."""

    def __init__(self, layers: int = 2):
        super().__init__()
        self.bert = Tower(layers)
        self.cls = nn.Module()
        self.cls.decoder = nn.Linear(2, 5)
        self.cls.bias = self.cls.decoder.bias
        self.cls.decoder.weight = self.bert.embeddings.word_embeddings.weight


def named(groups: list[dict]) -> dict[str, list[str]]:
    return {group["name"]: group["parameter_names"] for group in groups}


def test_biases_and_layer_norms_are_not_decayed_and_all_else_is():
    decayed, exempt = no_decay_groups(TinyBert(), weight_decay=0.1)
    assert (decayed["name"], decayed["weight_decay"]) == ("decay", 0.1)
    assert (exempt["name"], exempt["weight_decay"]) == ("no decay", 0.0)
    assert decayed["parameter_names"] == [
        "bert.embeddings.word_embeddings.weight",
        "bert.encoder.layer.0.dense.weight",
        "bert.encoder.layer.1.dense.weight",
        "bert.pooler.weight",
    ]
    assert all("LayerNorm" in name or name.endswith("bias") for name in exempt["parameter_names"])


def test_each_parameter_stands_in_one_group_once_beside_its_name():
    model = TinyBert()
    groups = no_decay_groups(model)
    pairs = [pair for group in groups for pair in zip(group["parameter_names"], group["params"], strict=True)]
    assert sorted(pairs, key=lambda pair: pair[0]) == sorted(model.named_parameters(), key=lambda pair: pair[0])


def test_a_tied_parameter_is_taken_once_under_its_first_name():
    model = TinyBert()
    names = [name for group in no_decay_groups(model) for name in group["parameter_names"]]
    assert "bert.embeddings.word_embeddings.weight" in names
    assert "cls.decoder.weight" not in names
    assert len([name for name in names if name.startswith("cls.")]) == 1


def test_a_frozen_parameter_is_left_out():
    model = TinyBert()
    model.bert.embeddings.requires_grad_(False)
    names = [name for group in no_decay_groups(model) for name in group["parameter_names"]]
    assert names
    assert not any("embeddings" in name for name in names)


def test_an_empty_group_is_left_out():
    assert list(named(no_decay_groups(nn.Linear(2, 2, bias=False)))) == ["decay"]
    assert list(named(no_decay_groups(nn.LayerNorm(2, bias=False), no_decay=("weight",)))) == ["no decay"]


def test_the_caller_chooses_what_is_exempt():
    decayed, exempt = no_decay_groups(TinyBert(), no_decay=("embeddings",))
    assert all("embeddings" in name for name in exempt["parameter_names"])
    assert "bert.pooler.bias" in decayed["parameter_names"]


def test_every_group_says_why():
    decayed, exempt = no_decay_groups(TinyBert(), weight_decay=0.1)
    assert "lr × 0.1" in decayed["why"]
    assert "LayerNorm.weight" in exempt["why"]


def test_what_a_group_says_survives_the_state_dict():
    groups = layerwise_groups(TinyBert(), lr=1e-3)
    told = [(group["name"], group["parameter_names"], group["why"]) for group in groups]
    optimizer = AdamW(groups, lr=1e-3)
    resumed = AdamW(layerwise_groups(TinyBert(), lr=1e-3), lr=1e-3)
    resumed.load_state_dict(optimizer.state_dict())
    assert [(g["name"], g["parameter_names"], g["why"]) for g in resumed.param_groups] == told


def test_an_optimizer_decays_by_group():
    model = TinyBert()
    for param in model.parameters():
        param.data.fill_(1.0)
        param.grad = torch.zeros_like(param)
    AdamW(no_decay_groups(model, weight_decay=0.5), lr=0.1).step()
    for name, param in model.named_parameters():
        kept = 1.0 if "bias" in name or "LayerNorm" in name else 0.95
        assert param.flatten()[0].item() == pytest.approx(kept)


def test_layerwise_rates_shrink_from_the_head_to_the_embeddings():
    groups = layerwise_groups(TinyBert(layers=3), lr=1.0, layer_decay=0.5)
    rates = {group["name"]: group["lr"] for group in groups}
    assert rates == {
        "embeddings, decay": 0.0625,
        "layer 0, decay": 0.125,
        "layer 1, decay": 0.25,
        "layer 2, decay": 0.5,
        "pooler and heads, decay": 1.0,
        "embeddings, no decay": 0.0625,
        "layer 0, no decay": 0.125,
        "layer 1, no decay": 0.25,
        "layer 2, no decay": 0.5,
        "pooler and heads, no decay": 1.0,
    }


def test_layerwise_groups_put_each_parameter_at_its_depth():
    members = named(layerwise_groups(TinyBert(), lr=1.0))
    assert members["embeddings, decay"] == ["bert.embeddings.word_embeddings.weight"]
    assert members["layer 1, decay"] == ["bert.encoder.layer.1.dense.weight"]
    assert members["pooler and heads, decay"] == ["bert.pooler.weight"]
    assert members["pooler and heads, no decay"] == ["bert.pooler.bias", "cls.bias"]


def test_layer_ten_lies_above_layer_nine():
    rates = {g["name"]: g["lr"] for g in layerwise_groups(TinyBert(layers=11), lr=1.0, layer_decay=0.9)}
    assert rates["layer 10, decay"] == pytest.approx(0.9)
    assert rates["layer 9, decay"] == pytest.approx(0.81)


def test_a_layer_s_rate_does_not_change_when_layers_above_it_are_frozen():
    model = TinyBert(layers=3)
    before = {g["name"]: g["lr"] for g in layerwise_groups(model, lr=1.0)}
    model.bert.encoder.layer[2].requires_grad_(False)
    after = {g["name"]: g["lr"] for g in layerwise_groups(model, lr=1.0)}
    assert after == {name: rate for name, rate in before.items() if "layer 2" not in name}


def test_layerwise_groups_of_a_bare_tower_know_its_embeddings():
    members = named(layerwise_groups(Tower(1), lr=1.0))
    assert members["embeddings, decay"] == ["embeddings.word_embeddings.weight"]


def test_a_layerwise_group_says_how_its_rate_came_about():
    first = layerwise_groups(TinyBert(), lr=0.25, layer_decay=0.5)[0]
    assert first["lr"] == 0.25 * 0.5**3
    assert "lr is 0.25 × 0.5^3" in first["why"]


def test_a_layer_decay_of_one_gives_every_layer_the_same_rate() -> None:
    assert {group["lr"] for group in layerwise_groups(TinyBert(layers=3), lr=0.5, layer_decay=1.0)} == {0.5}
