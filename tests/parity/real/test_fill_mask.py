"""The words that fill a blank are those of today's transformers, with the same probabilities."""

from __future__ import annotations

import pytest
import transformers
from side_by_side import LIMIT
from trained import BUNDLED, BUNDLED_NAME

from minibert.cli.fill_mask import predict_blanks

TEXTS = [
    "He shook his [MASK].",
    "She closed the [MASK] behind her and went up to her room.",
    "It was a dark and stormy [MASK].",
    "“I do not [MASK] it,” said the captain.",
    "[MASK] was the best of times, it was the worst of times.",
    "The old man sat by the fire, smoking his [MASK]",
]


@pytest.fixture(scope="module")
def their_answers() -> transformers.Pipeline:
    """The reference from text to words, on its own."""
    return transformers.pipeline("fill-mask", model=str(BUNDLED), dtype="float32", device="cpu")


@pytest.mark.parametrize("text", TEXTS)
def test_the_five_likeliest_words_and_their_probabilities_are_equal(
    text: str, their_answers: transformers.Pipeline
) -> None:
    (blank,) = predict_blanks(text, 5, BUNDLED_NAME)
    expected = their_answers(text, top_k=5)
    assert [word["id"] for word in blank["predictions"]] == [word["token"] for word in expected]
    assert [word["probability"] for word in blank["predictions"]] == pytest.approx(
        [word["score"] for word in expected], abs=LIMIT
    )


def test_two_blanks_are_filled_each_with_the_same_words(their_answers: transformers.Pipeline) -> None:
    text = "The [MASK] sailed across the [MASK]."
    blanks = predict_blanks(text, 5, BUNDLED_NAME)
    expected = their_answers(text, top_k=5)
    assert len(expected) == 2
    for blank, words in zip(blanks, expected, strict=True):
        assert [word["id"] for word in blank["predictions"]] == [word["token"] for word in words]
        assert [word["probability"] for word in blank["predictions"]] == pytest.approx(
            [word["score"] for word in words], abs=LIMIT
        )
