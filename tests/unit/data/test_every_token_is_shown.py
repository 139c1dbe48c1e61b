"""A few passes of pairs show the whole text, B follows A, and nothing but its meaning gives away whether it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from minibert.data.corpus import TRAIN, Corpus, PreparedData
from minibert.data.pairs import draw_pair
from minibert.data.prepare import prepare
from minibert.data.pretraining_batches import PretrainingBatches

from .five_corpora import LANGUAGES, SENTENCES, NoTokenizer, counting_corpus, pairs_of, story, vocabulary_of


def random_documents(mean: float, spread: float, documents: int, tokens: int) -> Corpus:
    """Documents of so many tokens, in sentences of about `mean`."""
    noise = np.random.default_rng(0)
    made = []
    for _ in range(documents):
        lengths: list[int] = []
        while sum(lengths) < tokens:
            lengths.append(max(1, int(noise.lognormal(np.log(mean), spread))))
        made.append(lengths)
    return counting_corpus(*made)


KINDS = {
    "novels": random_documents(25, 0.7, documents=3, tokens=8000),
    "one document": random_documents(25, 0.7, documents=1, tokens=20_000),
    "endless sentences": random_documents(400, 0.5, documents=3, tokens=8000),
    "short sentences": random_documents(4, 0.5, documents=5, tokens=4000),
    "poems": random_documents(12, 0.1, documents=400, tokens=50),
    "articles": random_documents(20, 0.5, documents=60, tokens=320),
    "lines of one sentence": random_documents(1000, 0.1, documents=300, tokens=1),
}


def share_shown(corpus: Corpus, length: int, passes: int) -> float:
    shown = np.zeros(len(corpus.tokens), dtype=bool)
    for pair in pairs_of(corpus, length, passes):
        shown[pair.first] = shown[pair.second] = True
    return float(shown.mean())


def mean_distance(corpus: Corpus, length: int) -> float:
    """How many tokens are left out between A and the B that is said to follow it."""
    following = [pair for pair in pairs_of(corpus, length, 1) if pair.is_next]
    return float(np.mean([pair.second[0] - pair.first[-1] - 1 for pair in following]))


@pytest.mark.seconds
@pytest.mark.parametrize("language", LANGUAGES)
def test_five_corpora_are_shown_within_three_passes_and_b_follows_a(language: str, tmp_path: Path) -> None:
    texts = [story(language, seed) for seed in range(2)]
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
    tokenizer = vocabulary_of("".join(texts), tmp_path)
    manifest = prepare(sorted(tmp_path.glob("?.txt")), tmp_path / "corpus", tokenizer, held_out=0)
    corpus = PreparedData.open(tmp_path / "corpus").corpus(TRAIN)
    assert manifest["parts"][TRAIN]["sentences"] >= 0.98 * 2 * SENTENCES
    assert manifest["sample"]["shown"] >= 0.98
    assert manifest["sample"]["unknown"] < 0.02
    for length in (32, 128):
        assert share_shown(corpus, length, passes=3) >= 0.98
        assert mean_distance(corpus, length) < 3


@pytest.mark.seconds
@pytest.mark.parametrize("length", [32, 64, 128])
@pytest.mark.parametrize("kind", KINDS)
def test_three_passes_show_nearly_every_token(kind: str, length: int) -> None:
    assert share_shown(KINDS[kind], length, passes=3) >= 0.98


@pytest.mark.seconds
@given(
    documents=st.lists(st.lists(st.integers(1, 90), min_size=1, max_size=12), min_size=1, max_size=6),
    length=st.integers(12, 70),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_no_token_is_never_shown(documents: list[list[int]], length: int) -> None:
    corpus = counting_corpus(*documents)
    if len(corpus.tokens) > 1:
        assert share_shown(corpus, length, passes=40) == 1


@given(
    documents=st.lists(st.lists(st.integers(1, 90), min_size=1, max_size=12), min_size=1, max_size=4),
    max_tokens=st.integers(2, 70),
    place=st.floats(0, 0.999),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_segments_are_never_empty_never_overlap_and_follow_only_if_they_say_so(
    documents: list[list[int]], max_tokens: int, place: float, seed: int
) -> None:
    corpus = counting_corpus(*documents)
    if len(corpus.tokens) < 2:
        return
    pair = draw_pair(corpus, int(place * len(corpus.tokens)), max_tokens, np.random.default_rng(seed))
    assert pair.second is not None
    assert len(pair.first) >= 1
    assert len(pair.second) >= 1
    assert len(pair.first) + len(pair.second) <= max_tokens
    for segment in (pair.first, pair.second):
        assert np.array_equal(segment, np.arange(segment[0], segment[0] + len(segment)))
        assert corpus.document_around(int(segment[0])) == corpus.document_around(int(segment[-1]))
    assert not set(pair.first.tolist()) & set(pair.second.tolist())
    follows = corpus.document_around(int(pair.first[-1])) == corpus.document_around(int(pair.second[0]))
    assert pair.is_next == (follows and pair.second[0] == pair.first[-1] + 1)


@pytest.mark.parametrize("tokens", [2, 3, 5, 20, 60, 200])
def test_one_document_is_enough_for_both_answers(tokens: int) -> None:
    corpus = counting_corpus([1] * tokens)
    pairs = [draw_pair(corpus, seed % tokens, 20, np.random.default_rng(seed)) for seed in range(300)]
    assert 0.4 < np.mean([pair.is_next for pair in pairs]) < 0.6


def test_a_single_token_makes_no_pair() -> None:
    with pytest.raises(ValueError, match="fewer than 2 tokens"):
        draw_pair(counting_corpus([1]), 0, 20, np.random.default_rng(0))


@pytest.mark.seconds
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [32, 128])
def test_neither_lengths_nor_ends_give_the_answer_away(kind: str, length: int) -> None:
    corpus = KINDS[kind]
    begins = set(corpus.sentences.tolist())
    signs = {True: [], False: []}
    for pair in pairs_of(corpus, length, 3):
        a, b = pair.first, pair.second
        ends = [a[0] in begins, a[-1] + 1 in begins, b[0] in begins, b[-1] + 1 in begins]
        signs[pair.is_next].append([*ends, len(a) > len(b), len(a) + len(b) >= length - 10])
    following, random = (np.mean(signs[is_next], axis=0) for is_next in (True, False))
    assert np.abs(following - random).max() < 0.17


def test_a_row_begins_with_a_sentence_if_one_begins_nearby() -> None:
    begins = set(KINDS["novels"].sentences.tolist())
    assert np.mean([int(pair.first[0]) in begins for pair in pairs_of(KINDS["novels"], 128, 1)]) > 0.4


@pytest.mark.parametrize("kind", KINDS)
def test_each_document_has_its_stretches_and_they_lie_in_it(kind: str) -> None:
    corpus = KINDS[kind]
    batches = PretrainingBatches(corpus, NoTokenizer(), seed=0)
    sizes = np.diff(corpus.sentences[corpus.documents])
    stretches = batches.count_stretches(61)
    assert stretches == sum(-(-int(size) // 61) for size in sizes)
    for epoch in range(4):
        places = sorted(batches.first_token(epoch * stretches + number, 61) for number in range(stretches))
        documents = [corpus.document_of(corpus.sentence_at(place)) for place in places]
        assert np.array_equal(np.bincount(documents), -(-sizes // 61))


def test_what_is_printed_is_what_the_rows_show() -> None:
    batches = PretrainingBatches(KINDS["articles"], NoTokenizer(), seed=0)
    printed = batches.share_shown(128, 3)
    assert printed == pytest.approx(share_shown(KINDS["articles"], 128, 3), abs=0.01)
    assert batches.share_shown(128, 1) < printed


@pytest.mark.parametrize("kind", KINDS)
def test_the_beginning_of_a_corpus_is_a_corpus_of_its_own(kind: str) -> None:
    corpus = KINDS[kind]
    sample = corpus.beginning(5000)
    assert abs(len(sample.tokens) - 5000) <= np.diff(corpus.sentences).max()
    assert sample.sentences[-1] == len(sample.tokens)
    assert sample.documents[-1] == len(sample.sentences) - 1
    assert (np.diff(sample.documents) > 0).all()
    assert set(sample.documents[:-1].tolist()) <= set(corpus.documents.tolist())
    whole = corpus.beginning(10**6)
    for part in ("tokens", "sentences", "documents"):
        assert np.array_equal(getattr(whole, part), getattr(corpus, part))
