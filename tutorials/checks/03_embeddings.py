"""Checks of chapter 3: tables, their sum, and LayerNorm."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import Case, Checked
from minibert import BertConfig, BertEmbeddings


def check_embed(embed: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]) -> Checked:
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
            "Only the words are there: segments and positions are missing.": word,
            "Segments and words have changed tables.": words[segments] + kinds[ids % len(kinds)] + place,
            "Every token has the same position. Positions count the tokens of a text.": word + segment + places[0],
            "Positions count from the end of the text.": word + segment + place.flip(0),
            "The positions' table is looked up by the batch, not along the text.": (
                word + segment + places[torch.arange(batch)][:, None, :]
            ),
            "The segments count as all 1. Are `segments` used?": word + kinds[1] + place,
            "The segments are the wrong way round.": word + kinds[1 - segments] + place,
            "The positions are counted twice.": word + segment + 2 * place,
            "The words are counted twice.": 2 * word + segment + place,
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
        yield Case(embed(ids, segments, words, kinds, places), expected, mistakes, given)


def check_layer_norm(layer_norm: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> Checked:
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
            "weight and bias have changed places.": centred / (variance + eps).sqrt() * bias + weight,
            "eps is squared, or under one root too many: it is added to the variance.": (
                centred / (variance + eps * eps).sqrt() * weight + bias
            ),
            "eps is taken away; it is added.": centred / (variance - eps).sqrt() * weight + bias,
            "The root is multiplied with; divide by it.": centred * (variance + eps).sqrt() * weight + bias,
            "The mean is added instead of taken away.": (
                (x + x.mean(-1, keepdim=True)) / (variance + eps).sqrt() * weight + bias
            ),
            "The variance is missing: x is centred, and not divided.": centred * weight + bias,
            "The bias is taken away instead of added.": centred / (variance + eps).sqrt() * weight - bias,
            "It divides by the mean size of the numbers, not by the root of their mean square.": (
                centred / (centred.abs().mean(-1, keepdim=True) + eps) * weight + bias
            ),
            "The squares are summed; the variance is their mean.": (
                centred / (centred.square().sum(-1, keepdim=True) + eps).sqrt() * weight + bias
            ),
            "The weight is missing.": centred / (variance + eps).sqrt() + bias,
            "The bias is missing.": centred / (variance + eps).sqrt() * weight,
            "Weight and bias are missing.": centred / (variance + eps).sqrt(),
            "The bias is added before the weight multiplies.": (centred / (variance + eps).sqrt() + bias) * weight,
        }
        given = f"x of shape {shape}, eps {eps}"
        yield Case(layer_norm(x.clone(), weight.clone(), bias.clone(), eps), expected, mistakes, given)


def check_nearest(nearest: Callable[[Tensor, int, int], list[int]]) -> Checked:
    generator = torch.Generator().manual_seed(3)
    for words, hidden in ((10, 3), (30, 4), (50, 8)):
        table = torch.randn(words, hidden, generator=generator) * torch.rand(words, 1, generator=generator) * 5
        for word in (0, words // 2, words - 1):
            table[2] = 4 * table[word]  # of the same direction, and another length
            cosine = F.cosine_similarity(table, table[word], dim=-1)
            cosine[word] = 2.0
            ranked = cosine.argsort(descending=True).tolist()
            plain = F.normalize(table, dim=-1) @ F.normalize(table, dim=-1)[word]
            by_product = (table @ table[word]).argsort(descending=True).tolist()
            by_distance = torch.cdist(table[word : word + 1], table)[0].argsort().tolist()
            half = (table @ table[word] / table.norm(dim=-1) ** 2).argsort(descending=True).tolist()
            size = cosine.abs().argsort(descending=True).tolist()
            mistakes = {
                "The word itself is among them; it is always its own nearest.": ranked[:4],
                "The word itself is among them; leave it out.": plain.topk(4).indices.tolist(),
                "The first of all is left out, and that is not always the word itself: another may point exactly the same way.": (
                    plain.topk(5).indices.tolist()[1:]
                ),
                "These are the farthest words.": ranked[::-1][:4],
                "The right words, but the nearest must come first.": ranked[1:5][::-1],
                "These have the largest dot product. A cosine divides it by both lengths.": [i for i in by_product if i != word][:4],
                "These have the largest dot product, the first of all left out. A cosine divides it by both lengths.": by_product[1:5],
                "These have the largest dot product; a cosine, divided by both lengths, lies between −1 and 1.": (
                    (table @ table[word]).index_fill(0, torch.tensor(word), -2.0).topk(4).indices.tolist()
                ),
                "The word itself is among them, and a cosine divides the dot product by both lengths.": by_product[:4],
                "These have the smallest distance. The cosine looks at directions only.": [i for i in by_distance if i != word][:4],
                "The product is divided by the other word's length twice; divide by both lengths once.": [i for i in half if i != word][:4],
                "The opposite direction counts as near: the cosine's sign is lost.": [i for i in size if i != word][:4],
                "There is one word too few. The word itself takes a place before it is left out.": ranked[1:4],
                "There is one word too many.": ranked[1:6],
                "The nearest is left out along with the word itself.": ranked[2:6],
                "These ids are in a tensor; make them a list of plain numbers.": torch.tensor(ranked[1:5]),
                "These are cosines; asked for are the ids of the words.": cosine[ranked[1:5]].tolist(),
            }  # fmt: skip
            given = f"a table of {words} words, word {word}, 4 nearest"
            yield Case(nearest(table.clone(), word, 4), ranked[1:5], mistakes, given)
