"""Laws of the metrics, and agreement with published scorers on whatever is drawn; only the tests that need these load them."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from minibert.tasks.metrics import (
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

classes = st.integers(0, 3)
pairs_of_classes = st.lists(st.tuples(classes, classes), min_size=1, max_size=30)
# Multiples of a quarter: exact in binary, so that equal stays equal in every scorer.
numbers = st.integers(-400, 400).map(lambda n: n / 4)
pairs_of_numbers = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=30)
tags = st.sampled_from(["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in ("a", "b", "a-b"))])
sentences = st.lists(st.lists(st.tuples(tags, tags), min_size=1, max_size=8), min_size=1, max_size=5)
answers = st.lists(st.sampled_from(["the", "The", "cat", "cat.", "dog", "a", "an-", "«", ""]), max_size=5).map(" ".join)


def columns(pairs: list[tuple]) -> tuple[list, list]:
    first, second = zip(*pairs, strict=True)
    return list(first), list(second)


@pytest.mark.seconds
@given(pairs_of_classes)
def test_class_metrics_are_scikit_learn_s(pairs):
    import sklearn.metrics

    predicted, true = columns(pairs)
    assert accuracy(predicted, true) == pytest.approx(sklearn.metrics.accuracy_score(true, predicted))
    for average in ("macro", "micro"):
        theirs = sklearn.metrics.f1_score(true, predicted, average=average, zero_division=0)
        assert f1(predicted, true, average) == pytest.approx(theirs)
    theirs = sklearn.metrics.f1_score([t == 1 for t in true], [p == 1 for p in predicted], zero_division=0)
    assert f1(predicted, true, "binary") == pytest.approx(theirs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a single class
        theirs = sklearn.metrics.matthews_corrcoef(true, predicted)
    assert matthews(predicted, true) == pytest.approx(theirs, abs=1e-12)


def zeros_and_ones(count: int):
    row = st.lists(st.integers(0, 1), min_size=count, max_size=count)
    return st.lists(st.tuples(row, row), min_size=1, max_size=12)


@given(st.integers(2, 5).flatmap(zeros_and_ones))
def test_several_labels_each_score_as_in_scikit_learn(pairs):
    import sklearn.metrics

    predicted, true = (np.array(column) for column in columns(pairs))
    assert accuracy(predicted, true) == pytest.approx(sklearn.metrics.accuracy_score(true, predicted))
    for average in ("macro", "micro"):
        theirs = sklearn.metrics.f1_score(true, predicted, average=average, zero_division=0)
        assert f1(predicted, true, average) == pytest.approx(theirs)


@given(pairs_of_numbers)
def test_correlations_are_scipy_s_and_nothing_for_a_constant(pairs):
    import scipy.stats

    x, y = columns(pairs)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert pearson(x, y) == spearman(x, y) == 0.0
        return
    assert pearson(x, y) == pytest.approx(scipy.stats.pearsonr(x, y).statistic, abs=1e-9)
    assert spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-9)


@given(sentences)
def test_entity_scores_are_seqeval_s(drawn):
    from seqeval.metrics import f1_score, precision_score, recall_score
    from seqeval.metrics.sequence_labeling import get_entities

    predicted = [[ours for ours, _ in sentence] for sentence in drawn]
    true = [[theirs for _, theirs in sentence] for sentence in drawn]
    scores = entity_f1(predicted, true)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nothing predicted
        assert scores.precision == pytest.approx(precision_score(true, predicted, zero_division=0))
        assert scores.recall == pytest.approx(recall_score(true, predicted, zero_division=0))
        assert scores.f1 == pytest.approx(f1_score(true, predicted, zero_division=0))
    for sentence in predicted:
        assert [tuple(each) for each in entities(sentence)] == [
            (kind, a, b + 1) for kind, a, b in get_entities(sentence)
        ]


@given(pairs_of_classes, st.randoms(use_true_random=False))
def test_the_order_of_examples_does_not_matter(pairs, chance):
    mixed = chance.sample(pairs, len(pairs))
    for metric in (accuracy, f1, matthews, pearson, spearman):
        assert metric(*columns(mixed)) == pytest.approx(metric(*columns(pairs)), abs=1e-12)


@given(pairs_of_classes)
def test_scores_stay_in_their_bounds_and_perfect_is_best(pairs):
    predicted, true = columns(pairs)
    for metric in (accuracy, f1):
        assert 0.0 <= metric(predicted, true) <= metric(true, true) == 1.0
    for metric in (matthews, pearson, spearman):
        assert -1.0 <= metric(predicted, true) <= 1.0
        assert metric(true, true) == pytest.approx(1.0 if len(set(true)) > 1 else 0.0)


@given(pairs_of_numbers, st.integers(1, 8), numbers)
def test_a_rising_line_changes_no_correlation_and_a_falling_one_its_sign(pairs, slope, shift):
    x, y = columns(pairs)
    moved = [slope * value + shift for value in x]
    for metric in (pearson, spearman):
        assert metric(moved, y) == pytest.approx(metric(x, y), abs=1e-9)
        assert metric([-value for value in x], y) == pytest.approx(-metric(x, y), abs=1e-9)


@given(sentences)
def test_entity_f1_does_not_change_when_predictions_and_labels_trade_places(drawn):
    ours = [[tag for tag, _ in sentence] for sentence in drawn]
    theirs = [[tag for _, tag in sentence] for sentence in drawn]
    one, other = entity_f1(ours, theirs), entity_f1(theirs, ours)
    assert one.f1 == other.f1
    assert (one.precision, one.recall) == (other.recall, other.precision)
    assert 0.0 <= one.f1 <= 1.0
    assert sum(each.right for each in one.types.values()) == one.right


@given(answers, answers)
def test_answer_scores_are_symmetric_bounded_and_exact_means_f1_of_one(prediction, truth):
    best = answer_f1(prediction, truth)
    assert best == pytest.approx(answer_f1(truth, prediction))
    assert exact_match(prediction, truth) <= best <= 1.0
    assert normalize_answer(normalize_answer(truth)) == normalize_answer(truth)


@given(st.lists(st.tuples(answers, st.lists(answers, max_size=3)), min_size=1, max_size=8))
def test_the_whole_is_the_weighted_mean_of_questions_with_and_without_answer(drawn):
    predictions = {str(n): given for n, (given, _) in enumerate(drawn)}
    scores = answer_scores(predictions, {str(n): truths for n, (_, truths) in enumerate(drawn)})
    parts = [part for part in (scores.answerable, scores.unanswerable) if part]
    assert sum(part.questions for part in parts) == scores.questions == len(drawn)
    for name in ("exact_match", "f1"):
        total = sum(getattr(part, name) * part.questions for part in parts)
        assert getattr(scores, name) == pytest.approx(total / scores.questions)


@given(st.lists(st.floats(0, 20), min_size=1, max_size=40), st.data())
def test_perplexity_does_not_depend_on_how_words_are_batched(losses, data):
    sizes, rest = [], len(losses)
    while rest:
        sizes.append(data.draw(st.integers(1, rest)))
        rest -= sizes[-1]
    ends = np.cumsum(sizes)
    means = [float(np.mean(losses[end - size : end])) for end, size in zip(ends, sizes, strict=True)]
    assert perplexity(means, sizes) == pytest.approx(perplexity(losses))
    assert 1.0 <= perplexity(losses) <= math.exp(max(losses)) * (1 + 1e-9)
