"""Checks of chapter 11: what a guesser and a reader pay, and the phases of a run."""

import math
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from course.hints import hint_for
from minibert.data import prepare
from minibert.training.pretraining import Phase, Recipe

LANGUAGE = {
    ("this", "cook", "boils", "the", "soup"): 0.3,
    ("this", "cook", "boils", "the", "egg"): 0.1,
    ("this", "cook", "salts", "the", "egg"): 0.15,
    ("this", "pilot", "rows", "the", "boat"): 0.2,
    ("this", "cook", "boils", "the", "soup", "again"): 0.05,
    ("these", "cooks", "boil", "the", "soup"): 0.05,
    ("these", "cooks", "boil", "the", "egg"): 0.15,
}


def check_unigram_entropy(unigram_entropy: Callable[[dict[str, int]], float]) -> str | None:
    draw = random.Random(1)
    for number in (2, 5, 9):
        counts = {f"word{place}": draw.randrange(1, 50) for place in range(number)} | {"never": 0}
        expected = _entropy_of_file(list(counts.values()))
        total = sum(counts.values())
        shares = [count / total for count in counts.values() if count]
        mistakes = {
            "The sign: an entropy is not negative.": -expected,
            "The logarithm is to the base 2; asked for is the natural one, base e.": expected / math.log(2),
            "This is log(number of words), which is right only if all are equally frequent.": math.log(number),
            "This is log(number of words), and the word that never occurs is counted too.": math.log(number + 1),
            "Every word has the same weight; weigh each −log p by p, how often it has to be paid.": (
                -sum(map(math.log, shares)) / number
            ),
            "The weights are missing: each −log p is to be multiplied by p.": -sum(map(math.log, shares)),
            "This is e to the power of H, a number of words; H itself is asked for.": math.exp(expected),
            "These are counts, not shares: divide by their sum first.": (
                -sum(count * math.log(count) for count in counts.values() if count)
            ),
            "The shares are weighed by counts: the result is H times the number of words in the text.": total * expected,
        }  # fmt: skip
        try:
            result = unigram_entropy(dict(counts))
        except (ValueError, ZeroDivisionError):
            return (
                f"counts {counts}: It stops at the word that never occurs: there is no log 0. Such words add nothing."
            )
        if hint := hint_for(result, expected, mistakes, f"counts {counts}"):
            return hint
    return None


def check_reader(reader: Callable[[list[str], int, str, dict[tuple[str, ...], float]], float]) -> str | None:
    for text, place, word in (
        ("this cook boils the [MASK]", 4, "soup"),
        ("this cook [MASK] the egg", 2, "boils"),
        ("[MASK] [MASK] boil the egg", 1, "cooks"),
        ("this [MASK] [MASK] the [MASK]", 1, "cook"),
        ("this [MASK] [MASK] the [MASK]", 4, "egg"),
        ("this cook [MASK] the [MASK]", 2, "rows"),
        ("[MASK] [MASK] [MASK] the [MASK]", 4, "soup"),
    ):
        read = text.split()

        def share(
            keep: Callable[[tuple[str, ...]], bool], place: int = place, word: str = word, equal: bool = False
        ) -> float:
            those = {s: 1.0 if equal else chance for s, chance in LANGUAGE.items() if len(s) > place and keep(s)}
            return sum(chance for s, chance in those.items() if s[place] == word) / (sum(those.values()) or 1.0)

        def as_long(sentence: tuple[str, ...], read: list[str] = read) -> bool:
            return len(sentence) == len(read)

        def as_far(sentence: tuple[str, ...], read: list[str] = read) -> bool:
            return all(seen in ("[MASK]", there) for seen, there in zip(read, sentence, strict=False))

        def fits(sentence: tuple[str, ...]) -> bool:
            return as_long(sentence) and as_far(sentence)

        expected = share(fits)
        with_word = sum(chance for s, chance in LANGUAGE.items() if fits(s) and s[place] == word)
        mistakes = {
            "It is not divided by the probability of all sentences that fit: what was seen rules out the others.": with_word,
            "Every sentence that fits counts the same; the likelier ones count for more.": share(fits, equal=True),
            "Sentences of another length are counted too; they do not fit.": share(as_far),
            "The words that can be seen are not looked at.": share(as_long),
            "The words that can be seen are not looked at, nor is the length.": share(bool),
            "Only sentences with `word` are looked at, so it is always sure.": 1.0 if with_word else 0.0,
            "This is the probability of the sentences that fit, whatever stands at `place`.": (
                sum(chance for s, chance in LANGUAGE.items() if fits(s))
            ),
        }  # fmt: skip
        try:
            result = reader(list(read), place, word, dict(LANGUAGE))
        except ZeroDivisionError:
            return f"“{text}”: No sentence seems to fit, yet one does. Does every [MASK] allow any word?"
        if hint := hint_for(result, expected, mistakes, f"“{text}”, {word} at place {place}"):
            return hint
    return None


def check_fell_through(fell_through: Callable[[list[float], float, float], int | None]) -> str | None:
    for losses, line, smoothing in (
        ([9.0, 7.0, 6.0, 6.5, 5.0, 5.0, 4.0, 4.0, 4.0], 6.2, 0.5),
        ([8.0, 5.9, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0], 6.0, 0.8),
        ([5.0, 4.0], 6.0, 0.9),
        ([8.0, 6.0, 6.0], 6.0, 0.0),
        ([9.0, 9.0, 5.0, 9.0], 6.0, 0.9),
    ):
        smooth, swapped, from_zero, every = [losses[0]], [losses[0]], [(1 - smoothing) * losses[0]], []
        for loss in losses[1:]:
            smooth.append(smoothing * smooth[-1] + (1 - smoothing) * loss)
            swapped.append(smoothing * loss + (1 - smoothing) * swapped[-1])
            from_zero.append(smoothing * from_zero[-1] + (1 - smoothing) * loss)
        every = [sum(losses[: step + 1]) / (step + 1) for step in range(len(losses))]
        expected = _first_below(smooth, line)
        last = [step for step, value in enumerate(smooth, start=1) if value < line]
        mistakes = {
            "One step too few: steps count from 1.": None if expected is None else expected - 1,
            "The loss is not smoothed: a single lucky batch is taken for progress.": _first_below(losses, line),
            "Smoothing begins at 0, and so below the line; it begins with the first loss.": _first_below(from_zero, line),
            "The weights have changed places: `smoothing` belongs to what was, 1 − smoothing to the new loss.": (
                _first_below(swapped, line)
            ),
            "This is the mean of all losses so far; the smoothed loss forgets old ones.": _first_below(every, line),
            "On the line is not below it.": _first_below(smooth, math.nextafter(line, math.inf)),
            "This is the last step below the line; asked for is the first.": last[-1] if last else None,
            "It looks for a loss above the line.": _first_below([-value for value in smooth], -line),
        }  # fmt: skip
        given = f"losses {losses}, line {line}, smoothing {smoothing}"
        if hint := hint_for(fell_through(list(losses), line, smoothing), expected, mistakes, given):
            return hint
    return None


def check_length_at(length_at: Callable[[int, int, list[tuple[int, float]]], int]) -> str | None:
    for steps, phases in (
        (10, [(16, 0.2), (32, 0.2), (64, 0.3), (128, 0.3)]),
        (2000, [(16, 0.2), (32, 0.2), (64, 0.3), (128, 0.3)]),
        (100, [(128, 0.9), (512, 0.1)]),
        (7, [(16, 0.5), (32, 0.5)]),
    ):
        recipe = Recipe(steps=steps, phases=tuple(Phase(*phase) for phase in phases))
        ends = np.cumsum([round(steps * share) for _, share in phases]).tolist()
        for step in sorted({1, steps, *(end + shift for end in ends[:-1] for shift in (-1, 0, 1))}):
            expected = recipe.at(step)[0].length
            alone = next((length for length, share in phases if step <= round(steps * share)), phases[-1][0])
            mistakes = {
                "The next phase begins one step too early: its steps come after the last step of this one.": (
                    recipe.at(min(step + 1, steps))[0].length
                ),
                "The next phase begins one step too late.": recipe.at(max(step - 1, 1))[0].length,
                "Each share is taken alone; a phase begins where the one before it ends, so add them up.": alone,
                "This is always the first phase.": phases[0][0],
                "This is always the last phase.": phases[-1][0],
                "This is the number of the phase, not its length.": [length for length, _ in phases].index(expected),
            }
            given = f"step {step} of {steps}, phases {phases}"
            if hint := hint_for(length_at(step, steps, list(phases)), expected, mistakes, given):
                return hint
    return None


def _entropy_of_file(counts: list[int]) -> float:
    """The library's own figure: it reads the ids of a text from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens"
        np.repeat(np.arange(len(counts), dtype=np.uint16), counts).tofile(path)
        return prepare.unigram_entropy(path, "uint16")


def _first_below(values: list[float], line: float) -> int | None:
    return next((step for step, value in enumerate(values, start=1) if value < line), None)
