"""Checks of chapter 6: pooler, transform, tied decoder."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.hints import Case, Checked
from minibert import BertConfig, BertForMaskedLM, BertLMPredictionHead, BertPooler, BertPredictionHeadTransform

CONFIG = BertConfig(
    vocab_size=11,
    hidden_size=6,
    num_attention_heads=2,
    num_hidden_layers=1,
    intermediate_size=8,
    max_position_embeddings=8,
)


def check_pool(pool: Callable[[Tensor, nn.Linear], Tensor]) -> Checked:
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
                "This is the second position; positions count from 0.": torch.tanh(dense(x[:, 1])),
                "This pools the sum of all positions; BERT takes the first.": torch.tanh(dense(x.sum(1))),
                "This is the largest number of each column; BERT takes the first position.": torch.tanh(dense(x.amax(1))),
                "The bias is missing: call `dense`.": torch.tanh(x[:, 0] @ dense.weight.T),
                "The weight is transposed: `dense` multiplies with W, and F.linear or x @ W.T does the same.": (
                    torch.tanh(x[:, 0] @ dense.weight + dense.bias)
                ),
                "The result is averaged over the positions, after tanh; BERT takes the first position.": torch.tanh(dense(x)).mean(1),
                "tanh is taken twice.": torch.tanh(torch.tanh(dense(x[:, 0]))),
                "σ stands where tanh is asked for.": torch.sigmoid(dense(x[:, 0])),
                "ReLU stands where tanh is asked for.": torch.relu(dense(x[:, 0])),
                "gelu stands where tanh is asked for.": F.gelu(dense(x[:, 0])),
            }  # fmt: skip
            yield Case(pool(x.clone(), dense), pooler(x), mistakes, f"hidden_states of shape {tuple(x.shape)}")


def check_transform(transform: Callable[[Tensor, nn.Linear, nn.LayerNorm], Tensor]) -> Checked:
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
                "This is the gelu with tanh; asked for is the exact one.": norm(F.gelu(dense(x), approximate="tanh")),
                "LayerNorm and gelu are missing.": dense(x),
                "gelu is applied twice.": norm(F.gelu(F.gelu(dense(x)))),
                "LayerNorm is applied twice.": norm(norm(F.gelu(dense(x)))),
                "gelu stands after LayerNorm as well.": F.gelu(norm(F.gelu(dense(x)))),
                "gelu comes before the dense map; it belongs after.": norm(dense(F.gelu(x))),
                "The LayerNorm's own weight and bias are not used: call `norm`.": F.layer_norm(F.gelu(dense(x)), (6,)),
                "The bias of the dense map is missing.": norm(F.gelu(x @ dense.weight.T)),
                "Only [CLS] goes through; here every position does.": norm(F.gelu(dense(x[:, 0]))),
                "x is added, as in an encoder layer; here nothing is added.": norm(F.gelu(dense(x)) + x),
                "tanh stands where gelu is asked for: that is the pooler.": norm(torch.tanh(dense(x))),
                "ReLU stands where gelu is asked for.": norm(F.relu(dense(x))),
                "LayerNorm comes first; it belongs last.": F.gelu(dense(norm(x))),
            }
            given = f"hidden_states of shape {tuple(x.shape)}"
            yield Case(transform(x.clone(), dense, norm), stage(x), mistakes, given)


def check_word_scores(word_scores: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Checked:
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
            "Bias and scores are multiplied; it is added.": x @ words.T * bias,
            "These are squared distances; asked for are dot products.": (x[:, :, None] - words).square().sum(-1) + bias,
            "The transformed vectors are divided by their lengths; the dot product is taken as it is.": (
                x / x.norm(dim=-1, keepdim=True) @ words.T + bias
            ),
            "The bias is counted twice.": x @ words.T + 2 * bias,
            "Only the first place is scored.": (x[:, :1] @ words.T + bias).expand(batch, seq, len(words)),
            "These are probabilities; scores are asked for, before any softmax.": torch.softmax(expected, -1),
            "These are logarithms of probabilities; scores are asked for.": torch.log_softmax(expected, -1),
            "These are cosines; the dot product is not divided by lengths.": x @ words.T / lengths + bias,
            "The scores are divided by √hidden, as attention's are; these are not.": x @ words.T / 6**0.5 + bias,
        }
        given = f"transformed of shape {tuple(x.shape)}, {len(words)} words"
        yield Case(word_scores(x.clone(), words.clone(), bias.clone()), expected, mistakes, given)


def check_count_parameters(count_parameters: Callable[[dict[str, Tensor]], int]) -> Checked:
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
            "Tensors of one shape are counted once; two tensors can have the same shape.": (
                sum({tensor.shape: tensor.numel() for tensor in tensors}.values())
            ),
            "Tensors of one size are counted once; two tensors can have the same size.": sum({tensor.numel() for tensor in tensors}),
            "These are axes counted; asked for is how many numbers are in the tensors.": sum(t.dim() for t in {id(t): t for t in tensors}.values()),
            "The axes' lengths are added up; they are to be multiplied.": sum(sum(t.shape) for t in {id(t): t for t in tensors}.values()),
            "Only what stands under two names is counted.": (
                sum(t.numel() for t in tensors) - sum(t.numel() for t in {id(t): t for t in tensors}.values())
            ),
            "These are bytes; asked for is how many numbers there are.": sum(4 * t.numel() for t in {id(t): t for t in tensors}.values()),
            "These are tensors counted; asked for is how many numbers are in them.": len({id(tensor) for tensor in tensors}),
            "These are names counted; asked for is how many numbers the tensors hold.": len(tensors),
            "Of every tensor only the first axis is counted.": sum(len(t) for t in {id(t): t for t in tensors}.values()),
        }  # fmt: skip
        yield Case(count_parameters(dict(named)), expected, mistakes, given)


def _randomised(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """Fresh numbers in every parameter, so that no weight is 1 and no bias 0."""
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return module
