"""Each processor of scores by hand: what it hides, what it leaves, and which settings it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from minibert.generation import processors as p

NOT = -torch.inf


def rows(*scores: list[float]) -> torch.Tensor:
    """Scores, a row each."""
    return torch.tensor(scores)


def ids(*texts: list[int]) -> torch.Tensor:
    """Texts so far, a row each."""
    return torch.tensor(texts)


def test_words_of_earlier_groups_cost_the_penalty_once_each_time() -> None:
    # Two prompts, four beams in two groups. Of the first prompt the first group has chosen 1 and 1, of the second 0 and 2.
    processor = p.HammingDiversityLogitsProcessor(0.5, num_beams=4, num_beam_groups=2)
    tokens = torch.tensor([1, 1, 2, 2, 0, 2, 1, 1])
    scores = processor(ids([7]), torch.zeros(4, 3), tokens, 1)
    assert torch.equal(scores, rows([0, -1, 0], [0, -1, 0], [-0.5, 0, -0.5], [-0.5, 0, -0.5]))


def test_the_first_group_pays_nothing() -> None:
    processor = p.HammingDiversityLogitsProcessor(0.5, num_beams=4, num_beam_groups=2)
    assert torch.equal(processor(ids([7]), torch.ones(2, 3), torch.tensor([1, 1, 2, 2]), 0), torch.ones(2, 3))


def test_the_last_group_may_be_smaller() -> None:
    # Five beams in three groups are one beam each, and two are left: group 4 has beam 4 alone.
    processor = p.HammingDiversityLogitsProcessor(1.0, num_beams=5, num_beam_groups=3)
    scores = processor(ids([7]), torch.zeros(2, 3), torch.tensor([0, 1, 1, 2, 0, 0, 0, 0, 0, 0]), 4)
    assert torch.equal(scores, rows([-1, -2, -1], [-4, 0, 0]))
    # Seven beams in two groups are three each: the third group has beam 6 alone.
    processor = p.HammingDiversityLogitsProcessor(1.0, num_beams=7, num_beam_groups=2)
    tokens = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 0])
    assert torch.equal(processor(ids([7]), torch.zeros(2, 3), tokens, 2), rows([-3, -3, 0], [0, 0, -6]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((0.0, 4, 2), r"diversity_penalty"),
        ((1, 4, 2), r"diversity_penalty"),
        ((0.5, 4, 1), r"num_beam_groups"),
        ((0.5, 1, 2), r"\bnum_beams is 1\b"),
    ],
)
def test_a_diversity_that_is_none_is_refused(settings: tuple[float, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        p.HammingDiversityLogitsProcessor(*settings)
    p.HammingDiversityLogitsProcessor(0.5, 2, 2)


def test_no_end_comes_before_the_shortest_length() -> None:
    processor = p.MinLengthLogitsProcessor(3, 1)
    assert torch.equal(processor(ids([5, 5]), rows([0.0, 1.0, 2.0])), rows([0, NOT, 2]))
    assert torch.equal(processor(ids([5, 5, 5]), rows([0.0, 1.0, 2.0])), rows([0, 1, 2]))


def test_none_of_several_ends_comes_before_the_shortest_length() -> None:
    processor = p.MinLengthLogitsProcessor(2, [0, 2])
    assert torch.equal(processor(ids([5]), rows([0.0, 1.0, 2.0])), rows([NOT, 1, NOT]))


def test_a_temperature_divides() -> None:
    assert torch.equal(p.TemperatureLogitsWarper(2.0)(ids([5]), rows([1.0, -3.0])), rows([0.5, -1.5]))


def test_a_repetition_is_penalized_in_place() -> None:
    scores = rows([4.0, -4.0, 4.0])
    assert p.RepetitionPenaltyLogitsProcessor(2.0)(ids([0, 1]), scores) is scores
    assert torch.equal(scores, rows([2, -8, 4]))


def test_the_fewest_words_that_reach_top_p_are_kept() -> None:
    scores = torch.log(rows([0.5, 0.3, 0.2]))
    kept = p.TopPLogitsWarper(0.6, filter_value=-9.0)(None, scores)
    assert torch.equal(kept, torch.stack([scores[0, 0], scores[0, 1], torch.tensor(-9.0)])[None])
    assert p.TopPLogitsWarper(0.1)(None, scores).isfinite().sum() == 1
    assert p.TopPLogitsWarper(0.1, min_tokens_to_keep=2)(None, scores).isfinite().sum() == 2
    assert torch.equal(p.TopPLogitsWarper(1.0)(None, scores), scores)


@pytest.mark.parametrize("top_p", [-0.01, 1.01])
def test_a_top_p_that_is_no_share_is_refused(top_p: float) -> None:
    with pytest.raises(ValueError, match=f"top_p is {top_p}; it must be from 0 to 1"):
        p.TopPLogitsWarper(top_p)
    p.TopPLogitsWarper(0)


def test_the_likeliest_words_are_kept() -> None:
    scores = rows([1.0, 3.0, 2.0])
    assert torch.equal(p.TopKLogitsWarper(1)(None, scores), rows([NOT, 3, NOT]))
    assert torch.equal(p.TopKLogitsWarper(2, filter_value=-9.0)(None, scores), rows([-9, 3, 2]))
    assert torch.equal(p.TopKLogitsWarper(1, min_tokens_to_keep=2)(None, scores), rows([NOT, 3, 2]))


def test_no_run_of_words_comes_twice() -> None:
    scores = torch.zeros(1, 4)
    assert p.NoRepeatNGramLogitsProcessor(2)(ids([1, 2, 1]), scores) is scores
    assert torch.equal(scores, rows([0, 0, NOT, 0]))


def test_no_run_of_what_the_encoder_read_comes_for_any_beam_of_its_prompt() -> None:
    processor = p.EncoderNoRepeatNGramLogitsProcessor(2, ids([1, 2], [1, 3]))
    scores = torch.zeros(4, 4)
    assert processor(ids([1], [0], [1], [2]), scores) is scores
    assert torch.equal(scores, rows([0, 0, NOT, 0], [0, 0, 0, 0], [0, 0, 0, NOT], [0, 0, 0, 0]))


def test_one_text_that_the_encoder_read_needs_no_batch() -> None:
    processor = p.EncoderNoRepeatNGramLogitsProcessor(1, torch.tensor([1, 2]))
    assert torch.equal(processor(ids([0], [3]), torch.zeros(2, 4)), rows([0, NOT, NOT, 0], [0, NOT, NOT, 0]))


def test_a_bad_word_is_forbidden_and_the_end_alone_is_none() -> None:
    processor = p.NoBadWordsLogitsProcessor([[1], [0], [2, 3], [0, 1]], eos_token_id=0)
    assert processor.bad_words_ids == [[1], [2, 3], [0, 1]]
    assert torch.equal(processor(ids([5], [2]), torch.zeros(2, 4)), rows([0, NOT, 0, 0], [0, NOT, 0, NOT]))


@pytest.mark.parametrize("words", [[], [[]], [1], ([1],), [[1.5]], [[-1]], None])
def test_bad_words_that_are_no_lists_of_ids_are_refused(words: object) -> None:
    with pytest.raises(ValueError, match=r"^bad_words_ids is .*; it must be a list of words, each a list of ids\.$"):
        p.NoBadWordsLogitsProcessor(words, 0)  # type: ignore[arg-type]
    assert p.NoBadWordsLogitsProcessor([[0]], None).bad_words_ids == [[0]]


def test_only_words_that_the_prompts_function_allows_may_follow() -> None:
    asked = []

    def allowed(prompt: int, text: torch.Tensor) -> list[int]:
        asked.append((prompt, text.tolist()))
        return [prompt, 2]

    scores = rows([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    seen = p.PrefixConstrainedLogitsProcessor(allowed, num_beams=2)(ids([5], [6], [7]), scores)
    assert torch.equal(seen, rows([1, NOT, 3], [1, NOT, 3], [NOT, 2, 3]))
    assert asked == [(0, [5]), (0, [6]), (1, [7])]


@pytest.mark.parametrize("allowed", [[3], [-4], None, ["a"], [[0]]])
def test_a_function_that_returns_no_ids_is_named(allowed: object) -> None:
    processor = p.PrefixConstrainedLogitsProcessor(lambda _prompt, _text: allowed, 1)  # type: ignore[arg-type,return-value]
    message = r"^prefix_allowed_tokens_fn returned .*; it must return a list of ids below 3\.$"
    with pytest.raises(ValueError, match=message):
        processor(ids([5]), torch.zeros(1, 3))


def test_the_first_word_is_forced_behind_one_token_only() -> None:
    processor = p.ForcedBOSTokenLogitsProcessor(1)
    assert torch.equal(processor(ids([5]), rows([1.0, 2.0, 3.0])), rows([NOT, 0, NOT]))
    assert torch.equal(processor(ids([5, 5]), rows([1.0, 2.0, 3.0])), rows([1, 2, 3]))


def test_the_last_word_is_forced_one_before_the_end_only() -> None:
    processor = p.ForcedEOSTokenLogitsProcessor(3, 2)
    assert torch.equal(processor(ids([5]), rows([1.0, 2.0, 3.0])), rows([1, 2, 3]))
    assert torch.equal(processor(ids([5, 5]), rows([1.0, 2.0, 3.0])), rows([NOT, NOT, 0]))
    assert torch.equal(processor(ids([5, 5, 5]), rows([1.0, 2.0, 3.0])), rows([1, 2, 3]))


def test_what_is_no_number_becomes_one_and_forbidden_stays_forbidden() -> None:
    scores = rows([torch.nan, torch.inf, -torch.inf, 2.0])
    assert p.InfNanRemoveLogitsProcessor()(ids([5]), scores) is scores
    assert torch.equal(scores, rows([0.0, torch.finfo(torch.float32).max, NOT, 2.0]))


def test_filtering_takes_the_likeliest_and_then_the_fewest_of_these() -> None:
    logits = torch.log(rows([0.4, 0.3, 0.2, 0.1]))
    assert torch.equal(p.top_k_top_p_filtering(logits), logits)
    assert p.top_k_top_p_filtering(logits, top_k=3).isfinite().tolist() == [[True, True, True, False]]
    # Of the three that are left, with 4/9 and 3/9 and 2/9, the first two reach 0.7.
    assert p.top_k_top_p_filtering(logits, top_k=3, top_p=0.7).isfinite().tolist() == [[True, True, False, False]]
    assert p.top_k_top_p_filtering(logits, top_p=0.0).isfinite().tolist() == [[True, False, False, False]]
    assert p.top_k_top_p_filtering(logits, 1, 0.0, min_tokens_to_keep=2).isfinite().sum() == 2
    assert torch.equal(p.top_k_top_p_filtering(logits, top_p=1.5), logits)
    assert (p.top_k_top_p_filtering(logits, top_k=1, filter_value=-9.0) == -9.0).tolist() == [[False, True, True, True]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: p.MinLengthLogitsProcessor(-1, 0), "min_length is -1"),
        (lambda: p.MinLengthLogitsProcessor(1, -1), "eos_token_id is -1"),
        (lambda: p.MinLengthLogitsProcessor(1, [0, -1]), "eos_token_id is -1"),
        (lambda: p.MinLengthLogitsProcessor(1, []), "eos_token_id is None"),
        (lambda: p.TemperatureLogitsWarper(0.0), "temperature is 0.0"),
        (lambda: p.TemperatureLogitsWarper("1"), "temperature is '1'"),  # type: ignore[arg-type]
        (lambda: p.RepetitionPenaltyLogitsProcessor(0), "penalty is 0"),
        (lambda: p.RepetitionPenaltyLogitsProcessor("1"), "penalty is '1'"),  # type: ignore[arg-type]
        (lambda: p.TopKLogitsWarper(0), "top_k is 0"),
        (lambda: p.TopKLogitsWarper(1.0), "top_k is 1.0"),  # type: ignore[arg-type]
        (lambda: p.NoRepeatNGramLogitsProcessor(0), "^ngram_size is 0"),
        (lambda: p.EncoderNoRepeatNGramLogitsProcessor(0, ids([1])), "encoder_ngram_size is 0"),
    ],
)
def test_a_setting_out_of_range_is_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_smallest_settings_are_taken() -> None:
    p.MinLengthLogitsProcessor(0, 0)
    p.TemperatureLogitsWarper(1)
    p.RepetitionPenaltyLogitsProcessor(1)
    p.TopKLogitsWarper(1)
    p.NoRepeatNGramLogitsProcessor(1)
