"""Checks of chapter 4: heads, masks, and attention itself."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course.hints import Case, Checked
from minibert import BertConfig, BertSelfAttention
from minibert.model.attention import eager_attention
from minibert.model.masks import extended_attention_mask

SHAPES = ((1, 2, 3, 4), (2, 3, 5, 2), (3, 4, 6, 8))  # (batch, heads, seq, d)


def check_split_heads(split_heads: Callable[[Tensor, int], Tensor]) -> Checked:
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
        yield Case(split_heads(x.clone(), heads), library.transpose_for_scores(x), mistakes, given)


def check_additive_mask(additive_mask: Callable[[Tensor], Tensor]) -> Checked:
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
        yield Case(additive_mask(mask.clone()), expected, mistakes, f"mask {mask.tolist()}")


def check_attention(attention: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> Checked:
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
            after = torch.softmax(products / root, -1)
            shape = (batch, heads, seq, keys)
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
                "The mask is added before the scores are divided: it is divided too, which −10000 hides and other masks do not.": (
                    torch.softmax((products + mask) / root, -1) @ value
                ),
                "The mask is added after the softmax; there it hides nothing.": (after + mask) @ value,
                "The mask is multiplied with; it is added.": torch.softmax(products / root * mask, -1) @ value,
                "The softmax is taken twice.": torch.softmax(torch.softmax(products / root + mask, -1), -1) @ value,
                "The scale is applied after the softmax; the scores are divided before it.": torch.softmax(products + mask, -1) / root @ value,
                "The probabilities are the logarithms of some: softmax, not log_softmax.": torch.log_softmax(products / root + mask, -1) @ value,
                "Every key has the same weight: the scores are not used.": torch.softmax(torch.zeros(shape) + mask, -1) @ value,
                "σ stands where softmax is asked for.": torch.sigmoid(products / root + mask) @ value,
                "The scale is the root of the number of keys; d is the last axis of the query, the width of one head.": (
                    torch.softmax(products / math.sqrt(keys) + mask, -1) @ value
                ),
                "The scale is the root of the number of heads; d is the width of one head.": (
                    torch.softmax(products / math.sqrt(heads) + mask, -1) @ value
                ),
                "The root is taken of the scores' own size, not of d: √d is the same for all.": (
                    torch.softmax(products / products.abs().sqrt() + mask, -1) @ value
                ),
                "The values are not mixed: this is the mean of the values.": value.mean(2, keepdim=True).expand(batch, heads, seq, d),
                "The softmax is missing.": (products / root + mask) @ value,
                "These are the probabilities; they are still to be multiplied with the values.": (
                    torch.softmax(products / root + mask, -1)
                ),
                "The probabilities weigh the keys, and should weigh the values.": torch.softmax(products / root + mask, -1) @ key,
            }  # fmt: skip
            given = f"query {tuple(query.shape)}, {keys} keys, the last one hidden"
            yield Case(attention(query.clone(), key.clone(), value.clone(), mask.clone()), expected, mistakes, given)
    for size in (40.0, 400.0):  # scores of hundreds, where e to their power is more than a float holds
        query, key, value = torch.randn(3, 1, 2, 3, 4, generator=generator)
        mask = torch.tensor([0.0, -10000.0, -3.0])[None, None, None]
        query = size * query
        expected, _ = eager_attention(query, key, value, mask, (), torch.nn.Dropout(0.0), None)
        given = f"scores of up to {float((query @ key.transpose(-1, -2)).abs().max()) / 2:.0f}"
        mistakes = {
            "e to such a score is more than a float holds. Take the largest score of the row away first, as torch.softmax does.": (
                (query @ key.transpose(-1, -2) / 2 + mask).exp()
                / (query @ key.transpose(-1, -2) / 2 + mask).exp().sum(-1, keepdim=True)
                @ value
            ),
            "The mask is added before the scores are divided: it is divided too, which −10000 hides and other masks do not.": (
                torch.softmax((query @ key.transpose(-1, -2) + mask) / 2, -1) @ value
            ),
        }
        yield Case(attention(query.clone(), key.clone(), value.clone(), mask.clone()), expected, mistakes, given)


def check_join_heads(join_heads: Callable[[Tensor], Tensor]) -> Checked:
    for batch, heads, seq, d in SHAPES:
        hidden = torch.arange(batch * seq * heads * d, dtype=torch.float32).view(batch, seq, heads * d)
        library = BertSelfAttention(BertConfig(hidden_size=heads * d, num_attention_heads=heads))
        x = library.transpose_for_scores(hidden).contiguous()  # as probabilities · values comes out
        mistakes = {
            "Heads and positions must be swapped before they are put side by side: this mixes positions.": (
                x.reshape(batch, seq, heads * d)
            ),
            "Head and position are swapped, and then the axes of the result too: this is (batch, heads · d, seq).": (
                hidden.transpose(1, 2)
            ),
            "d and seq are swapped instead of heads and seq.": x.transpose(2, 3).reshape(batch, seq, heads * d),
            "Heads and positions are swapped, but the heads are not yet side by side.": x.transpose(1, 2),
            "The numbers of the heads alternate; head 0's d numbers come first, then head 1's.": (
                x.permute(0, 2, 3, 1).reshape(batch, seq, heads * d)
            ),
            "The heads are averaged; they are to be put side by side.": x.mean(1),
            "The heads are added up; they are to be put side by side.": x.sum(1),
        }
        given = f"x of shape {tuple(x.shape)}"
        for lies in (x, library.transpose_for_scores(hidden)):  # the same numbers, in two orders in memory
            try:
                yield Case(join_heads(lies.clone()), hidden, mistakes, given)
            except RuntimeError as error:
                if "view" not in str(error):
                    raise
                return (
                    f"{given}: `view` cannot put numbers side by side that lie apart in memory, as they do after a transpose. "
                    "Use reshape, or contiguous() before view."
                )
