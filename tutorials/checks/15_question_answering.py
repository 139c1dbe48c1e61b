"""Checks of chapter 15: from characters to pieces, windows, the best span, and F1."""

import random
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from course.hints import Case, Checked
from minibert.tasks import Answer, AnswerWindow, Question, answers_to
from minibert.tasks.squad import held_by

Offsets = list[tuple[int, int] | None]


def check_answer_positions(answer_positions: Callable[[Offsets, int, int], tuple[int, int]]) -> Checked:
    draw = random.Random(1)
    for number in range(16):
        words = [draw.randrange(1, 6) for _ in range(7)]  # the length of each piece
        before = draw.randrange(2, 5)
        offsets: Offsets = [None] * before
        at = 0 if number else 4
        for length in words:
            offsets.append((at, at + length))
            at += length + draw.randrange(2)  # a space follows, or the word goes on
        offsets.append(None)
        first, last = sorted((draw.randrange(7), draw.randrange(7)))
        begin, end = _without_none(offsets)[first][0], _without_none(offsets)[last][1]
        if number % 3 == 2:  # the answer ends inside a piece
            end -= 1
        if number == 1:  # a window that does not hold the answer
            begin, end = at + 5, at + 9
        if number in (13, 15):  # an answer that the window's edge cuts
            begin, end = (begin, at + 9) if number == 13 else (-3, end)
        expected = _span_of(place for place, at in held_by(Answer("x" * (end - begin), begin), offsets))
        inside = [place for place, offset in enumerate(offsets) if offset and offset[0] >= begin and offset[1] <= end]
        is_here = expected != (0, 0)
        mistakes = {
            "These are characters, not positions.": (begin, end),
            "The second is one too far: it is the last piece itself.": (expected[0], expected[1] + is_here),
            "Positions count from the front of the row, [CLS] and the question included.": (
                expected[0] - before * is_here, expected[1] - before * is_here
            ),
            "A piece that begins where the answer ends shares no character with it.": (
                _span_of(place for place, offset in enumerate(offsets) if offset and offset[0] <= end and offset[1] > begin)
            ),
            "A piece that ends where the answer begins shares no character with it.": (
                _span_of(place for place, offset in enumerate(offsets) if offset and offset[0] < end and offset[1] >= begin)
            ),
            "A piece must share a character with the answer; it need not lie inside it as a whole.": (
                _span_of(inside)
            ),
            "An answer that the window's edge cuts is here as far as the window goes; asked for are the pieces that share a character.": (
                expected if _whole(offsets, begin, end) else (0, 0)
            ),
            "The character before the answer counts, too.": _span_of(
                place for place, offset in enumerate(offsets) if offset and offset[0] < end and offset[1] > begin - 1
            ),
            "The answer's first character is left out.": _span_of(
                place for place, offset in enumerate(offsets) if offset and offset[0] < end and offset[1] > begin + 1
            ),
            "The answer's last character is left out: `end` is the first behind it.": _span_of(
                place for place, offset in enumerate(offsets) if offset and offset[0] < end - 1 and offset[1] > begin
            ),
            "The character behind the answer counts, too.": _span_of(
                place for place, offset in enumerate(offsets) if offset and offset[0] < end + 1 and offset[1] > begin
            ),
            "Both are the first position.": (expected[0], expected[0]),
            "Both are the last position.": (expected[1], expected[1]),
            "Position 0 is [CLS]; the first is one too early.": (expected[0] - is_here, expected[1]),
            "The last is one too early.": (expected[0], expected[1] - is_here),
            "Both are one too far.": (expected[0] + is_here, expected[1] + is_here),
            "A piece counts when it begins inside the answer; one that began before it shares characters, too.": _span_of(
                place for place, offset in enumerate(offsets) if offset and begin <= offset[0] < end
            ),
            "A piece counts when it ends inside the answer; one that goes on behind it shares characters, too.": _span_of(
                place for place, offset in enumerate(offsets) if offset and begin < offset[1] <= end
            ),
            "These are the characters of the pieces, not their positions.": (
                (offsets[expected[0]] or (0, 0))[0], (offsets[expected[1]] or (0, 0))[1]
            ),
            "Where no piece shares a character, it is (0, 0).": expected if is_here else (-1, -1),
            "Where no piece shares a character, it is (0, 0), not None.": expected if is_here else None,
            "The last comes before the first.": expected[::-1],
        }  # fmt: skip
        given = f"offsets {offsets}, answer {begin} to {end}"
        yield Case(answer_positions(list(offsets), begin, end), expected, mistakes, given)


def _whole(offsets: Offsets, begin: int, end: int) -> bool:
    """Whether the pieces reach from the answer's first character to its last."""
    pieces = _without_none(offsets)
    return pieces[0][0] <= begin and end <= pieces[-1][1]


def _without_none(offsets: Offsets) -> list[tuple[int, int]]:
    """The offsets of the pieces that stand for characters."""
    return [offset for offset in offsets if offset is not None]


def _span_of(places: Iterable[int]) -> tuple[int, int]:
    """The first and the last of some positions; (0, 0) if there are none."""
    found = list(places)
    return (found[0], found[-1]) if found else (0, 0)


def check_windows(windows: Callable[[int, int, int], list[tuple[int, int]]]) -> Checked:
    for length, room, shared in ((10, 4, 1), (3, 5, 2), (9, 4, 0), (8, 4, 0), (11, 5, 3), (5, 5, 2), (8, 5, 2)):
        step = room - shared
        starts = list(range(0, max(length - shared, 1), step))
        expected = [(start, min(start + room, length)) for start in starts]
        everywhere = [(start, min(start + room, length)) for start in range(0, length, step)]
        mistakes = {
            "The windows do not overlap: each is to share pieces with the one before.": (
                [(start, min(start + room, length)) for start in range(0, length, room)]
            ),
            "A window follows that holds nothing new: the one before it reached the end.": everywhere,
            "Each window starts `shared` pieces after the one before; that is how many the two should have in common.": (
                _moved(length, room, max(shared, 1))
            ),
            "A window follows that holds nothing new, or one too few: the last is the first that reaches the end.": (
                [(start, min(start + room, length)) for start in range(0, max(length - room, 1), step)]
            ),
            "The windows share one piece too many.": _moved(length, room, max(step - 1, 1)),
            "The windows share one piece too few.": _moved(length, room, step + 1),
            "The windows have room for one piece less.": _moved(length, max(room - 1, 1), max(step - 1, 1)),
            "The last window is as long as the others, and so begins earlier; it begins where the others' steps lead.": (
                [(min(start, max(length - room, 0)), min(start + room, length)) for start in starts]
            ),
            "The pieces are counted from 1; the first is piece 0.": [(start + 1, stop + 1) for start, stop in expected],
            "The first window is missing.": expected[1:],
            "There is only one window, of what fits.": [(0, min(room, length))],
            "The whole context is one window; it has at most `room` pieces.": [(0, length)],
            "The last window goes on behind the end of the context.": [(start, start + room) for start in starts],
            "The last piece is missing: `stop` is the first piece outside, and there is none behind the last.": (
                [(start, min(start + room, length - 1)) for start in starts]
            ),
            "`stop` is the last piece of the window; it should be the first behind it.": (
                [(start, stop - 1) for start, stop in expected]
            ),
            "These are starts and lengths; asked for are starts and stops.": (
                [(start, stop - start) for start, stop in expected]
            ),
            "The last window is missing: what is left over, shorter than the others, is read too.": expected[:-1],
        }  # fmt: skip
        given = f"{length} pieces, room for {room}, {shared} shared"
        yield Case(windows(length, room, shared), expected, mistakes, given)


def _moved(length: int, room: int, step: int) -> list[tuple[int, int]]:
    """Windows that each begin `step` pieces after the one before, to the first that reaches the end."""
    found = [(0, min(room, length))]
    while found[-1][1] < length:
        start = found[-1][0] + step
        found.append((start, min(start + room, length)))
    return found


def check_best_span(best_span: Callable[[Tensor, Tensor, Tensor, int], tuple[int, int]]) -> Checked:
    generator = torch.Generator().manual_seed(3)
    in_context = torch.tensor([False] * 4 + [True] * 7 + [False])
    for number in range(40):
        longest = 1 + number % 4
        start, end = torch.randn(2, len(in_context), generator=generator)
        if number % 2:  # scores below 0 everywhere: 0 is no good start for a search
            start, end = start - 9, end - 9
        result = best_span(start.clone(), end.clone(), in_context.clone(), longest)
        mistakes = _wrong_spans(start, end, in_context, longest)
        given = f"longest {longest}, context at 4 to 10"
        yield Case(result, _library_span(start, end, in_context, longest), mistakes, given)


def _wrong_spans(start: Tensor, end: Tensor, in_context: Tensor, longest: int) -> dict[str, tuple[int, int]]:
    """What each likely mistake would choose."""
    total = start[:, None] + end[None, :]  # (start, end)
    length = torch.arange(len(end))[None, :] - torch.arange(len(start))[:, None] + 1
    inside = in_context[:, None] & in_context[None, :]
    short, ordered = length <= longest, length >= 1
    first = int(start.masked_fill(~in_context, -1e9).argmax())

    def best(allowed: Tensor, scores: Tensor = total) -> tuple[int, int]:
        i, j = divmod(int(scores.masked_fill(~allowed, -1e9).argmax()), len(scores))
        return i, j

    return {
        "Start and end are the best ones, each by itself; look for the best pair.": best(torch.full_like(inside, True)),
        "Start and end are the best ones of the context, each by itself; look for the best pair.": best(inside),
        "The start is chosen first, and then an end to suit it; another start may make a better pair.": (
            first,
            best(inside & short & ordered & (torch.arange(len(start)) == first)[:, None])[1],
        ),
        "The best pair lies outside the context: the question and the special tokens hold no answer.": best(ordered & short),
        "The end comes before the start.": best(inside & short),
        "The span is longer than `longest`.": best(inside & ordered),
        "The span is one piece too long: from i to j there are j − i + 1 pieces.": (
            best(inside & ordered & (length <= longest + 1))
        ),
        "The span may have `longest` pieces, not only fewer.": best(inside & ordered & (length < longest)),
        "A span of one piece is one too: i may be equal to j.": best(inside & short & (length > 1)),
        "Starts and ends have changed places.": best(inside & ordered & short, end[:, None] + start[None, :]),
        "The scores are multiplied; asked for is their sum.": (
            best(inside & ordered & short, start[:, None] * end[None, :])
        ),
        "Nothing is found where all scores are below 0; start the search with −∞.": (
            best(inside & ordered & short) if bool((total.masked_fill(~(inside & ordered & short), -1) > 0).any()) else (0, 0)
        ),
    }  # fmt: skip


def _library_span(start: Tensor, end: Tensor, in_context: Tensor, longest: int) -> tuple[int, int]:
    """The library's choice: its characters are made to be the positions."""
    offsets = tuple((place, place + 1) if inside else None for place, inside in enumerate(in_context.tolist()))
    window = AnswerWindow({}, 0, offsets)
    question = Question("", "?", "x" * len(offsets))
    scores = [np.asarray(row.tolist()) for row in (start, end)]
    best = answers_to([question], [window], scores[:1], scores[1:], longest=longest)[0].candidates[0]
    return best.start, best.end - 1


def check_f1(f1: Callable[[list[str], list[str]], float]) -> Checked:
    cases = (
        ("grey stone", "grey granite stone"), ("grey", "grey"), ("on on side far", "on on side"), ("fish", "cheese"),
        ("side south", "south side"), ("red red", "red"), ("", ""), ("", "granite"), ("granite", ""),
        ("Grey stone", "grey stone"), ("a b c d", "d c x"), ("the old stone", "stone the old"), ("salt", "salt-free stone"),
    )  # fmt: skip
    for said, truth in cases:
        predicted, true = said.split(), truth.split()
        n = sum(min(predicted.count(word), true.count(word)) for word in set(predicted))
        expected = _f1(predicted, true)
        both = len(set(predicted) & set(true))
        mistakes: dict[str, object] = {}
        if not predicted and not true:
            mistakes["Two answers without words agree: that is a right “no answer”."] = 0.0
        elif not predicted or not true:
            mistakes["One has no word, the other has: nothing is right in that."] = 1.0
        else:
            found = sum(word in true for word in predicted)
            mistakes = {
                "This is exact match: all or nothing.": float(predicted == true),
                "This is exact match without order.": float(sorted(predicted) == sorted(true)),
                "This is the precision: recall, the share of the true words, belongs to it.": n / len(predicted),
                "This is the recall: precision, the share of the predicted words, belongs to it.": n / len(true),
                "The 2 is missing.": expected / 2,
                "A word that comes twice in both counts twice; as a set it counts once.": (
                    2 * both / (len(predicted) + len(true))
                ),
                "Both are taken as sets; a word counts as often as it comes.": (
                    2 * both / (len(set(predicted)) + len(set(true)))
                ),
                "A word counts as often as it is predicted, although the truth has it less often.": (
                    2 * found / (len(predicted) + len(true))
                ),
                "This is n by the number of words that either has; F1 divides by the sum of both lengths.": (
                    both / len(set(predicted) | set(true))
                ),
                "Words are compared without their capitals; here they are compared as they are.": _f1(said.lower().split(), truth.lower().split()),
                "Words are compared place by place; it counts that both have them, wherever.": (
                    2 * sum(a == b for a, b in zip(predicted, true, strict=False)) / (len(predicted) + len(true))
                ),
                "Only words in the same order count; it counts that both have them, wherever.": (
                    2 * _longest_common(predicted, true) / (len(predicted) + len(true))
                ),
                "Words in a row that are the same count; it counts that both have them, wherever.": (
                    2 * _common_beginning(predicted, true) / (len(predicted) + len(true))
                ),
                "A word counts where it is part of another; words are compared as a whole.": (
                    2 * sum(any(word in other for other in true) for word in predicted) / (len(predicted) + len(true))
                ),
                "This is n divided by the longer of the two.": n / max(len(predicted), len(true)),
                "This is n divided by the shorter of the two.": n / min(len(predicted), len(true)),
                "This is n, not divided by anything.": float(n),
                "Letters are compared; asked for are words.": _of_letters(said, truth),
                "This is √(precision · recall); F1 is their harmonic mean.": n / (len(predicted) * len(true)) ** 0.5,
                "This is precision · recall; F1 is their harmonic mean.": n / len(predicted) * n / len(true),
                "A word counts as often as the truth has it, although it is predicted less often.": (
                    2 * sum(word in predicted for word in true) / (len(predicted) + len(true))
                ),
                "This is the mean of precision and recall; F1 is their harmonic mean.": (
                    (n / len(predicted) + n / len(true)) / 2
                ),
            }  # fmt: skip
        given = f"{said!r}, truth {truth!r}"
        try:
            result = f1(list(predicted), list(true))
        except ZeroDivisionError:
            return f"{given}: It divides by 0. What if one of the two has no words, or they share none?"
        yield Case(result, expected, mistakes, given)


def _longest_common(predicted: list[str], true: list[str]) -> int:
    """The length of the longest list that both hold in order."""
    row = [0] * (len(true) + 1)
    for word in predicted:
        before = row
        row = [0]
        for place, other in enumerate(true):
            row.append(before[place] + 1 if word == other else max(before[place + 1], row[-1]))
    return row[-1]


def _common_beginning(predicted: list[str], true: list[str]) -> int:
    """How many words both begin with."""
    same = [a == b for a, b in zip(predicted, true, strict=False)]
    return same.index(False) if False in same else len(same)


def _of_letters(said: str, truth: str) -> float:
    """The same of the two answers' letters."""
    return _f1(list(said), list(truth))


def _f1(predicted: Sequence[str], true: Sequence[str]) -> float:
    if not predicted or not true:
        return float(predicted == true)
    n = sum(min(predicted.count(item), true.count(item)) for item in set(predicted))
    return 2 * n / (len(predicted) + len(true))
