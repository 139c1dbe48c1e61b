"""Checks of chapter 1: from scores to words."""

import math
import random
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from course.hints import Case, Checked
from minibert import BertForMaskedLM, BertTokenizer

TEXTS = ("He shook his [MASK].", "The old [MASK] took off his [MASK] and bowed.", "[MASK] was late again, [MASK] said.")


def check_blanks(blanks: Callable[[list[int], int], list[int]]) -> Checked:
    draw = random.Random(1)
    for blanks_here in (0, 1, 2, 3):
        mask_id = draw.randrange(5)
        ids = [draw.randrange(5, 100) for _ in range(8)]
        places = sorted(draw.sample(range(8), blanks_here))
        for place in places:
            ids[place] = mask_id
        mistakes = {
            "Places count from 0, and these count from 1.": [place + 1 for place in places],
            "Only the first blank is there.": places[:1],
            "This is what stands at the blanks (always the id of [MASK]); asked for is where they are.": [mask_id] * len(places),
            "These are the places without a blank.": [place for place in range(8) if place not in places],
        }  # fmt: skip
        yield Case(blanks(list(ids), mask_id), places, mistakes, f"ids {ids}, mask_id {mask_id}")


def check_likeliest(likeliest: Callable[[Tensor, int, int], list[int]]) -> Checked:
    for text in TEXTS:
        scores, place = _scores(text)
        best = scores.topk(4, dim=-1).indices.tolist()
        mistakes = {
            "These are the words with the lowest scores.": scores[place].topk(4, largest=False).indices.tolist(),
            "The right words, but the likeliest must come first.": best[place][::-1],
            "These are the likeliest words one place too far to the right. Places count from 0.": best[place + 1],
            "These are the likeliest words one place too far to the left. Places count from 0.": best[place - 1],
            "These are the likeliest words of place 0, [CLS]. Is `place` used?": best[0],
            "These are the likeliest words of the last place, [SEP]. Is `place` used?": best[-1],
            "These are scores; asked for are the ids that have them.": scores[place].topk(4).values.tolist(),
            "These ids are in a tensor; make them a list of plain numbers.": scores[place].topk(4).indices,
            "These are the scores and the ids, as topk gives them; take its `.indices`, and make them a list.": (
                scores[place].topk(4)
            ),
            "These are the words of the whole text; choose the row of `place` first.": (
                scores.flatten().topk(4).indices.tolist()
            ),
        }
        given = f"{text!r}, place {place}"
        yield Case(likeliest(scores.clone(), place, 4), best[place], mistakes, given)


@cache
def _scores(text: str) -> tuple[Tensor, int]:
    """The bundled model's scores for a text, (seq, vocab), and the place of its first blank."""
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        scores = BertForMaskedLM.from_pretrained("novels-4l-256h")(**inputs).logits[0]
    return scores, inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)


def check_surprise(surprise: Callable[[Tensor, int], float]) -> Checked:
    generator = torch.Generator().manual_seed(2)
    for size in (2, 5, 40):
        scores = 3 * torch.randn(size, generator=generator)
        word = int(torch.randint(size, (), generator=generator))
        probability = torch.softmax(scores, 0)[word].item()
        score, others = scores[word].item(), scores[torch.arange(size) != word]
        mistakes = {
            "The sign: a logarithm of a probability is negative, and a surprise is not.": math.log(probability),
            "This is the score itself, negative or not. Scores become probabilities by a softmax.": -score,
            "This is the score itself. Scores become probabilities by a softmax.": score,
            "The scores are taken for probabilities: they become some by a softmax, and may be negative.": (
                -math.log(abs(score))
            ),
            "The score is divided by the sum of the scores; softmax takes e to their power first.": (
                -math.log(abs(score / scores.sum().item()))
            ),
            "This is σ of the word's own score, as if there were no other words; softmax compares it with all.": (
                math.log1p(math.exp(-score))
            ),
            "The sum below the line leaves out the word itself; it runs over all words.": (
                others.logsumexp(0).item() - score
            ),
            "The sum of e^score is missing: this is the score's own share of nothing.": math.exp(score),
            "This is the probability; its logarithm is missing.": probability,
            "The logarithm is to the base 2; asked for is the base e.": -math.log2(probability),
            "The logarithm is to the base 10; asked for is the base e.": -math.log10(probability),
            "This is 1 − p. Asked for is the logarithm.": 1 - probability,
            "This is −log(1 − p): how surprised the model is if it is any other word.": -math.log1p(-probability),
            "The logarithm is taken twice.": -math.log(abs(math.log(probability))),
            "This is the surprise of the likeliest word. Is `word` used?": -torch.log_softmax(scores, 0).max().item(),
            "This is the surprise of the first word. Is `word` used?": -torch.log_softmax(scores, 0)[0].item(),
            "This is the mean surprise of all words. Is `word` used?": -torch.log_softmax(scores, 0).mean().item(),
            "This is the entropy: each word's surprise by its probability. Asked for is that of one word.": (
                -(torch.softmax(scores, 0) * torch.log_softmax(scores, 0)).sum().item()
            ),
        }  # fmt: skip
        yield Case(surprise(scores.clone(), word), -math.log(probability), mistakes, f"{size} words")
    for scores, word in ((torch.tensor([150.0, -60.0, 20.0]), 1), (torch.tensor([-800.0, -900.0]), 0)):
        given = f"scores {scores.tolist()}, word {word}, where e to a score is more or less than a float holds"
        expected = -torch.log_softmax(scores.double(), 0)[word].item()
        try:
            yield Case(surprise(scores.clone(), word), expected, given=given)
        except (ValueError, OverflowError, ZeroDivisionError):
            return f"{given}: It stops with a 0 or an overflow. log p = score − log Σ e^score; take the largest score away first."


def check_perplexity(perplexity: Callable[[list[float]], float]) -> Checked:
    draw = random.Random(3)
    for count in (1, 2, 7):
        surprises = [draw.uniform(0.1, 3.0) for _ in range(count)]
        mean = sum(surprises) / count
        mistakes = {
            "This is e to the power of the sum; divide by how many there are.": math.exp(sum(surprises)),
            "This is the mean; e to its power is missing.": mean,
            "The mean is taken too late: of the powers, not of the surprises.": sum(map(math.exp, surprises)) / count,
            "The exponent has the wrong sign.": math.exp(-mean),
            "This is a power of 2; the surprises are to the base e.": 2**mean,
        }
        yield Case(perplexity(surprises), math.exp(mean), mistakes, f"{count} surprises")
