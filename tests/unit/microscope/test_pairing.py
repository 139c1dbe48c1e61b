"""What corresponds to what in two models."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from minibert import BertForMaskedLM, BertModel
from minibert.microscope.pairing import common_parts, pair_inputs, pair_outputs
from tests.unit.tiny_bert import tiny

A, B, C = torch.zeros(2, 3), torch.ones(2, 3), torch.ones(2, 4)


def same(pairs: list[tuple[str, Tensor, Tensor]], expected: list[tuple[str, Tensor, Tensor]]) -> bool:
    """Whether these very tensors are paired."""
    return [(n, id(x), id(y)) for n, x, y in pairs] == [(n, id(x), id(y)) for n, x, y in expected]


def test_a_body_is_found_inside_the_other_model() -> None:
    whole, body = tiny(BertForMaskedLM), tiny(BertModel)
    assert common_parts(whole, body) == (whole.bert, body)
    assert common_parts(body, whole) == (body, whole.bert)
    assert common_parts(whole, whole) == (whole, whole)


def test_the_outermost_common_part_is_found_beside_one_whose_name_begins_alike() -> None:
    body = nn.ModuleDict({"encoder": nn.Tanh(), "pooler": nn.Tanh()})
    bertha = nn.ModuleDict({"encoder": nn.Tanh()})
    whole = nn.ModuleDict({"bertha": bertha, "bert": body, "head": nn.ModuleDict({"inner": nn.Tanh()})})
    assert common_parts(whole, body) == (body, body)
    assert common_parts(bertha, whole) == (bertha, bertha)


def test_inputs_are_paired_by_name_and_then_by_shape() -> None:
    pairs = pair_inputs({"mask": C, "hidden_states": A}, {"x": B, "mask": C})
    assert same(pairs, [("mask", C, C), ("hidden_states", A, B)])
    truth = torch.ones(2, 4, dtype=torch.bool)
    assert same(pair_inputs({"mask": C, "x": A}, {"mask": truth, "x": B}), [("x", A, B)])


def test_outputs_are_paired_by_name_or_else_by_shape_or_else_do_not_fit() -> None:
    assert same(pair_outputs({"0": A, "1": C}, {"0": B}), [("0", A, B)])
    assert same(pair_outputs({"loss": C, "logits": A}, {"0": B}), [("logits", A, B)])
    assert same(pair_outputs({"logits": A}, {"0": C}), [("logits", A, C)])
    assert same(pair_outputs({"logits": A}, {}), [])
