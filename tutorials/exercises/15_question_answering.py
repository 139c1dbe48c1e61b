"""Exercises of chapter 15, question answering. Check them with `minibert check 15`."""

from torch import Tensor


def answer_positions(offsets: list[tuple[int, int] | None], begin: int, end: int) -> tuple[int, int]:
    """The first and the last position whose piece shares a character with the answer, context[begin:end].

    offsets: for each position the characters of the context that its piece stands for, (4, 7) being characters 4, 5 and 6; None for
    [CLS], [SEP] and the question. Where no piece shares a character with the answer: (0, 0).

    10 minutes, medium.
    """
    raise NotImplementedError


def windows(length: int, room: int, shared: int) -> list[tuple[int, int]]:
    """A context of `length` pieces as windows of at most `room`, each with `shared` pieces of the one before: (start, stop) of each.

    Piece `stop` is the first that is not in the window. The last window ends where the context ends, and may be shorter; there is
    none after it. shared is less than room, and length at least 1.

    15 minutes, hard.
    """
    raise NotImplementedError


def best_span(start: Tensor, end: Tensor, in_context: Tensor, longest: int) -> tuple[int, int]:
    """The positions (i, j) with the largest start[i] + end[j], where i ≤ j, both are in the context, and i to j are at most `longest`
    pieces.

    start, end: (seq) scores. in_context: (seq) bool, True at least once.

    20 minutes, hard.
    """
    raise NotImplementedError


def f1(predicted: list[str], true: list[str]) -> float:
    """2 n / (words predicted + words true), n being the words that both have, each as often as it is in both.

    Where one of the two has no words: 1.0 if the other has none either, and 0.0 otherwise.

    10 minutes, medium.
    """
    raise NotImplementedError
