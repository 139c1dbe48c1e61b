"""Checks of chapter 19: two poolings with their masks, the loss by contrast, and how high the right one ranks."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course.hints import NO_GRADIENT, Case, Checked, gradient_of
from minibert.vectors import pool


def _batches() -> list[tuple[Tensor, Tensor]]:
    """States and masks: padding behind, before and between the words, and none."""
    generator = torch.Generator().manual_seed(1)
    masks = ([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], [[0, 0, 1, 1], [0, 1, 1, 1]], [[1, 0, 1, 0, 1, 0], [1, 1, 0, 0, 0, 1]])
    return [(torch.randn(2, len(mask[0]), 3, generator=generator) - 1, torch.tensor(mask)) for mask in masks]


def check_mean_pool(mean_pool: Callable[[Tensor, Tensor], Tensor]) -> Checked:
    for states, mask in _batches():
        weights, seq = mask[..., None].float(), states.shape[1]
        total, count = (states * weights).sum(1), weights.sum(1)
        mistakes = {
            "Padding counts, too: leave it out of the sum, and out of the number.": states.mean(1),
            "Padding is left out of the sum, but counted: divide by the number of real tokens.": total / seq,
            "Padding is in the sum: the number is right, the sum is not.": states.sum(1) / count,
            "This is the sum; asked for is the mean.": total,
            "This is the vector of the first token.": states[:, 0],
            "It is divided by the root of the number of tokens; divide by the number.": total / count.sqrt(),
            "One vector is kept for each dimension (batch, seq): the mean is over the tokens.": (states * weights).mean(-1),
            "All texts have one mean: each text has its own.": (total.sum(0) / count.sum()).expand(2, 3),
            "The tokens and the padding are the wrong way round.": (states * (1 - weights)).sum(1) / (seq - count).clamp(min=1),
            "[CLS] and [SEP] are real tokens, too: the mask says which are real.": (
                torch.stack([row[some == 1][1:-1].mean(0) for row, some in zip(states, mask, strict=True)])
            ),
            "The real tokens are not always the first: ask the mask which they are.": (
                torch.stack([row[:n].mean(0) for row, n in zip(states, mask.sum(1).tolist(), strict=True)])
            ),
            "A dimension of 1 is left over: (batch, 1, hidden).": (total / count)[:, None],
            "This is the largest number; asked for is the mean.": pool(states, mask, "max"),
            "It is divided by one token more than there are.": total / (count + 1),
        }  # fmt: skip
        yield Case(mean_pool(states.clone(), mask.clone()), pool(states, mask), mistakes, f"the mask {mask.tolist()}")
    states, mask = torch.ones(2, 3, 2), torch.tensor([[0, 0, 0], [1, 0, 0]])
    mistakes = {
        "0 / 0 is no number: a text without a real token has the vector 0.": (
            (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        ),
        "A text without a real token has the vector 0; here its padding counts.": torch.ones(2, 2),
    }
    yield Case(mean_pool(states.clone(), mask.clone()), pool(states, mask), mistakes, "a row that is masked everywhere")


def check_max_pool(max_pool: Callable[[Tensor, Tensor], Tensor]) -> Checked:
    for states, mask in _batches():
        weights = mask[..., None]
        mistakes = {
            "Padding counts, too.": states.amax(1),
            "Padding times 0 is 0, and that wins where all numbers are below 0: put −∞ there.": (states * weights).amax(1),
            "This is the smallest number.": states.masked_fill(weights == 0, torch.inf).amin(1),
            "One number is kept for each token: the largest is over the tokens, for each dimension.": states.amax(-1),
            "This is the mean; asked for is the largest number.": pool(states, mask),
            "This is the largest number by its size, without the sign.": (states * weights).abs().amax(1),
            "This is the token with the longest vector; each dimension has its own largest number.": _longest(states, mask),
            "The real tokens and the padding are the wrong way round.": (
                states.masked_fill(weights == 1, -torch.inf).amax(1)
            ),
            "The real tokens are not always the first: ask the mask which they are.": (
                torch.stack([row[:n].amax(0) for row, n in zip(states, mask.sum(1).tolist(), strict=True)])
            ),
            "This is where the largest numbers are; asked for are the numbers.": (
                states.masked_fill(weights == 0, -torch.inf).argmax(1)
            ),
            "A dimension of 1 is left over: (batch, 1, hidden).": pool(states, mask, "max")[:, None],
        }  # fmt: skip
        yield Case(
            max_pool(states.clone(), mask.clone()), pool(states, mask, "max"), mistakes, f"the mask {mask.tolist()}"
        )
    far = torch.full((1, 3, 2), -5000.0)
    far[0, 0] = -2e6
    mistakes = {
        "What is put at padding is not low enough: real numbers may be lower. −∞ is below all.": torch.tensor(
            [[-1e4, -1e4]]
        )
    }
    mask = torch.tensor([[1, 0, 0]])
    given = "a text whose only token has the numbers −2,000,000"
    yield Case(max_pool(far.clone(), mask.clone()), pool(far, mask, "max"), mistakes, given)


def _longest(states: Tensor, mask: Tensor) -> Tensor:
    """The vector of each text's real token with the greatest norm."""
    norms = states.norm(dim=-1).masked_fill(mask == 0, -1)
    return states[torch.arange(len(states)), norms.argmax(1)]


def check_contrast_loss(contrast_loss: Callable[[Tensor, Tensor, float], Tensor]) -> Checked:
    generator = torch.Generator().manual_seed(2)
    for batch, temperature in ((3, 0.5), (5, 0.2), (4, 2.0)):
        firsts, seconds = (3 * torch.randn(batch, 4, generator=generator) for _ in range(2))
        right = torch.arange(batch)
        a, b = F.normalize(firsts, dim=-1), F.normalize(seconds, dim=-1)
        cosines = a @ b.T
        expected = F.cross_entropy(cosines / temperature, right)
        probabilities = (cosines / temperature).softmax(-1).diagonal()
        others = (cosines / temperature).masked_fill(torch.eye(batch) == 1, -torch.inf).logsumexp(-1)
        mistakes = {
            "The temperature is missing: divide the cosines by it.": F.cross_entropy(cosines, right),
            "Multiplied by the temperature; divide by it.": F.cross_entropy(cosines * temperature, right),
            "These are dot products, not cosines: bring every vector to length 1 first.": (
                F.cross_entropy(firsts @ seconds.T / temperature, right)
            ),
            "The firsts are not brought to length 1.": F.cross_entropy(firsts @ b.T / temperature, right),
            "The seconds are not brought to length 1.": F.cross_entropy(a @ seconds.T / temperature, right),
            "Each second looks for its first here; asked for is the other way.": F.cross_entropy(cosines.T / temperature, right),
            "This is the mean of both directions; asked for is that of the firsts.": (
                (expected + F.cross_entropy(cosines.T / temperature, right)) / 2
            ),
            "This is the sum over the firsts; asked for is the mean.": expected * batch,
            "The sign: a loss is not negative.": -expected,
            "The logarithm is missing.": -probabilities.mean(),
            "The logarithm is taken of the mean; asked for is the mean of logarithms.": -probabilities.mean().log(),
            "The right second is missing below the line: softmax is over all seconds, its own among them.": (
                (others - cosines.diagonal() / temperature).mean()
            ),
            "The firsts are compared with each other: everybody is most like itself.": F.cross_entropy(a @ a.T / temperature, right),
            "Only the right pairs are looked at: without the others nothing pushes the vectors apart.": (
                (1 - cosines.diagonal()).mean()
            ),
            "The lengths are brought to 1 over the batch, and not each vector's.": (
                F.cross_entropy(F.normalize(firsts, dim=0) @ F.normalize(seconds, dim=0).T / temperature, right)
            ),
            "The right second of every first is said to be the first one.": F.cross_entropy(cosines / temperature, right * 0),
            "The temperature is squared: it divides once.": F.cross_entropy(cosines / temperature**2, right),
            "The logarithm is to the base 2; asked for is the base e.": expected / math.log(2),
        }  # fmt: skip
        given = f"{batch} pairs, temperature {temperature}"
        yield Case(contrast_loss(firsts.clone(), seconds.clone(), temperature), expected, mistakes, given)
    yield Case(
        gradient_of(lambda firsts: contrast_loss(firsts, seconds.clone(), temperature), firsts),
        gradient_of(lambda firsts: F.cross_entropy(F.normalize(firsts, dim=-1) @ b.T / temperature, right), firsts),
        {NO_GRADIENT: None},
        "the gradient",
    )
    far = F.normalize(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), dim=-1)
    cosines = far @ far.flip(0).T
    mistakes = {
        "e to such a number is more than a float holds: F.cross_entropy and log_softmax stay finite.": (
            -((cosines / 0.005).exp() / (cosines / 0.005).exp().sum(-1, keepdim=True)).diagonal().log().mean()
        ),
        "A probability this small is 0 as a float, and its logarithm is lost: F.cross_entropy and log_softmax stay finite.": (
            -(cosines / 0.005).softmax(-1).diagonal().log().mean()
        ),
    }
    expected = F.cross_entropy(cosines / 0.005, torch.arange(2))
    yield Case(contrast_loss(far.clone(), far.flip(0), 0.005), expected, mistakes, "temperature 0.005")


def check_mean_reciprocal_rank(mean_reciprocal_rank: Callable[[Tensor], float]) -> Checked:
    generator = torch.Generator().manual_seed(3)
    for questions in (4, 7, 1, 6):
        scores = torch.randn(questions, questions, generator=generator)
        if questions == 6:
            scores = torch.eye(6) * 2  # all are right
            scores[0, 3] = 2.0  # as high, not higher
        own = scores.diagonal()[:, None]
        ranks = 1 + (scores > own).sum(1)
        expected = float((1 / ranks).mean())
        mistakes = {
            "This is the mean rank; asked for is that of 1 / rank.": float(ranks.float().mean()),
            "The mean and the fraction are the wrong way round: this is 1 / the mean rank.": float(1 / ranks.float().mean()),
            "Ranks begin with 1: the best is first.": float((1 / (ranks - 1).clamp(min=1)).mean()),
            "The rank is one too large: no candidate is higher than the best.": float((1 / (ranks + 1)).mean()),
            "The lower candidates are counted, not the higher ones.": float((1 / (1 + (scores < own).sum(1))).mean()),
            "The candidates are ranked by the questions here: each row is a question, and its columns are the candidates.": (
                float((1 / (1 + (scores > scores.diagonal()).sum(0))).mean())
            ),
            "This is how often the right one comes first.": float((ranks == 1).float().mean()),
            "This is the sum; asked for is the mean.": expected * questions,
            "This is a tensor; asked for is a plain number.": torch.tensor(expected),
            "This is the rank of one question, or of each; asked for is one mean.": (1 / ranks).tolist(),
            "A candidate with the same score is not higher: the rank counts higher ones only.": float((1 / (scores >= own).sum(1)).mean()),
            "The right candidate of question i is i, not the first one.": (
                float((1 / (1 + (scores > scores[:, :1]).sum(1))).mean())
            ),
        }  # fmt: skip
        yield Case(mean_reciprocal_rank(scores.clone()), expected, mistakes, f"{questions} questions")
