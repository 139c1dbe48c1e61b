"""The rules that change the scores of the next word."""

import pytest
import torch
from torch import Tensor

from minibert.generation.scores import (
    ScoreRules,
    forbid_repeated_ngrams,
    forbid_words,
    keep_top_k,
    keep_top_p,
    penalize_repetition,
)

PLAIN = {
    "min_length": 0,
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "eos_token_id": None,
}
SCORES = torch.tensor([[3.0, 1.0, -1.0, 2.0], [0.0, -2.0, 4.0, 1.0]])


def allowed(scores: Tensor) -> list[list[int]]:
    """The words of each row that are not forbidden."""
    return [[i for i, score in enumerate(row) if score > float("-inf")] for row in scores.tolist()]


def test_a_penalty_makes_what_was_said_less_likely_whatever_its_sign() -> None:
    scores = penalize_repetition(torch.tensor([[0, 2, 2], [1, 1, 3]]), SCORES, 2.0)
    assert scores.tolist() == [[1.5, 1.0, -2.0, 2.0], [0.0, -4.0, 4.0, 0.5]]


def test_the_scores_given_stay_as_they_were() -> None:
    before = SCORES.clone()
    ids = torch.tensor([[0, 1], [2, 3]])
    penalize_repetition(ids, SCORES, 2.0)
    forbid_repeated_ngrams(ids, SCORES, 1)
    forbid_words(ids, SCORES, [[1]])
    keep_top_k(SCORES, 1)
    keep_top_p(SCORES, 0.1)
    ScoreRules(**{**PLAIN, "temperature": 0.1}).warp(SCORES)
    assert torch.equal(SCORES, before)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(1, [[3], [0, 1, 3]]), (2, [[1, 2, 3], [0, 1, 3]]), (3, [[0, 1, 2, 3], [0, 1, 3]]), (9, [[0, 1, 2, 3]] * 2)],
)
def test_no_run_of_words_is_completed_twice(size: int, expected: list[list[int]]) -> None:
    ids = torch.tensor([[1, 0, 2, 1], [2, 2, 2, 2]])
    assert allowed(forbid_repeated_ngrams(ids, SCORES, size)) == expected


def test_a_bad_word_is_stopped_at_its_last_piece() -> None:
    ids = torch.tensor([[0, 1], [1, 0]])
    assert allowed(forbid_words(ids, SCORES, [[3], [1, 2], [0, 1, 0]])) == [[1], [0, 1, 2]]


def test_a_bad_word_longer_than_the_text_cannot_be_under_way() -> None:
    assert allowed(forbid_words(torch.tensor([[1]]), SCORES[:1], [[0, 1, 2, 3]])) == [[0, 1, 2, 3]]


def test_the_k_likeliest_are_kept() -> None:
    assert allowed(keep_top_k(SCORES, 2)) == [[0, 3], [2, 3]]
    assert allowed(keep_top_k(SCORES, 99)) == [[0, 1, 2, 3]] * 2


def test_the_fewest_words_that_reach_p_are_kept() -> None:
    scores = torch.tensor([[0.1, 0.4, 0.2, 0.3]]).log()
    assert allowed(keep_top_p(scores, 0.39)) == [[1]]
    assert allowed(keep_top_p(scores, 0.5)) == [[1, 3]]
    assert allowed(keep_top_p(scores, 0.95)) == [[0, 1, 2, 3]]
    assert allowed(keep_top_p(scores, 0.39, at_least=2)) == [[1, 3]]


def test_temperature_stretches_the_differences() -> None:
    assert torch.equal(ScoreRules(**{**PLAIN, "temperature": 0.5}).warp(SCORES), SCORES * 2)


def test_rules_that_are_off_change_nothing() -> None:
    rules, ids = ScoreRules(**PLAIN), torch.tensor([[0, 1], [2, 3]])
    assert rules.process(ids, SCORES) is SCORES
    assert rules.warp(SCORES) is SCORES


def test_the_end_is_forbidden_until_the_text_is_long_enough() -> None:
    rules, ids = ScoreRules(**{**PLAIN, "min_length": 3, "eos_token_id": 2}), torch.tensor([[0, 1], [3, 3]])
    assert allowed(rules.process(ids, SCORES)) == [[0, 1, 3], [0, 1, 3]]
    assert allowed(rules.process(torch.cat([ids, ids], dim=1), SCORES)) == [[0, 1, 2, 3]] * 2


def test_a_bad_word_that_is_the_end_token_alone_is_ignored() -> None:
    rules, ids = ScoreRules(**{**PLAIN, "bad_words_ids": [[2], [1]], "eos_token_id": 2}), torch.tensor([[0, 1]])
    assert allowed(rules.process(ids, SCORES[:1])) == [[0, 2, 3]]


@pytest.mark.parametrize("cut", [{"top_k": 1}, {"top_p": 0.01}])
def test_a_beam_keeps_a_second_word_to_go_on_with(cut: dict[str, float]) -> None:
    rules = ScoreRules(**{**PLAIN, **cut})
    assert allowed(rules.warp(SCORES)) == [[0], [2]]
    assert allowed(rules.warp(SCORES, at_least=2)) == [[0, 3], [2, 3]]


@pytest.mark.parametrize(
    ("rules", "advice"),
    [
        ({}, "Loosen nothing: the model itself gives such scores."),
        ({"min_length": 3}, "Loosen min_length."),
        ({"temperature": 2.0, "bad_words_ids": [[1]]}, "Loosen temperature or bad_words_ids."),
        (
            {"repetition_penalty": 2.0, "no_repeat_ngram_size": 2},
            "Loosen repetition_penalty or no_repeat_ngram_size.",
        ),
        (
            {"temperature": 0.5},
            "Loosen temperature. Drawn beams are divided by the temperature once more at each word, as in transformers 4.12.5.",
        ),
    ],
)
def test_the_advice_names_the_rules_that_are_on(rules: dict[str, object], advice: str) -> None:
    assert ScoreRules(**{**PLAIN, **rules}).at_work == advice


def test_the_end_may_come_once_a_text_is_as_long_as_asked() -> None:
    rules = ScoreRules(**{**PLAIN, "min_length": 3, "eos_token_id": [0, 2]})
    short, long = torch.tensor([[5, 5], [5, 5]]), torch.tensor([[5, 5, 5], [5, 5, 5]])
    assert allowed(rules.process(short, SCORES)) == [[1, 3], [1, 3]]
    assert torch.equal(rules.process(long, SCORES), SCORES)
    assert torch.equal(ScoreRules(**{**PLAIN, "min_length": 3}).process(short, SCORES), SCORES)


def test_each_rule_is_applied_where_it_is_on() -> None:
    ids = torch.tensor([[0, 2], [1, 2]])
    assert torch.equal(ScoreRules(**PLAIN).process(ids, SCORES), SCORES)
    penalized = ScoreRules(**{**PLAIN, "repetition_penalty": 2.0}).process(ids, SCORES)
    assert torch.equal(penalized, penalize_repetition(ids, SCORES, 2.0))
    assert allowed(ScoreRules(**{**PLAIN, "no_repeat_ngram_size": 1}).process(ids, SCORES)) == [[1, 3], [0, 3]]
    bad = ScoreRules(**{**PLAIN, "bad_words_ids": [[3], [1], [2, 0]], "eos_token_id": 1})
    assert allowed(bad.process(ids, SCORES)) == [[1, 2], [1, 2]]


def test_a_distribution_is_reshaped_by_temperature_then_by_the_top() -> None:
    assert torch.equal(ScoreRules(**PLAIN).warp(SCORES), SCORES)
    assert torch.equal(ScoreRules(**{**PLAIN, "temperature": 2.0}).warp(SCORES), SCORES / 2)
    assert allowed(ScoreRules(**{**PLAIN, "top_k": 1}).warp(SCORES)) == [[0], [2]]
    assert allowed(ScoreRules(**{**PLAIN, "top_k": 1}).warp(SCORES, at_least=2)) == [[0, 3], [2, 3]]
    assert allowed(ScoreRules(**{**PLAIN, "top_p": 0.01}).warp(SCORES)) == [[0], [2]]
    assert allowed(ScoreRules(**{**PLAIN, "top_p": 0.01}).warp(SCORES, at_least=3)) == [[0, 1, 3], [0, 2, 3]]
    both = ScoreRules(**{**PLAIN, "temperature": 0.5, "top_k": 3, "top_p": 0.9}).warp(SCORES)
    assert torch.equal(both, keep_top_p(keep_top_k(SCORES / 0.5, 3), 0.9))
