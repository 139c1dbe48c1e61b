"""Checks of chapter 11: what a guesser and a reader pay, and the phases of a run."""

import itertools
import math
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from course.hints import Case, Checked
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


def check_unigram_entropy(unigram_entropy: Callable[[dict[str, int]], float]) -> Checked:
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
            "The entropy is divided by the number of words.": expected / number,
            "The entropy is divided by log(number of words): that is how even the counts are.": expected / math.log(number),
            "The logarithm is to the base 10; asked for is the natural one, base e.": expected / math.log(10),
            "This is Σ p², how likely two words are the same.": sum(share * share for share in shares),
            "This is the surprise of the most frequent word.": -math.log(max(shares)),
            "The shares are of the most frequent word; divide by the sum of all.": (
                -sum(c / max(counts.values()) * math.log(c / max(counts.values())) for c in counts.values() if c)
            ),
            "The logarithm is of the count, not of the share.": -sum(
                count / total * math.log(count) for count in counts.values() if count
            ),
            "This is the mean of the shares' logarithms, as though all words were equally frequent.": (
                -sum(map(math.log, shares)) / len(counts)
            ),
            "The shares are divided by the number of words instead of by the sum of their counts.": (
                -sum(c / len(counts) * math.log(c / len(counts)) for c in counts.values() if c)
            ),
            "The shares are weighed by counts: the result is H times the number of words in the text.": total * expected,
        }  # fmt: skip
        try:
            result = unigram_entropy(dict(counts))
        except (ValueError, ZeroDivisionError):
            return (
                f"counts {counts}: It stops at the word that never occurs: there is no log 0. Such words add nothing."
            )
        yield Case(result, expected, mistakes, f"counts {counts}")


def check_reader(reader: Callable[[list[str], int, str, dict[tuple[str, ...], float]], float]) -> Checked:
    for text, place, word in (
        ("this cook boils the [MASK]", 4, "soup"),
        ("this cook [MASK] the egg", 2, "boils"),
        ("[MASK] [MASK] boil the egg", 1, "cooks"),
        ("this [MASK] [MASK] the [MASK]", 1, "cook"),
        ("this [MASK] [MASK] the [MASK]", 4, "egg"),
        ("this cook [MASK] the [MASK]", 2, "rows"),
        ("[MASK] [MASK] [MASK] the [MASK]", 4, "soup"),
        ("this [MASK] [MASK] the soup", 1, "soup"),
        ("these cooks boil the [MASK]", 4, "egg"),
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
            "The word must stand at `place`; here it counts wherever it is in the sentence.": (
                sum(chance for s, chance in LANGUAGE.items() if fits(s) and word in s)
                / sum(chance for s, chance in LANGUAGE.items() if fits(s))
            ),
            "Only the likeliest sentence that fits is looked at; all of them are weighed.": (
                float(max((chance, s) for s, chance in LANGUAGE.items() if fits(s))[1][place] == word)
            ),
            "These are sentences counted, of all there are: weigh them, and divide by those that fit.": (
                sum(fits(s) and s[place] == word for s in LANGUAGE) / len(LANGUAGE)
            ),
            "This is the probability that another word stands there.": 1 - expected,
            "Of the sentences of all languages: it is divided by the probability of those with `word`, not of those that fit.": (
                with_word / (sum(chance for s, chance in LANGUAGE.items() if len(s) > place and s[place] == word) or 1.0)
            ),
            "A sentence must fit before `place` only; what is seen behind it counts, too.": share(
                lambda s, read=read[:place]: as_long(s) and as_far(s, read)
            ),
            "One word that fits is enough here; a sentence fits when all do.": share(
                lambda s, read=read: as_long(s) and any(seen in ("[MASK]", there) for seen, there in zip(read, s, strict=True))
            ),
            "This is the probability of the sentences that fit, whatever stands at `place`.": (
                sum(chance for s, chance in LANGUAGE.items() if fits(s))
            ),
        }  # fmt: skip
        try:
            result = reader(list(read), place, word, dict(LANGUAGE))
        except ZeroDivisionError:
            return f"“{text}”: No sentence seems to fit, yet one does. Does every [MASK] allow any word?"
        yield Case(result, expected, mistakes, f"“{text}”, {word} at place {place}")


def check_fell_through(fell_through: Callable[[list[float], float, float], int | None]) -> Checked:
    for losses, line, smoothing in (
        ([9.0, 7.0, 6.0, 6.5, 5.0, 5.0, 4.0, 4.0, 4.0], 6.2, 0.5),
        ([8.0, 5.9, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0], 6.0, 0.8),
        ([5.0, 4.0], 6.0, 0.9),
        ([8.0, 6.0, 6.0], 6.0, 0.0),
        ([9.0, 9.0, 5.0, 9.0], 6.0, 0.9),
        ([5.0, 9.0, 9.0, 4.0, 2.0, 1.0], 6.0, 0.5),
        ([7.0, 6.5, 5.9, 5.0], 6.2, 0.3),
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
            "One step too many: the first step is number 1.": None if expected is None else expected + 1,
            "This is the smoothed loss there; asked for is the step.": None if expected is None else smooth[expected - 1],
            "This is whether there is one; asked for is the step.": expected is not None,
            "One step too few: steps count from 1.": None if expected is None else expected - 1,
            "Where there is none, None is asked for.": -1 if expected is None else expected,
            "Where there is none, None is asked for, and not the number of steps.": len(losses) if expected is None else expected,
            "Where there is none, None is asked for, and not 0.": 0 if expected is None else expected,
            "It need not stay below the line: the first step below it is asked for.": (
                next((step for step in range(1, len(smooth) + 1) if max(smooth[step - 1 :]) < line), None)
            ),
            "The first step counts, too: at it the smoothed loss is the loss.": (
                next((step for step, value in enumerate(smooth, start=1) if value < line and step > 1), None)
            ),
            "The last step counts, too.": _first_below(smooth[:-1], line),
            "The smoothed loss is divided by 1 − smoothingᵗ, as Adam does; here it begins with the first loss.": _first_below(
                [value / (1 - smoothing**step) for step, value in enumerate(from_zero, start=1)], line
            ),
            "This is the smallest smoothed loss's step; asked for is the first below the line.": (
                smooth.index(min(smooth)) + 1 if min(smooth) < line else None
            ),
            "Each loss is smoothed with the loss before it, not with the smoothed loss so far.": _first_below(
                [losses[0], *(smoothing * a + (1 - smoothing) * b for a, b in itertools.pairwise(losses))], line
            ),
            "This is how many steps are below the line; asked for is the first.": (len(last) or None),
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
        yield Case(fell_through(list(losses), line, smoothing), expected, mistakes, given)


def check_length_at(length_at: Callable[[int, int, list[tuple[int, float]]], int]) -> Checked:
    for steps, phases in (
        (10, [(16, 0.2), (32, 0.2), (64, 0.3), (128, 0.3)]),
        (2000, [(16, 0.2), (32, 0.2), (64, 0.3), (128, 0.3)]),
        (100, [(128, 0.9), (512, 0.1)]),
        (7, [(16, 0.5), (32, 0.5)]),
        (5, [(16, 0.5), (32, 0.5)]),
        (10, [(16, 0.25), (32, 0.25), (64, 0.25), (128, 0.25)]),
        (9, [(512, 0.4), (128, 0.3), (256, 0.3)]),
    ):
        recipe = Recipe(steps=steps, phases=tuple(Phase(*phase) for phase in phases))
        ends = np.cumsum([round(steps * share) for _, share in phases]).tolist()
        near = (
            {step for end in ends[:-1] for step in (end - 1, end, end + 1)} if steps > 20 else set(range(1, steps + 1))
        )
        for step in sorted({1, steps, *near}):
            expected = recipe.at(step)[0].length
            alone = next((length for length, share in phases if step <= round(steps * share)), phases[-1][0])
            mistakes = {
                "The next phase begins one step too early: its steps come after the last step of this one.": (
                    recipe.at(min(step + 1, steps))[0].length
                ),
                "The next phase begins one step too late.": recipe.at(max(step - 1, 1))[0].length,
                "Each share is taken alone; a phase begins where the one before it ends, so add them up.": alone,
                "A phase's last step is rounded up; it is rounded to the nearest.": _phase_at(
                    step, steps, phases, math.ceil
                ),
                "A phase's last step is rounded down; it is rounded to the nearest.": _phase_at(
                    step, steps, phases, math.floor
                ),
                "A phase's last step is not rounded: a step is not above it where it is less than half a step behind.": (
                    _phase_at(step, steps, phases, float)
                ),
                "Each share is rounded by itself, and then added up; round the sum.": next(
                    (length for (length, _), end in zip(phases, ends, strict=True) if step <= end), phases[-1][0]
                ),
                "The phases are taken by their lengths; they come in the order given.": _phase_at(
                    step, steps, sorted(phases), round
                ),
                "All phases are equally long here; each has its own share.": (
                    phases[min(len(phases) - 1, (step - 1) * len(phases) // steps)][0]
                ),
                "The phases run backwards.": recipe.at(steps + 1 - step)[0].length,
                "This is always the first phase.": phases[0][0],
                "This is always the last phase.": phases[-1][0],
                "This is the number of the phase, not its length.": [length for length, _ in phases].index(expected),
            }
            given = f"step {step} of {steps}, phases {phases}"
            yield Case(length_at(step, steps, list(phases)), expected, mistakes, given)


def _phase_at(step: int, steps: int, phases: list[tuple[int, float]], rounded: Callable[[float], float]) -> int:
    """The length at a step, with another way of rounding."""
    end = 0.0
    for length, share in phases:
        end += share
        if step <= rounded(round(steps * end, 9)):
            return length
    return phases[-1][0]


def _entropy_of_file(counts: list[int]) -> float:
    """The library's own figure: it reads the ids of a text from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens"
        np.repeat(np.arange(len(counts), dtype=np.uint16), counts).tofile(path)
        return prepare.unigram_entropy(path, "uint16")


def _first_below(values: list[float], line: float) -> int | None:
    return next((step for step, value in enumerate(values, start=1) if value < line), None)
