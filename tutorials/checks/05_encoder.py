"""Checks of chapter 5: the feed-forward network, add & norm, and what a layer weighs."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.hints import Case, Checked
from minibert import BertConfig, BertLayer
from minibert.model import activations


def check_gelu(gelu: Callable[[Tensor], Tensor]) -> Checked:
    generator = torch.Generator().manual_seed(1)
    for shape in ((5,), (2, 3), (2, 3, 4)):
        x = 2 * torch.randn(shape, generator=generator)
        phi = 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))
        mistakes = {
            "This is Φ(x) alone; x times it is asked for.": phi,
            "This is ReLU, which gelu rounds off.": F.relu(x),
            "This is the approximation with tanh; asked for is the exact form with erf.": activations.gelu_new(x),
            "This is the approximation with σ(1.702 x); asked for is the exact form with erf.": activations.quick_gelu(
                x
            ),
            "x is not divided by √2 inside erf.": x * 0.5 * (1.0 + torch.erf(x)),
            "x is divided by 2 inside erf, and should be by √2.": x * 0.5 * (1.0 + torch.erf(x / 2)),
            "The ½ is missing.": 2 * x * phi,
            "The sign inside erf is turned round: this is x · (1 − Φ(x)).": x * (1 - phi),
            "1 − erf stands where 1 + erf is asked for, and x is not divided by √2.": x * 0.5 * (1.0 - torch.erf(x)),
            "x is multiplied by √2 inside erf, and should be divided.": x * 0.5 * (1.0 + torch.erf(x * math.sqrt(2.0))),
            "This is x · σ(x), called SiLU or swish; asked for is the exact form with erf.": F.silu(x),
            "tanh stands where erf is asked for.": x * 0.5 * (1.0 + torch.tanh(x / math.sqrt(2.0))),
            "The ½ and the 1 + are missing.": x * torch.erf(x / math.sqrt(2.0)),
            "x is taken twice: x² · Φ(x).": x * x * phi,
            "The ½ belongs to both summands: ½ (1 + erf).": x * (0.5 + torch.erf(x / math.sqrt(2.0))),
            "The 1 + is missing: erf goes from −1 to 1, Φ from 0 to 1.": x * 0.5 * torch.erf(x / math.sqrt(2.0)),
        }
        yield Case(gelu(x.clone()), activations.gelu(x), mistakes, f"x of shape {shape}")


def check_feed_forward(feed_forward: Callable[[Tensor, nn.Linear, nn.Linear], Tensor]) -> Checked:
    generator = torch.Generator().manual_seed(2)
    for hidden in (3, 5):
        up, down = _linear(hidden, 4 * hidden, generator), _linear(4 * hidden, hidden, generator)
        x = torch.randn(2, 4, hidden, generator=generator)
        with torch.no_grad():
            wide = up(x)
            mistakes = {
                "There is no gelu between the two: without it they are one linear map.": down(wide),
                "ReLU stands where gelu is asked for.": down(F.relu(wide)),
                "gelu stands after the second map; it belongs between the two.": F.gelu(down(wide)),
                "gelu stands after both maps; it belongs after the first only.": F.gelu(down(F.gelu(wide))),
                "tanh stands where gelu is asked for.": down(torch.tanh(wide)),
                "gelu is applied twice.": down(F.gelu(F.gelu(wide))),
                "This is the gelu with tanh; use `gelu` from above, the exact one.": down(
                    F.gelu(wide, approximate="tanh")
                ),
                "The first bias is missing.": down(F.gelu(x @ up.weight.T)),
                "The second bias is missing.": F.gelu(wide) @ down.weight.T,
                "The second map is missing, and gelu: the result has the inner width.": wide,
                "The input is added; that is the next stage's work.": down(F.gelu(wide)) + x,
                "gelu is applied to the input already.": down(F.gelu(up(F.gelu(x)))),
                "The second map is missing: the result has the inner width.": F.gelu(wide),
                "The biases are missing: call the layers instead of multiplying with their weights.": (
                    F.gelu(x @ up.weight.T) @ down.weight.T
                ),
            }
            expected = down(F.gelu(wide))
            yield Case(feed_forward(x.clone(), up, down), expected, mistakes, f"x of shape {tuple(x.shape)}")


def check_add_and_norm(
    add_and_norm: Callable[[Tensor, Callable[[Tensor], Tensor], nn.LayerNorm], Tensor],
) -> Checked:
    generator = torch.Generator().manual_seed(3)
    for hidden in (4, 6):
        stage = _linear(hidden, hidden, generator)
        norm = nn.LayerNorm(hidden)
        norm.weight.data, norm.bias.data = torch.randn(2, hidden, generator=generator)
        x = torch.randn(2, 3, hidden, generator=generator)
        with torch.no_grad():
            mistakes = {
                "x is not added: this is the stage's result, normalised.": norm(stage(x)),
                "The sum is not normalised.": stage(x) + x,
                "The stage's result is normalised before x is added; BERT normalises the sum.": norm(stage(x)) + x,
                "The stage runs on the normalised x (as in GPT-2); BERT normalises the sum, at the end.": stage(norm(x))
                + x,
                "The stage's result is taken away; asked for is the sum.": norm(x - stage(x)),
                "x is added twice.": norm(stage(x) + 2 * x),
                "x is added once more after the norm.": norm(stage(x) + x) + x,
                "The sum is normalised twice.": norm(norm(stage(x) + x)),
                "x is normalised before it is added, and the sum is not.": norm(x) + stage(x),
                "The stage runs on the normalised x, and the sum is normalised too.": norm(stage(norm(x)) + x),
                "The LayerNorm's own weight, bias or eps are not used: call `norm`.": F.layer_norm(
                    stage(x) + x, (hidden,)
                ),
                "The sum is halved, which LayerNorm's eps shows.": norm((stage(x) + x) / 2),
                "The stage runs, and x is forgotten.": stage(x),
                "The stage does not run at all.": norm(x + x),
                "x is normalised, and the stage does not run.": norm(x),
                "The stage runs twice.": norm(stage(stage(x)) + x),
                "x is multiplied with; asked for is the sum.": norm(stage(x) * x),
            }
            expected = norm(stage(x) + x)
            yield Case(add_and_norm(x.clone(), stage, norm), expected, mistakes, f"x of shape {tuple(x.shape)}")


def check_layer_parameters(layer_parameters: Callable[[int, int], int]) -> Checked:
    for hidden, wide in ((16, 40), (24, 100), (256, 1024)):
        layer = BertLayer(BertConfig(hidden_size=hidden, num_attention_heads=4, intermediate_size=wide))
        expected = sum(parameter.numel() for parameter in layer.parameters())
        square, norm = hidden * hidden + hidden, 2 * hidden
        weights_only = 4 * hidden * hidden + 2 * hidden * wide
        mistakes = {
            "The biases are missing, LayerNorm's too.": weights_only,
            "The biases of the linear maps are missing.": weights_only + 2 * norm,
            "4 · hidden are missing: the two LayerNorms, or the biases of the four projections.": expected - 2 * norm,
            "2 · hidden are missing: there are two LayerNorms, and each has a weight and a bias.": expected - norm,
            "There is one LayerNorm, and an output projection less.": expected - norm - square,
            "The LayerNorms are missing.": expected - 2 * norm,
            "The biases of the four projections are missing.": expected - 4 * hidden,
            "The biases of up and down are missing.": expected - hidden - wide,
            "There are two LayerNorms too many.": expected + 2 * norm,
            "Attention is missing.": expected - 4 * square,
            "The feed-forward network is missing.": expected - 2 * hidden * wide - hidden - wide,
            "up is there, down is missing.": expected - hidden * wide - hidden,
            "down is there, up is missing.": expected - hidden * wide - wide,
            "There is one projection too many.": expected + square,
            "The output projection of attention is missing.": expected - square,
            "Query, key and value are counted once for all three.": expected - 2 * square,
            "The biases of up and down have different widths.": expected - wide + hidden,
            "Both biases of up and down have the inner width; down ends at the hidden width.": expected - hidden + wide,
            "A number of parameters is a whole one.": float(expected),
        }
        given = f"hidden {hidden}, intermediate {wide}"
        yield Case(layer_parameters(hidden, wide), expected, mistakes, given)


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    layer.weight.data = torch.randn(outputs, inputs, generator=generator)
    layer.bias.data = torch.randn(outputs, generator=generator)
    return layer
