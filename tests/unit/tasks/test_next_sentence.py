"""Plain text as pairs: true neighbours, and random sentences in their place."""

from __future__ import annotations

from itertools import pairwise

from course.samples import sample
from minibert.tasks import NEXT_SENTENCE_LABELS, encode_texts, read_sentence_pairs
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer


def documents() -> list[list[str]]:
    return [part.split("\n") for part in sample("sentences.txt").read_text(encoding="utf-8").strip().split("\n\n")]


def test_the_first_sentences_are_all_that_have_a_next_one():
    pairs, report = read_sentence_pairs(sample("sentences.txt"), seed=0)
    assert [pair.text for pair in pairs] == [sentence for document in documents() for sentence in document[:-1]]
    assert report.used == len(pairs)


def test_next_is_the_next_line_and_random_is_of_another_document():
    home = {sentence: number for number, document in enumerate(documents()) for sentence in document}
    following = {first: second for document in documents() for first, second in pairwise(document)}
    seen = set()
    for seed in range(40):
        for pair in read_sentence_pairs(sample("sentences.txt"), seed)[0]:
            seen.add(pair.label)
            if pair.label == "next":
                assert pair.text_pair == following[pair.text]
            else:
                assert home[pair.text_pair] != home[pair.text]
    assert seen == {"next", "random"}


def test_about_half_of_the_pairs_are_random():
    labels = [pair.label for seed in range(100) for pair in read_sentence_pairs(sample("sentences.txt"), seed)[0]]
    assert 0.45 < labels.count("random") / len(labels) < 0.55


def test_the_same_seed_gives_the_same_pairs_and_another_seed_others():
    first, again, other = (read_sentence_pairs(sample("sentences.txt"), seed)[0] for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_one_document_takes_its_random_sentences_from_elsewhere_in_itself(tmp_path):
    path = tmp_path / "one.txt"
    path.write_text("a\nb\nc\nd\n", encoding="utf-8")
    drawn = {
        (pair.text, pair.text_pair)
        for seed in range(60)
        for pair in read_sentence_pairs(path, seed)[0]
        if pair.label == "random"
    }
    assert drawn == {("a", "c"), ("a", "d"), ("b", "a"), ("b", "d"), ("c", "a"), ("c", "b")}


def test_a_sentence_alone_in_its_document_is_left_out_but_may_be_drawn(tmp_path):
    path = tmp_path / "alone.txt"
    path.write_text("a\nb\n\nalone\n", encoding="utf-8")
    pairs = [pair for seed in range(20) for pair in read_sentence_pairs(path, seed)[0]]
    assert {(pair.text_pair, pair.label) for pair in pairs} == {("b", "next"), ("alone", "random")}
    report = read_sentence_pairs(path, 0)[1]
    assert (report.found, report.used) == (2, 1)
    assert "1 × a sentence alone in its document (line 4)" in str(report)


def test_a_repeated_line_that_is_drawn_is_called_next(tmp_path):
    path = tmp_path / "refrain.txt"
    path.write_text("a\nrefrain\n\nb\nrefrain\n\nc\nrefrain\n", encoding="utf-8")
    for seed in range(30):
        for pair in read_sentence_pairs(path, seed)[0]:
            assert (pair.label == "next") == (pair.text_pair == "refrain")


def test_labels_are_what_the_head_means_by_them():
    pairs, report = read_sentence_pairs(sample("sentences.txt"), seed=0)
    rows = encode_texts(pairs, tiny_tokenizer(), NEXT_SENTENCE_LABELS, 64, report)
    assert [row["labels"] for row in rows] == [0 if pair.label == "next" else 1 for pair in pairs]
