"""Models that only count, beside which a trained one is measured."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minibert.data.corpus import Corpus
from scripts.neighbour_models import Counts, losses, mixed, neighbours


def corpus_of(documents: list[list[int]]) -> Corpus:
    """Documents of one sentence each."""
    lengths = np.cumsum([0, *map(len, documents)])
    return Corpus(np.concatenate(documents), lengths, np.arange(len(documents) + 1))


def test_neighbours_end_with_their_document() -> None:
    left, words, right = neighbours(corpus_of([[1, 2, 3], [4, 5]]), size=9)
    assert left.tolist() == [9, 1, 2, 9, 4]
    assert words.tolist() == [1, 2, 3, 4, 5]
    assert right.tolist() == [2, 3, 9, 5, 9]


def test_numbers_that_were_never_seen_count_nothing() -> None:
    assert Counts(np.array([3, 5, 3])).of(np.array([3, 4, 5, 6, 0])).tolist() == [2, 0, 1, 0, 0]


def test_a_mixture_takes_the_better_of_two() -> None:
    fit = np.array([[0.9] * 50, [0.1] * 50])
    assert mixed(fit, np.array([[0.5], [0.25]])) == pytest.approx(0.5, abs=1e-3)


def test_each_neighbour_that_is_known_makes_a_word_less_surprising() -> None:
    """Words are drawn so that the left one tells half of a word, and both tell all of it."""
    draw = np.random.default_rng(0)

    def document() -> list[int]:
        first, last = draw.integers(0, 4, size=2)
        return [int(first), 4 + 4 * int(first) + int(last), int(last)]

    train, held_out = ([document() for _ in range(count)] for count in (4000, 400))
    found = losses(corpus_of(train), corpus_of(held_out), size=20)
    assert found["no neighbour"] > found["the left one"] + 0.4 > found["both"] + 0.8
    # of three words the middle one is told by both, the others by the middle one
    assert found["both"] < 0.2
    assert math.log(20) > found["no neighbour"]


def test_figures_are_of_documents_that_were_not_fitted() -> None:
    """The one document that is fitted holds other words than those that are scored."""
    same = [[0, 1]] * 50
    held_out = [[2, 3], *[[0, 1]] * 9]
    assert losses(corpus_of(same), corpus_of(held_out), size=4)["no neighbour"] > math.log(4) - 1e-6
