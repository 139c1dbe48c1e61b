"""Checks of chapter 16: the triangle, the shift, greedy search and top p."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import NO_GRADIENT, Case, Checked, gradient_of
from minibert import BertConfig, BertLMHeadModel
from minibert.generation.scores import keep_top_p
from minibert.model import masks


def check_causal_mask(causal_mask: Callable[[int, int], Tensor]) -> Checked:
    for new, past in ((3, 0), (3, 2), (1, 4), (4, 3)):
        expected = masks.causal_mask(1, new, past + new, like=torch.ones(1).long())[0]
        ones = torch.ones_like(expected)
        mistakes = {
            "It is the wrong way round: each word sees what follows.": ones.triu(past),
            "1 and 0 have changed places: 1 says that a word may be seen.": 1 - expected,
            "A word does not see itself; the words before it and itself are what it knows.": ones.tril(past - 1),
            "A word sees one word too many: the next one.": ones.tril(past + 1),
            "The cache is forgotten: the first new word sees the whole past, and itself.": ones.tril(),
            "The cache stands behind the new words; the past comes first.": expected.roll(new, dims=1),
            "There is a row too many, or a column too few: it is (new, past + new).": torch.ones(past + new, past + new).tril(),
            "Only the past is seen; each word sees itself and the new words before it, too.": expected * (torch.arange(past + new) < past),
            "Each word sees itself alone, and the past.": expected * (
                (torch.arange(past + new) < past) | torch.eye(past + new, dtype=torch.bool)[past:]
            ),
            "The rows are in reverse order: the last word sees most.": expected.flip(0),
            "The columns are in reverse order: the past comes first.": expected.flip(1),
            "Nothing can be seen.": 0 * expected,
            "Every word sees all others: the triangle is missing.": ones,
            "The past is hidden; it may be seen by every new word.": expected * (torch.arange(past + new) >= past),
            "This is the additive mask; asked for is 1 and 0.": (1 - expected) * -10000,
        }  # fmt: skip
        result = causal_mask(new, past)
        if isinstance(result, Tensor) and result.dtype == torch.bool:
            return f"{new} new words behind {past}: The dtype is bool; 1 and 0 of int64 are asked for."
        yield Case(result, expected, mistakes, f"{new} new words behind {past}")


def check_shifted_loss(shifted_loss: Callable[[Tensor, Tensor], Tensor]) -> Checked:
    generator = torch.Generator().manual_seed(1)
    config = BertConfig(
        vocab_size=9,
        hidden_size=4,
        num_attention_heads=2,
        num_hidden_layers=1,
        intermediate_size=8,
        initializer_range=1.0,
        is_decoder=True,
    )
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    model = BertLMHeadModel(config).eval()
    torch.random.set_rng_state(torch_state)
    for batch, seq, padded in ((1, 5, 0), (2, 6, 0), (2, 6, 2)):
        ids = torch.randint(0, 9, (batch, seq), generator=generator)
        ids[:, 1] = 0  # word 0 is a word, too
        labels = ids.clone()
        if padded:
            labels[0, -padded:] = -100
        with torch.no_grad():
            outputs = model(ids, labels=labels)
        scores = outputs.logits

        def loss(scores: Tensor, labels: Tensor, **how: str) -> Tensor:
            return F.cross_entropy(scores.flatten(0, 1), labels.flatten(), **how)

        mistakes = {
            "Nothing is shifted: each place is asked for the word that stands there.": loss(scores, labels),
            "The shift goes the wrong way: each place is asked for the word before it.": loss(scores[:, 1:], labels[:, :-1]),
            "The shift is by two places, and should be by one.": loss(scores[:, :-2], labels[:, 2:]),
            "The last place is asked for the first word: what rolls out at one end comes in at the other.": (
                loss(scores, labels.roll(-1, dims=1))
            ),
            "The last word is asked nowhere: the last scores have no next word, but the last word has scores before it.": (
                loss(scores[:, :-2], labels[:, 1:-1])
            ),
            "Word 0 asks nothing here; only −100 does.": loss(
                scores[:, :-1], labels[:, 1:].masked_fill(labels[:, 1:] == 0, -100)
            ),
            "The first place is asked for nothing: it is asked for the second word.": loss(scores[:, 1:-1], labels[:, 2:]),
            "The sum is divided by all places; asked for is the mean over those that ask.": (
                loss(scores[:, :-1], labels[:, 1:], reduction="sum") / labels[:, 1:].numel()
            ),
            "The sum is divided by the length of the text; there is one word less to guess.": (
                loss(scores[:, :-1], labels[:, 1:], reduction="sum") / labels.numel()
            ),
            "The softmax is taken twice.": loss(scores[:, :-1].softmax(-1), labels[:, 1:]),
            "The logarithm of the softmax is taken, and cross_entropy takes it again, of probabilities.": (
                loss(scores[:, :-1].softmax(-1).log(), labels[:, 1:])
            ),
            "The sign: a loss is not negative.": -loss(scores[:, :-1], labels[:, 1:]),
            "Only the last word is asked for.": loss(scores[:, -2:-1], labels[:, -1:]),
            "This is the sum; asked for is the mean.": loss(scores[:, :-1], labels[:, 1:], reduction="sum"),
            "Places with −100 are counted, as though they asked for word 0.": (
                loss(scores[:, :-1], labels[:, 1:].clamp(min=0))
            ),
            "Texts run into each other: the end of one is asked for the start of the next.": (
                F.cross_entropy(scores.flatten(0, 1)[:-1], labels.flatten()[1:])
            ),
        }  # fmt: skip
        given = f"{batch} texts of {seq} words, {padded} of them −100"
        yield Case(shifted_loss(scores.clone(), labels.clone()), outputs.loss, mistakes, given)
    yield Case(
        gradient_of(lambda scores: shifted_loss(scores, labels.clone()), scores),
        gradient_of(lambda scores: loss(scores[:, :-1], labels[:, 1:]), scores),
        {NO_GRADIENT: None},
        "the gradient",
    )
    given = "scores of hundreds, where e to a score, or a probability, is more or less than a float holds"
    large = 200 * torch.randn(scores.shape, generator=generator)
    yield Case(shifted_loss(large, labels.clone()), loss(large[:, :-1], labels[:, 1:]), {}, given)
    return None


NEXT = {0: 3, 1: 4, 2: 6, 3: 1, 4: 2, 5: 0, 6: 7, 7: 5}  # a language in which every word has one that follows


def check_greedy(greedy: Callable[[Callable[[list[int]], Tensor], list[int], int, int], list[int]]) -> Checked:
    seen: list[list[int]] = []

    def next_scores(ids: list[int]) -> Tensor:
        if len(seen) > 50:
            raise RecursionError
        seen.append(list(ids))
        return torch.arange(8) * 0.1 + 2 * (torch.arange(8) == NEXT[int(ids[-1])])

    for prompt, longest, end in (([4, 0], 6, 9), ([0, 3], 8, 6), ([7, 5], 3, 9), ([5], 8, 0), ([6, 6, 6], 6, 6)):
        expected = list(prompt)
        while len(expected) < longest and (len(expected) == len(prompt) or expected[-1] != end):
            expected.append(NEXT[expected[-1]])
        said = expected[len(prompt) :]
        unending = list(prompt)
        while len(unending) < longest:
            unending.append(NEXT[unending[-1]])
        mistakes = {
            "It stops before the prompt is continued: an end word in the prompt ends nothing.": list(prompt),
            "It goes on after the end word was said.": unending,
            "The end word itself is missing at the end.": expected[:-1] if said and said[-1] == end else expected,
            "The last word is missing where `longest` is reached.": expected if said and said[-1] == end else expected[:-1],
            "Only one word is added.": expected[: len(prompt) + 1],
            "The words said come in reverse order.": [*prompt, *said[::-1]],
            "Every word is said twice.": [*prompt, *(word for word in said for _ in range(2))],
            "The prompt is missing: it comes first in the text.": said,
            "It is one word too long: `longest` counts all words.": [*expected, NEXT[expected[-1]]],
            "It is one word too short.": expected[:-1],
            "`longest` counts the prompt too.": _continued(prompt, longest + len(prompt), end),
            "It chooses the second likeliest word.": _second(prompt, longest, end),
            "It chooses the unlikeliest word.": [*prompt, *(0 for _ in said)],
        }  # fmt: skip
        given = f"prompt {prompt}, longest {longest}, end word {end}"
        seen.clear()
        try:
            result = greedy(next_scores, list(prompt), longest, end)
        except RecursionError:
            return f"{given}: It never stops. After how many words should it?"
        yield Case(result, expected, mistakes, given)
        if any(len(ids) != len(prompt) + number for number, ids in enumerate(seen)):
            return f"{given}: next_scores is to be asked about the whole text so far."


def _second(prompt: list[int], longest: int, end: int) -> list[int]:
    text = list(prompt)
    while len(text) < longest and (len(text) == len(prompt) or text[-1] != end):
        text.append(7 if NEXT[text[-1]] != 7 else 6)
    return text


def _continued(prompt: list[int], longest: int, end: int) -> list[int]:
    text = list(prompt)
    while len(text) < longest and (len(text) == len(prompt) or text[-1] != end):
        text.append(NEXT[text[-1]])
    return text


def check_top_p(top_p: Callable[[Tensor, float], Tensor]) -> Checked:
    generator = torch.Generator().manual_seed(4)
    for number, p in enumerate((0.6, 0.5, 0.9, 0.05, 0.7)):
        scores = 1.5 * torch.randn(7, generator=generator)
        if number == 0:
            scores = torch.tensor([0.06, 0.1, 0.4, 0.04, 0.02, 0.25, 0.13]).log()
        cut = keep_top_p(scores[None], p)[0]
        kept = cut.isfinite()
        expected = cut.softmax(-1)
        probabilities = scores.softmax(-1)
        in_order, order = probabilities.sort(descending=True)
        too_few = kept & (probabilities != probabilities[kept].min())
        rest = probabilities * ~kept
        mistakes = {
            "They do not add up to 1: divide by what is left.": probabilities * kept,
            "The word that crosses p is missing: together they should have more than p.": _shares(probabilities * too_few),
            "The word that crosses p is missing, and they do not add up to 1.": probabilities * too_few,
            "These are the unlikeliest words, added up from the wrong end.": _shares(
                probabilities * torch.zeros(7).scatter(0, order.flip(0), (in_order.flip(0).cumsum(0) - in_order.flip(0) <= p) * 1.0)
            ),
            "These are the words that were to be left out.": _shares(rest),
            "Each word is compared with p by itself; it is their sum that counts.": _shares(probabilities * (probabilities > p)),
            "Nothing is cut off.": probabilities,
            "They all have the same share here; each keeps its probability, divided by what is left.": kept / kept.sum(),
            "This is the likeliest word alone.": torch.zeros(7).scatter(0, order[:1], 1.0),
            "One word too many is kept: the one that crosses p is the last.": _shares(
                probabilities * torch.zeros(7).scatter(0, order[: int(kept.sum()) + 1], 1.0)
            ),
            "The softmax is taken twice.": (probabilities * kept).masked_fill(~kept, -math.inf).softmax(-1),
            "Words that were left out have 0 as a score, and still have a share: softmax wants −∞ there.": (scores * kept).softmax(-1),
            "The sum of the words kept is to be 1: it is p.": p * expected,
            "The probabilities are in order of size; each belongs to the place of its word.": expected.sort(descending=True).values,
            "These are the scores that were kept; asked for are probabilities.": scores * kept,
        }  # fmt: skip
        given = f"p {p}, the likeliest word has {in_order[0]:.2f}"
        result = top_p(scores.clone(), p)
        if isinstance(result, Tensor) and bool(result.isnan().any()):
            return f"{given}: No word is left, and it divides by 0. The word with which the sum crosses p is kept too."
        yield Case(result, expected, mistakes, given)
    for scores, p, kept_words in ((torch.zeros(4), 0.5, 3), (torch.tensor([2.0, 0.0, 2.0, 2.0, 0.0]), 0.4, 2)):
        result = top_p(scores.clone(), p)
        share = 1 / kept_words
        ordered = result.sort(descending=True).values if isinstance(result, Tensor) else result
        mistakes = {
            "More than p is asked for: words that together have exactly p are one too few.": _first(4, 2) if len(scores) == 4 else _first(5, 2),
            "Of words with equal scores only as many are kept as are needed: the fewest that together have more than p.": (
                _first(4, 4) if len(scores) == 4 else _first(5, 3)
            ),
        }  # fmt: skip
        given = f"scores {scores.tolist()}, some of them equal, p {p}"
        yield Case(ordered, torch.tensor([share] * kept_words + [0.0] * (len(scores) - kept_words)), mistakes, given)


def _first(words: int, kept: int) -> Tensor:
    """The same share for the first words."""
    return torch.tensor([1 / kept] * kept + [0.0] * (words - kept))


def _shares(numbers: Tensor) -> Tensor:
    """Divided by their sum, if there is any."""
    return numbers / numbers.sum() if numbers.sum() > 0 else numbers
