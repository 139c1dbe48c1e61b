"""Checks of chapter 3: tables, their sum, and LayerNorm."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import hint_for
from minibert import BertConfig, BertEmbeddings


def check_embed(embed: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(1)
    config = BertConfig(vocab_size=20, hidden_size=6, num_attention_heads=2, max_position_embeddings=9)
    stage = BertEmbeddings(config).eval()
    stage.LayerNorm = torch.nn.Identity()  # the sum itself
    words, kinds, places = (
        torch.randn(rows, 6, generator=generator)
        for rows in (20, config.type_vocab_size, config.max_position_embeddings)
    )
    for table, values in zip(
        (stage.word_embeddings, stage.token_type_embeddings, stage.position_embeddings),
        (words, kinds, places),
        strict=True,
    ):
        table.weight.data = values
    for batch, seq in ((1, 4), (3, 5), (2, 8)):
        ids = torch.randint(1, 20, (batch, seq), generator=generator)
        segments = torch.randint(0, 2, (batch, seq), generator=generator)
        with torch.no_grad():
            expected = stage(ids, segments)
        word, segment, place = words[ids], kinds[segments], places[:seq]
        mistakes = {
            "The segments are missing.": word + place,
            "The positions are missing.": word + segment,
            "The words are missing.": segment + place,
            "Positions count from 0, and these count from 1.": word + segment + places[1 : seq + 1],
            "The three are multiplied; asked for is their sum.": word * segment * place,
            "The three are averaged; asked for is their sum.": (word + segment + place) / 3,
            "The positions are looked up by the words' ids; position 0 is the first token, whatever it is.": (
                word + segment + places[ids % len(places)]
            ),
            "The segments count as all 0. Are `segments` used?": word + kinds[0] + place,
            "LayerNorm comes later, and is not asked for here.": F.layer_norm(word + segment + place, (6,)),
        }
        given = f"ids of shape {(batch, seq)}"
        if hint := hint_for(embed(ids, segments, words, kinds, places), expected, mistakes, given):
            return hint
    return None


def check_layer_norm(layer_norm: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(2)
    for shape, eps in (((2, 3, 4), 1e-12), ((1, 5, 8), 0.1), ((3, 2, 6), 0.5)):
        x = 2 * torch.randn(shape, generator=generator) + 1
        weight, bias = torch.randn(2, shape[-1], generator=generator)
        expected = F.layer_norm(x, shape[-1:], weight, bias, eps)
        centred = x - x.mean(-1, keepdim=True)
        variance = centred.square().mean(-1, keepdim=True)
        over_places = x - x.mean(1, keepdim=True)
        over_all = x - x.mean()
        mistakes = {
            "The variance divides by n − 1 (PyTorch's default for `var` and `std`); LayerNorm divides by n.": (
                centred / (x.var(-1, keepdim=True) + eps).sqrt() * weight + bias
            ),
            "The wrong axis: mean and variance run over the positions, and should run over the last axis.": (
                over_places / (over_places.square().mean(1, keepdim=True) + eps).sqrt() * weight + bias
            ),
            "The wrong axis: the mean runs over the positions, and should run over the last axis.": (
                over_places / (over_places.square().mean(-1, keepdim=True) + eps).sqrt() * weight + bias
            ),
            "Mean and variance run over the whole tensor, and should run over the last axis only.": (
                over_all / (over_all.square().mean() + eps).sqrt() * weight + bias
            ),
            "The root is missing: divide by √(variance + eps).": centred / (variance + eps) * weight + bias,
            "eps stands outside of the root, and belongs inside.": centred / (variance.sqrt() + eps) * weight + bias,
            "eps is missing.": centred / variance.sqrt() * weight + bias,
            "The mean is not taken away.": x / (variance + eps).sqrt() * weight + bias,
            "The weight is missing.": centred / (variance + eps).sqrt() + bias,
            "The bias is missing.": centred / (variance + eps).sqrt() * weight,
            "Weight and bias are missing.": centred / (variance + eps).sqrt(),
            "The bias is added before the weight multiplies.": (centred / (variance + eps).sqrt() + bias) * weight,
        }
        given = f"x of shape {shape}, eps {eps}"
        if hint := hint_for(layer_norm(x.clone(), weight.clone(), bias.clone(), eps), expected, mistakes, given):
            return hint
    return None


def check_nearest(nearest: Callable[[Tensor, int, int], list[int]]) -> str | None:
    generator = torch.Generator().manual_seed(3)
    for words, hidden in ((10, 3), (30, 4), (50, 8)):
        table = torch.randn(words, hidden, generator=generator) * torch.rand(words, 1, generator=generator) * 5
        for word in (0, words // 2, words - 1):
            cosine = F.cosine_similarity(table, table[word], dim=-1)
            ranked = cosine.argsort(descending=True).tolist()
            by_product = (table @ table[word]).argsort(descending=True).tolist()
            by_distance = torch.cdist(table[word : word + 1], table)[0].argsort().tolist()
            mistakes = {
                "The word itself is among them; it is always its own nearest.": ranked[:4],
                "These are the farthest words.": ranked[::-1][:4],
                "The right words, but the nearest must come first.": ranked[1:5][::-1],
                "These have the largest dot product. A cosine divides it by both lengths.": [i for i in by_product if i != word][:4],
                "These have the smallest distance. The cosine looks at directions only.": by_distance[1:5],
                "There is one word too few. The word itself takes a place before it is left out.": ranked[1:4],
                "These ids are in a tensor; make them a list of plain numbers.": torch.tensor(ranked[1:5]),
            }  # fmt: skip
            given = f"a table of {words} words, word {word}, 4 nearest"
            if hint := hint_for(nearest(table.clone(), word, 4), ranked[1:5], mistakes, given):
                return hint
    return None
