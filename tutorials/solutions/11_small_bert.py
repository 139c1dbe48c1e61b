"""Exercises of chapter 11, pre-training a small BERT. Check them with `minibert check 11`."""

import math


def unigram_entropy(counts: dict[str, int]) -> float:
    """H = − Σ p(word) log p(word), log to the base e: what a guesser pays a word who knows how often each occurs.

    counts: how often each word occurs; some may be 0. p is a word's share of all.

    10 minutes, medium.
    """
    total = sum(counts.values())
    shares = [count / total for count in counts.values() if count > 0]
    return -sum(share * math.log(share) for share in shares)


def reader(read: list[str], place: int, word: str, language: dict[tuple[str, ...], float]) -> float:
    """How likely it is that `word` stands at `place`, for a reader who knows the whole language and sees `read`.

    read: words, some of them "[MASK]", at `place` for one. language: every sentence and how likely it is. A sentence fits when
    it is as long as `read` and has the same word wherever no "[MASK]" stands. Of the probability of all sentences that fit
    (there is at least one), return the share of those that have `word` at `place`.

    15 minutes, hard.
    """
    fits = {
        sentence: chance
        for sentence, chance in language.items()
        if len(sentence) == len(read)
        and all(seen in ("[MASK]", there) for seen, there in zip(read, sentence, strict=False))
    }
    with_word = sum(chance for sentence, chance in fits.items() if sentence[place] == word)
    return with_word / sum(fits.values())


def fell_through(losses: list[float], line: float, smoothing: float) -> int | None:
    """The first step at which the smoothed loss is below the line; None if there is none. Steps count from 1.

    At the first step the smoothed loss is the loss; after each other one it is
    smoothing · (the smoothed loss so far) + (1 − smoothing) · (this loss).

    10 minutes, medium.
    """
    smoothed = losses[0]
    for step, loss in enumerate(losses, start=1):
        if step > 1:
            smoothed = smoothing * smoothed + (1 - smoothing) * loss
        if smoothed < line:
            return step
    return None


def length_at(step: int, steps: int, phases: list[tuple[int, float]]) -> int:
    """How many pieces a row has at a step of a run, steps counting from 1 to `steps`.

    phases: (length, share of the steps), one after the other; the shares sum to 1. A phase's last step is
    round(steps · the sum of the shares up to and with its own).

    10 minutes, medium.
    """
    end = 0.0
    for length, share in phases:
        end += share
        if step <= round(steps * end):
            return length
    return phases[-1][0]
