"""Learning a vocabulary from text."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest

from minibert.tokenization import BertTokenizer, WordpieceTokenizer, train_wordpiece
from minibert.tokenization.train_vocabulary import LETTERS, SPECIAL_TOKENS, Pieces, learn_pieces

TEXT = "The lowest dog ran lower than the low dogs, and the dogs ran low.\n" * 20


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_special_tokens_come_first_then_characters_then_joined_pieces(text_file):
    vocab = train_wordpiece([text_file], 60)
    assert vocab[:5] == list(SPECIAL_TOKENS)
    singles = [piece for piece in vocab[5:] if len(piece.removeprefix("##")) == 1]
    assert vocab[5 : 5 + len(singles)] == sorted(singles)
    assert {"the", "dog", "low"} <= set(vocab)
    assert len(vocab) == len(set(vocab)) <= 60


def test_the_trained_vocabulary_works_in_a_tokenizer(text_file):
    vocab = train_wordpiece([text_file], 60)
    tokenizer = BertTokenizer({piece: index for index, piece in enumerate(vocab)})
    ids = tokenizer.encode(TEXT, verbose=False)
    assert tokenizer.unk_token_id not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True).startswith(
        "the lowest dog ran lower than the low dogs, and the"
    )


def test_a_cased_vocabulary_keeps_case(text_file):
    assert "T" in train_wordpiece([text_file], 60, do_lower_case=False)


def test_the_same_text_gives_the_same_vocabulary_however_it_is_spread(text_file, tmp_path):
    halves = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for half in halves:
        half.write_text(TEXT[: len(TEXT) // 2], encoding="utf-8")
    assert train_wordpiece(halves, 50) == train_wordpiece([text_file], 50)


def test_files_longer_than_a_block_are_read_whole(text_file, monkeypatch):
    expected = train_wordpiece([text_file], 50)
    monkeypatch.setattr("minibert.tokenization.train_vocabulary.READ", 7)
    assert train_wordpiece([text_file], 50) == expected


def test_progress_is_told_after_every_piece(text_file):
    calls = []
    vocab = train_wordpiece([text_file], 45, progress=lambda done, size: calls.append((done, size)))
    assert calls[-1] == (len(vocab), 45)
    assert [done for done, _ in calls] == list(range(calls[0][0], len(vocab) + 1))


def test_the_gain_is_the_change_of_the_log_likelihood():
    def likelihood(pieces):
        total = pieces.counts.total()
        return sum(n * math.log(n) for n in pieces.counts.values() if n) - total * math.log(total)

    pieces = Pieces({**{f"{char}aa": 9 for char in "stuvwxyz"}, "abab": 3, "abc": 5, "aa": 2, "cab": 4})
    joined = []
    while (pair := pieces.best_pair(1)) and len(joined) < 6:
        assert pieces._gain(pair) == max(map(pieces._gain, pieces.pairs))
        before, gain = likelihood(pieces), pieces._gain(pair)
        joined.append(pair)
        pieces.join(pair)
        assert likelihood(pieces) - before == pytest.approx(gain)
    assert ("##a", "##a") in joined, "a piece joined with itself is among them"


def test_counts_stay_those_of_the_words_as_they_are_cut():
    pieces = Pieces({"aaaa": 3, "aaa": 5, "banana": 2, "nanan": 7})
    while pair := pieces.best_pair(1):
        pieces.join(pair)
        counts, pairs = Counter(), Counter()
        for word, count in zip(pieces.words, pieces.times, strict=True):
            for piece in word:
                counts[piece] += count
            for two in pairwise(word):
                pairs[two] += count
        assert +pieces.counts == counts
        assert +pieces.pairs == pairs
    assert all(len(word) == 1 for word in pieces.words)


def test_rare_pairs_are_not_joined_and_rare_characters_are_left_out():
    counts = Counter({"ab": 1, "cd": 9})
    assert "ab" not in learn_pieces(counts, 50)
    assert "ab" in learn_pieces(counts, 50, min_frequency=1)
    assert "a" not in learn_pieces(counts, 50, alphabet_limit=2)


def test_joining_makes_text_shorter():
    counts = Counter({"unaffable": 9, "affable": 7, "unable": 8, "able": 20, "fable": 3})
    lengths = []
    for size in (20, 25, 30, 35):
        pieces = WordpieceTokenizer(set(learn_pieces(counts, size)), "[UNK]")
        lengths.append(sum(len(pieces.tokenize(word)) * count for word, count in counts.items()))
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] < lengths[0]


def test_what_cannot_be_learned_from_is_said(tmp_path, text_file):
    empty = tmp_path / "empty.txt"
    empty.write_text(" \n")
    with pytest.raises(ValueError, match="holds no words"):
        train_wordpiece([empty], 50)
    with pytest.raises(ValueError, match="more than size=10"):
        train_wordpiece([text_file], 10)
    with pytest.raises(ValueError, match="no text file"):
        train_wordpiece([tmp_path / "missing.txt"], 50)
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"caf\xe9")
    with pytest.raises(ValueError, match="not UTF-8"):
        train_wordpiece([latin], 50)


def test_every_chinese_character_that_fits_is_a_piece():
    """An ideograph is a word of its own, which nothing is joined from: 1,000 of them, enough letters for any alphabet, are few."""
    counts = Counter({chr(0x4E00 + number): 5000 - number for number in range(3000)})
    assert len(learn_pieces(counts, 8192)) == 5 + 3000
    fitting = learn_pieces(counts, 2005)
    assert set(fitting[5:]) == {chr(0x4E00 + number) for number in range(2000)}  # the most frequent


def test_chinese_characters_leave_room_for_both_pieces_of_each_letter():
    letters = Counter({f"{char}{char}": 9000 for char in "abcdefgh"})
    counts = letters + Counter({chr(0x4E00 + number): 5000 - number for number in range(3000)})
    vocabulary = learn_pieces(counts, 1200)
    assert {"a", "##a"} <= set(vocabulary)
    assert len(vocabulary) == 1200


def test_a_character_seen_once_is_no_piece_where_others_are_many():
    counts = Counter({chr(0x4E00 + number): 5 for number in range(1000)}) + Counter({"龍": 1, "龜": 2})
    assert "龜" in learn_pieces(counts, 8192)
    assert "龍" not in learn_pieces(counts, 8192)


@pytest.mark.parametrize("more", [0, 1, 2, 5])
def test_characters_that_stand_alone_fill_what_is_left_and_no_more(more):
    many = {chr(0x4E00 + number): 2000 - number for number in range(LETTERS + 3)}
    vocab = learn_pieces(many, len(SPECIAL_TOKENS) + LETTERS + more)
    assert vocab[: len(SPECIAL_TOKENS)] == list(SPECIAL_TOKENS)
    assert vocab[len(SPECIAL_TOKENS) :] == list(many)[: LETTERS + min(more, 3)]


def test_nothing_is_learned_from_words_too_long_to_be_looked_up(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the dog " * 20 + ("x" * 101 + " ") * 50 + ("y" * 100 + " ") * 50, encoding="utf-8")
    vocab = train_wordpiece([path], 100)
    assert not any("x" in piece for piece in vocab)
    assert "y" * 100 in vocab
    tokenizer = BertTokenizer({piece: index for index, piece in enumerate(vocab)})
    assert tokenizer.tokenize("x" * 101) == ["[UNK]"]
