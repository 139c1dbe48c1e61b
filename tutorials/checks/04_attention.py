"""Checks of chapter 4: heads, masks, and attention itself."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course.hints import hint_for
from minibert import BertConfig, BertSelfAttention
from minibert.model.attention import eager_attention
from minibert.model.masks import extended_attention_mask

SHAPES = ((1, 2, 3, 4), (2, 3, 5, 2), (3, 4, 6, 8))  # (batch, heads, seq, d)


def check_split_heads(split_heads: Callable[[Tensor, int], Tensor]) -> str | None:
    for batch, heads, seq, d in SHAPES:
        x = torch.arange(batch * seq * heads * d, dtype=torch.float32).view(batch, seq, heads * d)
        library = BertSelfAttention(BertConfig(hidden_size=heads * d, num_attention_heads=heads))
        by_head = x.view(batch, seq, heads, d)
        mistakes = {
            "Viewed as (batch, heads, seq, d) at once, numbers of different positions get mixed. First give the heads "
            "an axis where their numbers lie, next to seq; then swap the two axes.": x.view(batch, heads, seq, d),
            "Heads and positions are not swapped: this is (batch, seq, heads, d).": by_head,
            "The last two axes are swapped: this is (batch, heads, d, seq).": by_head.permute(0, 2, 3, 1),
            "Every head gets every heads-th number; head 0 should get the first d numbers of a position.": (
                x.view(batch, seq, d, heads).permute(0, 3, 1, 2)
            ),
        }
        given = f"x of shape {tuple(x.shape)}, {heads} heads"
        if hint := hint_for(split_heads(x.clone(), heads), library.transpose_for_scores(x), mistakes, given):
            return hint
    return None


def check_additive_mask(additive_mask: Callable[[Tensor], Tensor]) -> str | None:
    for mask in (torch.tensor([[1, 1, 0]]), torch.tensor([[1, 0, 0, 0], [1, 1, 1, 1]]), torch.zeros(1, 2).long()):
        expected = extended_attention_mask(mask, mask.size(1), False, torch.float32)
        seen = mask[:, None, None, :].float()
        flat = (1.0 - mask.float()) * -10000.0
        mistakes = {
            "It is the wrong way round: padding is let through, and the tokens are hidden.": seen * -10000.0,
            "The sign: −10000 hides, +10000 makes everyone look at the padding.": -expected,
            "−∞ instead of −10000: a row that may see nothing would become NaN.": torch.where(
                seen == 1, 0.0, -math.inf
            ),
            "The mask still has 1 and 0; these are to be multiplied with, not added.": seen,
            "The numbers are right, but the two axes in the middle are missing.": flat,
            "The numbers are right, but an axis in the middle is missing.": flat[:, None, :],
            "The keys are on the wrong axis: this hides queries.": flat[:, None, :, None],
            "The mask is of whole numbers; scores are float32.": expected.long(),
        }
        if hint := hint_for(additive_mask(mask.clone()), expected, mistakes, f"mask {mask.tolist()}"):
            return hint
    return None


def check_attention(attention: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(1)
    for batch, heads, seq, d in SHAPES:
        for keys in (seq, seq + 2):
            query = torch.randn(batch, heads, seq, d, generator=generator)
            key, value = torch.randn(2, batch, heads, keys, d, generator=generator)
            mask = torch.zeros(batch, 1, 1, keys)
            mask[..., -1] = -10000.0
            no_dropout = torch.nn.Dropout(0.0)
            expected, _ = eager_attention(query, key, value, mask, (), no_dropout, None)
            products = query @ key.transpose(-1, -2)
            root = math.sqrt(d)
            mistakes = {
                "The scale is missing: divide the scores by √d.": torch.softmax(products + mask, -1) @ value,
                "The scores are divided by d, and should be by its root.": torch.softmax(products / d + mask, -1) @ value,
                "The scores are multiplied by √d, and should be divided.": torch.softmax(products * root + mask, -1) @ value,
                "The scale is the root of another length: d is the last axis of the query, the width of one head.": (
                    torch.softmax(products / math.sqrt(seq) + mask, -1) @ value
                ),
                "The scale is the root of the whole width; d is the width of one head.": (
                    torch.softmax(products / math.sqrt(heads * d) + mask, -1) @ value
                ),
                "The mask is not added.": torch.softmax(products / root, -1) @ value,
                "The mask is taken away instead of added.": torch.softmax(products / root - mask, -1) @ value,
                "The softmax runs over the wrong axis: over the queries. A query's looks at all keys add up to 1.": (
                    torch.softmax(products / root + mask, -2) @ value
                ),
                "The softmax runs over the wrong axis: over the heads.": torch.softmax(products / root + mask, 1) @ value,
                "The softmax is missing.": (products / root + mask) @ value,
                "These are the probabilities; they are still to be multiplied with the values.": (
                    torch.softmax(products / root + mask, -1)
                ),
                "The probabilities weigh the keys, and should weigh the values.": torch.softmax(products / root + mask, -1) @ key,
            }  # fmt: skip
            given = f"query {tuple(query.shape)}, {keys} keys, the last one hidden"
            if hint := hint_for(
                attention(query.clone(), key.clone(), value.clone(), mask.clone()), expected, mistakes, given
            ):
                return hint
    return None


def check_join_heads(join_heads: Callable[[Tensor], Tensor]) -> str | None:
    for batch, heads, seq, d in SHAPES:
        hidden = torch.arange(batch * seq * heads * d, dtype=torch.float32).view(batch, seq, heads * d)
        library = BertSelfAttention(BertConfig(hidden_size=heads * d, num_attention_heads=heads))
        x = library.transpose_for_scores(hidden)
        mistakes = {
            "Heads and positions must be swapped before they are put side by side: this mixes positions.": (
                x.reshape(batch, seq, heads * d)
            ),
            "Heads and positions are swapped, but the heads are not yet side by side.": x.transpose(1, 2),
            "The numbers of the heads alternate; head 0's d numbers come first, then head 1's.": (
                x.permute(0, 2, 3, 1).reshape(batch, seq, heads * d)
            ),
            "The heads are averaged; they are to be put side by side.": x.mean(1),
            "The heads are added up; they are to be put side by side.": x.sum(1),
        }
        if hint := hint_for(join_heads(x.clone()), hidden, mistakes, f"x of shape {tuple(x.shape)}"):
            return hint
    return None
