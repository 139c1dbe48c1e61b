"""Checks of chapter 6: pooler, transform, tied decoder."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.hints import hint_for
from minibert import BertConfig, BertForMaskedLM, BertLMPredictionHead, BertPooler, BertPredictionHeadTransform

CONFIG = BertConfig(
    vocab_size=11,
    hidden_size=6,
    num_attention_heads=2,
    num_hidden_layers=1,
    intermediate_size=8,
    max_position_embeddings=8,
)


def check_pool(pool: Callable[[Tensor, nn.Linear], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(1)
    pooler = _randomised(BertPooler(CONFIG), generator)
    dense = pooler.dense
    for batch, seq in ((1, 3), (2, 5), (6, 6)):
        x = torch.randn(batch, seq, 6, generator=generator)
        with torch.no_grad():
            mistakes = {
                "tanh is missing.": dense(x[:, 0]),
                "The dense map is missing.": torch.tanh(x[:, 0]),
                "tanh comes before the dense map; it belongs after.": dense(torch.tanh(x[:, 0])),
                "This pools the mean of all positions; BERT takes the first.": torch.tanh(dense(x.mean(1))),
                "This is the last position, [SEP] or padding; BERT takes the first.": torch.tanh(dense(x[:, -1])),
                "The wrong axis: this is the first text of the batch, and should be the first position of each text.": (
                    torch.tanh(dense(x[0]))
                ),
                "This has all positions; only the first is asked for.": torch.tanh(dense(x)),
                "The axis of positions is still there: take position 0, not the slice from 0 to 1.": torch.tanh(dense(x[:, :1])),
                "gelu stands where tanh is asked for.": F.gelu(dense(x[:, 0])),
            }  # fmt: skip
            if hint := hint_for(
                pool(x.clone(), dense), pooler(x), mistakes, f"hidden_states of shape {tuple(x.shape)}"
            ):
                return hint
    return None


def check_transform(transform: Callable[[Tensor, nn.Linear, nn.LayerNorm], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(2)
    stage = _randomised(BertPredictionHeadTransform(CONFIG), generator)
    dense, norm = stage.dense, stage.LayerNorm
    for batch, seq in ((1, 3), (2, 5)):
        x = torch.randn(batch, seq, 6, generator=generator)
        with torch.no_grad():
            mistakes = {
                "gelu is missing.": norm(dense(x)),
                "LayerNorm is missing.": F.gelu(dense(x)),
                "LayerNorm and gelu have changed places.": F.gelu(norm(dense(x))),
                "The dense map is missing.": norm(F.gelu(x)),
                "x is added, as in an encoder layer; here nothing is added.": norm(F.gelu(dense(x)) + x),
                "tanh stands where gelu is asked for: that is the pooler.": norm(torch.tanh(dense(x))),
                "ReLU stands where gelu is asked for.": norm(F.relu(dense(x))),
                "LayerNorm comes first; it belongs last.": F.gelu(dense(norm(x))),
            }
            given = f"hidden_states of shape {tuple(x.shape)}"
            if hint := hint_for(transform(x.clone(), dense, norm), stage(x), mistakes, given):
                return hint
    return None


def check_word_scores(word_scores: Callable[[Tensor, Tensor, Tensor], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(3)
    head = _randomised(BertLMPredictionHead(CONFIG), generator)
    head.transform = nn.Identity()  # what comes in is transformed already
    words, bias = head.decoder.weight.data, head.bias.data
    for batch, seq in ((1, 3), (2, 5)):
        x = torch.randn(batch, seq, 6, generator=generator)
        with torch.no_grad():
            expected = head(x)
        lengths = words.norm(dim=-1) * x.norm(dim=-1, keepdim=True)
        mistakes = {
            "The bias is missing. The decoder shares the word embeddings, and still has a bias of its own.": x
            @ words.T,
            "The bias is taken away instead of added.": x @ words.T - bias,
            "These are probabilities; scores are asked for, before any softmax.": torch.softmax(expected, -1),
            "These are logarithms of probabilities; scores are asked for.": torch.log_softmax(expected, -1),
            "These are cosines; the dot product is not divided by lengths.": x @ words.T / lengths + bias,
            "The scores are divided by √hidden, as attention's are; these are not.": x @ words.T / 6**0.5 + bias,
        }
        given = f"transformed of shape {tuple(x.shape)}, {len(words)} words"
        if hint := hint_for(word_scores(x.clone(), words.clone(), bias.clone()), expected, mistakes, given):
            return hint
    return None


def check_count_parameters(count_parameters: Callable[[dict[str, Tensor]], int]) -> str | None:
    model = BertForMaskedLM(CONFIG)
    everything = dict(model.named_parameters(remove_duplicate=False))
    one, other = torch.zeros(2, 3), torch.zeros(2, 3)
    cases = {
        "a model whose decoder is tied": (everything, model.num_parameters()),
        "two different tensors with the same numbers in them": ({"a": one, "b": other}, 12),
        "one tensor under three names": ({"a": one, "b": one, "c": one}, 6),
        "no tensors": ({}, 0),
    }
    for given, (named, expected) in cases.items():
        tensors = list(named.values())
        by_value = []
        for tensor in tensors:
            if not any(tensor.shape == seen.shape and torch.equal(tensor, seen) for seen in by_value):
                by_value.append(tensor)
        mistakes = {
            "A tensor that stands under two names is counted twice.": sum(tensor.numel() for tensor in tensors),
            "Tensors are told apart by their numbers; two tensors can hold the same numbers. Ask which object they are.": (
                sum(tensor.numel() for tensor in by_value)
            ),
            "These are tensors counted; asked for is how many numbers are in them.": len({id(tensor) for tensor in tensors}),
            "These are names counted; asked for is how many numbers the tensors hold.": len(tensors),
            "Of every tensor only the first axis is counted.": sum(len(t) for t in {id(t): t for t in tensors}.values()),
        }  # fmt: skip
        if hint := hint_for(count_parameters(dict(named)), expected, mistakes, given):
            return hint
    return None


def _randomised(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """Fresh numbers in every parameter, so that no weight is 1 and no bias 0."""
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return module
