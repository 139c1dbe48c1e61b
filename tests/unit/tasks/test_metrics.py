"""Metrics on small cases that can be counted by hand, and against published scorers, which only the tests that need them load."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from minibert.tasks.metrics import (
    Entity,
    accuracy,
    answer_f1,
    answer_scores,
    entities,
    entity_f1,
    exact_match,
    f1,
    matthews,
    normalize_answer,
    pearson,
    perplexity,
    spearman,
)

PREDICTED, TRUE = [0, 1, 2, 2, 1, 0], [0, 1, 1, 2, 2, 0]


@pytest.mark.parametrize("as_values", [list, np.array, torch.tensor], ids=["list", "array", "tensor"])
def test_lists_arrays_and_tensors_give_the_same(as_values):
    import scipy.stats
    import sklearn.metrics

    predicted, true = as_values(PREDICTED), as_values(TRUE)
    assert accuracy(predicted, true) == 4 / 6
    assert f1(predicted, true) == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    assert matthews(predicted, true) == pytest.approx(sklearn.metrics.matthews_corrcoef(TRUE, PREDICTED))
    assert pearson(predicted, true) == pytest.approx(scipy.stats.pearsonr(PREDICTED, TRUE).statistic)
    assert spearman(predicted, true) == pytest.approx(scipy.stats.spearmanr(PREDICTED, TRUE).statistic)


def test_classes_may_be_names():
    assert accuracy(["a", "b"], ["a", "c"]) == 0.5
    assert f1(["a", "b"], ["a", "c"]) == pytest.approx(1 / 3)
    assert f1(["a", "b"], ["a", "a"], "binary", positive="a") == pytest.approx(2 / 3)


def test_f1_averages():
    # class 0: 2 right, none wrong; class 1: 1 right, 1 wrong, 1 missed; class 2 the same
    assert f1(PREDICTED, TRUE, "micro") == accuracy(PREDICTED, TRUE)
    assert f1(PREDICTED, TRUE, "binary", positive=1) == 0.5
    assert f1(PREDICTED, TRUE, "binary", positive=7) == 0.0


def test_several_labels_each():
    predicted, true = [[1, 0, 0], [1, 1, 0]], [[1, 0, 0], [0, 1, 0]]
    assert accuracy(predicted, true) == 0.5
    assert f1(predicted, true) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert f1(predicted, true, "micro") == pytest.approx(4 / 5)
    with pytest.raises(ValueError, match="one class each"):
        f1(predicted, true, "binary")


def test_matthews_is_one_minus_one_and_nothing():
    assert matthews([0, 1, 0], [0, 1, 0]) == 1.0
    assert matthews([1, 0, 1], [0, 1, 0]) == -1.0
    assert matthews([1, 1, 1], [0, 1, 0]) == 0.0


def test_matthews_of_a_hundred_thousand_examples_does_not_overflow():
    import sklearn.metrics

    noise = np.random.default_rng(0)
    predicted, true = noise.integers(0, 2, 100_000).astype(np.int8), noise.integers(0, 2, 100_000).astype(np.int8)
    assert matthews(predicted, true) == pytest.approx(sklearn.metrics.matthews_corrcoef(true, predicted), abs=1e-12)


def test_a_constant_has_no_correlation_with_anything():
    assert pearson([0.1, 0.1, 0.1], [1, 2, 3]) == 0.0
    assert spearman([1, 2, 3], [0.3, 0.3, 0.3]) == 0.0


def test_a_rising_curve_has_rank_correlation_one_and_a_line_has_both():
    assert spearman([1, 2, 3, 4], [1, 10, 100, 1000]) == pytest.approx(1.0)
    assert pearson([1, 2, 3, 4], [1, 10, 100, 1000]) < 0.9
    assert pearson([1, 2, 3, 4], [-1, -3, -5, -7]) == pytest.approx(-1.0)


def test_correlation_of_huge_and_tiny_numbers_is_finite():
    assert pearson([1e200, 2e200, 3e200], [1e-200, 2e-200, 3e-200]) == pytest.approx(1.0)


def test_entities_of_both_schemes():
    assert entities(["I-person", "I-person", "B-person", "O", "I-place"]) == [
        Entity("person", 0, 2),
        Entity("person", 2, 3),
        Entity("place", 4, 5),
    ]
    assert entities(["B-person", "I-person", "B-person", "O", "B-place"]) == [
        Entity("person", 0, 2),
        Entity("person", 2, 3),
        Entity("place", 4, 5),
    ]


def test_a_change_of_type_begins_an_entity_whatever_the_prefix():
    assert entities(["B-a", "I-b", "I-b"]) == [Entity("a", 0, 1), Entity("b", 1, 3)]


def test_ends_and_singles_close_an_entity():
    assert entities(["B-a", "E-a", "I-a", "S-a", "I-a"]) == [
        Entity("a", i, j) for i, j in ((0, 2), (2, 3), (3, 4), (4, 5))
    ]


def test_an_entity_ends_with_its_sentence_and_types_may_hold_hyphens():
    assert entities(["O", "B-creative-work", "I-creative-work"]) == [Entity("creative-work", 1, 3)]
    scores = entity_f1([["B-a"], ["I-a"]], [["B-a"], ["I-a"]])
    assert (scores.right, scores.predicted, scores.true) == (2, 2, 2)


def test_entity_scores_are_counted_over_all_sentences_and_for_each_type():
    predicted = [["B-a", "I-a", "O", "B-b"], ["O", "B-b"]]
    true = [["B-a", "O", "O", "B-b"], ["B-a", "B-b"]]
    scores = entity_f1(predicted, true)
    assert (scores.precision, scores.recall, scores.f1) == (2 / 3, 2 / 4, 4 / 7)
    assert (scores.types["a"].f1, scores.types["b"].f1) == (0.0, 1.0)
    assert list(scores.types) == ["a", "b"]


def test_no_entity_at_all_scores_nothing():
    scores = entity_f1([["O"]], [["O"]])
    assert (scores.precision, scores.recall, scores.f1, scores.types) == (0.0, 0.0, 0.0, {})


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("The Cat.", "cat"),
        ("a  theatre, an anthem", "theatre anthem"),
        ("U.S.A.", "usa"),
        ("the-end", "theend"),  # punctuation goes before articles do
        ("«the» cat", "« » cat"),  # only ASCII punctuation goes
        ("A", ""),
        (" \t1,000\n", "1000"),
    ],
)
def test_answers_are_normalized_as_the_squad_script_does(text, normalized):
    assert normalize_answer(text) == normalized


@pytest.mark.parametrize(
    ("prediction", "truth", "exact", "best"),
    [
        ("the cat", "Cat!", 1.0, 1.0),
        ("big cat", "cat", 0.0, 2 / 3),
        ("cat cat", "cat", 0.0, 2 / 3),  # a word counts as often as it is in both
        ("cat cat", "cat cat dog", 0.0, 4 / 5),
        ("dog", "cat", 0.0, 0.0),
        ("", "", 1.0, 1.0),
        ("", "cat", 0.0, 0.0),
        ("the", "", 1.0, 1.0),
    ],
)
def test_exact_match_and_f1_of_answers(prediction, truth, exact, best):
    assert exact_match(prediction, truth) == exact
    assert answer_f1(prediction, truth) == pytest.approx(best)


def test_the_best_of_several_true_answers_counts_and_no_answer_is_right_where_there_is_none():
    truths = {"a": ["black cat", "the cat"], "b": [], "c": ["dog"], "d": []}
    scores = answer_scores({"a": "cat", "b": "", "c": "big dog", "d": "dog", "e": "not asked"}, truths)
    assert (scores.exact_match, scores.f1, scores.questions) == (0.5, pytest.approx((1 + 1 + 2 / 3 + 0) / 4), 4)
    assert scores.answerable is not None
    assert (scores.answerable.exact_match, scores.answerable.f1) == (0.5, pytest.approx(5 / 6))
    assert scores.unanswerable is not None
    assert (scores.unanswerable.exact_match, scores.unanswerable.questions) == (0.5, 2)


def test_a_true_answer_that_normalizes_to_nothing_is_left_aside():
    assert answer_scores({"a": ""}, {"a": ["the", "cat"]}).f1 == 0.0
    assert answer_scores({"a": ""}, {"a": ["the"]}).answerable is None


def test_perplexity_is_the_number_of_words_a_guesser_would_have():
    assert perplexity([math.log(7)] * 3) == pytest.approx(7)
    assert perplexity(torch.tensor([0.0, 3.0]), [3, 1]) == pytest.approx(math.exp(0.75))


def test_batches_without_words_count_for_nothing_and_a_hopeless_model_is_infinite():
    assert perplexity([math.log(7), math.nan], [5, 0]) == pytest.approx(7)
    assert perplexity([1e9]) == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy([1, 2], [1]), r"shape \(2,\) for labels of shape \(1,\)"),
        (lambda: accuracy([], []), "predictions is empty"),
        (lambda: matthews([[1]], [[1]]), "predictions must have 1 dimensions"),
        (lambda: f1([1], [1], "weighted"), "average='weighted' is not known"),
        (lambda: f1(["a", "b"], ["a", "a"], "binary"), "positive=1 is none of the classes, which are such as 'a'"),
        (
            lambda: f1([1, 0], [1, 1], "binary", positive="1"),
            "positive='1' is none of the classes, which are such as 1",
        ),
        (
            lambda: answer_scores({"a": "x"}, {"a": [{"text": "x", "answer_start": 1}]}),
            "Of SQuAD's answers give each its 'text'",
        ),
        (
            lambda: answer_scores({"a": "x"}, {"a": {"text": ["x"], "answer_start": [1]}}),
            "must have a list of true answers",
        ),
        (lambda: answer_scores({"a": "3"}, {"a": [3]}), "An answer must be a text, and is 3"),
        (lambda: normalize_answer(None), "An answer must be a text, and is None"),
        (lambda: pearson([1, math.nan], [1, 2]), "predictions must be finite"),
        (lambda: spearman([1, 2], [1, math.inf]), "labels must be finite"),
        (lambda: entity_f1([["O"]], []), "predictions for 1 sentences and labels for 0"),
        (lambda: entity_f1([["O"]], [["O", "O"]]), "Sentence 0 has 1 predicted tags and 2 true"),
        (lambda: entities(["NOUN"]), "The tag 'NOUN' marks no entity"),
        (lambda: answer_scores({}, {"a": ["cat"]}), "1 of 1 questions have no prediction, 'a' first"),
        (lambda: answer_scores({}, {}), "no questions"),
        (lambda: perplexity([1.0], [0]), "there are no words"),
        (lambda: perplexity([1.0, 1.0], [2, -1]), "at least 0"),
    ],
)
def test_what_cannot_be_scored_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


IDS = np.array([[1, 2, -100], [0, 1, 2]])


@pytest.mark.parametrize("score", [accuracy, f1, lambda p, t: f1(p, t, "micro"), matthews])
@pytest.mark.parametrize(
    ("predictions", "labels", "message"),
    [
        (IDS, IDS, "-100"),
        (torch.tensor(IDS), torch.tensor(IDS), "-100"),
        ([1, 2, 0], [1, -100, 0], r"labels holds -100.*keep = labels != -100.*entity_f1"),
        ([[1, 2], [0, 1]], [[1, 2], [0, 2]], "entity_f1|one after the other"),
        ([["O", "B-a"], ["O", "O"]], [["O", "B-a"], ["O", "O"]], "entity_f1|one after the other"),
        ([["O", "B-a"], ["O"]], [["O", "B-a"], ["O"]], "predictions has rows of different lengths.*entity_f1"),
        ([[0, 1], [2]], [[0, 1], [2]], "predictions has rows of different lengths"),
        (["a", "b"], [0, 1], "Either predictions or labels are text.*name both, or number both"),
        ([0, 1], np.array(["a", "b"], dtype=object), "Either predictions or labels are text"),
        (["0", "1"], [0, 1], "Either predictions or labels are text"),
        ([1, "a"], [1, 2], "predictions must be all numbers or all text, and hold int and str"),
        ([0, 1], [0, None], "labels must be all numbers or all text, and hold NoneType and int"),
        (["a", "b"], ["a", math.nan], "labels must be all numbers or all text, and hold float and str"),
        ([b"a"], [b"a"], "hold bytes"),
        ([0.2, 0.9], [0, 1], r"predictions must be classes, and holds \[0.2\].*argmax"),
        ([0.0, math.nan], [0, 1], r"predictions must be classes, and holds \[nan\]"),
        ([0, 1], [0.5, 4.2], "labels must be classes.*numbers by pearson"),
        (torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), r"argmax\(-1\) first"),
        (torch.zeros(2, 3, 4), torch.zeros(2, 3, 4), "dimensions, and has shape"),
        (1, 1, r"dimensions, and has shape \(\)"),
        ([], [], "is empty"),
        ([0, 1, 1], [0, 1], r"shape \(3,\) for labels of shape \(2,\)"),
    ],
)
def test_what_is_not_classes_is_never_scored_as_classes(score, predictions, labels, message):
    with pytest.raises(ValueError, match=message):
        score(predictions, labels)


@pytest.mark.parametrize("score", [accuracy, f1])
def test_probabilities_of_several_labels_are_asked_to_become_decisions(score):
    with pytest.raises(ValueError, match=r"of probabilities of several labels > 0\.5"):
        score([[0.2, 0.9]], [[0, 1]])


@pytest.mark.parametrize(
    ("predictions", "labels"),
    [
        ([True, False], [1, 0]),
        (np.array([1.0, 0.0]), [1, 0]),  # whole numbers, such as regression columns read as classes
        (np.array(["a", "b"], dtype=object), ["a", "c"]),  # a column of pandas
        (np.array([1, 0], dtype=object), [True, False]),
        (np.array([1, 0, 2.0], dtype=object), torch.tensor([1, 0, 2])),
        (torch.tensor([1.0, 0.0], dtype=torch.bfloat16, requires_grad=True), torch.tensor([1, 0])),
        ([-1, 1], [-1, -1]),
        ([[1, 0], [True, False]], [[1.0, 0.0], [0.0, 1.0]]),
    ],
)
def test_classes_come_in_many_clothes(predictions, labels):
    assert 0 <= accuracy(predictions, labels) <= 1
    assert 0 <= f1(predictions, labels) <= 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pearson(["1", "2"], ["1", "2"]), "predictions must be finite numbers; some are text"),
        (lambda: pearson([1, 2], ["a", "b"]), "labels must be finite numbers; some are text"),
        (lambda: spearman([[1], [2]], [1, 2]), r"predictions must have 1 dimensions, and has shape \(2, 1\)"),
        (lambda: pearson([1, None], [1, 2]), "hold NoneType and int"),
        (lambda: spearman([], []), "is empty"),
        (lambda: perplexity([math.nan]), "some are negative or NaN"),
        (lambda: perplexity([-2.3, -0.1]), "Of log p change the sign"),
        (lambda: perplexity(2.0), "must have 1 dimensions"),
        (lambda: perplexity([1.0], [math.nan]), "no words"),
        (lambda: answer_scores({"a": "cat"}, {"a": "cat"}), "'a' must have a list of true answers"),
        (lambda: answer_scores({"a": None}, {"a": ["cat"]}), "'a' must have a list of true answers and one predicted text"),
    ],
)  # fmt: skip
def test_numbers_losses_and_answers_of_another_kind_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "tags",
    [
        ["O", "B-person"],  # one sentence, not in a list
        ["B", "O"],
        [[0, 1], [2, 0]],
        np.array([[1, 0], [2, -100]]),
        torch.tensor([[1, 0], [2, -100]]),
        [["O", None]],
        "O",
        [],
    ],
)
def test_entities_are_scored_of_tags_that_are_names_in_sentences(tags):
    with pytest.raises(ValueError, match="a list of tags for each sentence, names such as B-person"):
        entity_f1(tags, tags)


@pytest.mark.parametrize(
    ("prediction", "truth", "exact", "best"),
    [
        ("北京", "北京", 1, 1),
        ("北京大学", "北京", 0, 2 * 2 / (4 + 2)),
        ("京北", "北京", 0, 1 / 2),  # only a run of one
        ("《红楼梦》。", "红楼梦", 1, 1),
        ("红楼梦，曹雪芹", "曹雪芹", 0, 2 * 3 / (6 + 3)),
        ("2008年8月8日", "2008 年 8 月 8 日", 1, 1),
        ("IBM公司", "ibm公司", 1, 1),
        ("北京的 the IBM", "IBM", 0, 2 * 1 / (4 + 1)),
        ("上海", "北京", 0, 0),
        ("", "北京", 0, 0),
    ],
)
def test_answers_in_chinese_are_compared_by_characters(prediction, truth, exact, best):
    """The figures of the published script of CMRC 2018, which splits Chinese characters and looks for the longest run in both."""
    assert exact_match(prediction, truth) == exact
    assert answer_f1(prediction, truth) == pytest.approx(best)
