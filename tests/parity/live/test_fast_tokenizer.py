"""The installed newest transformers' BertTokenizer, Rust inside, and our `BertTokenizerFast`: alike wherever that one does as 4.12.5's.

MINIBERT_STRINGS=100000 in the environment makes the random runs longer. What the era's own Rust tokenizer returned is recorded:
tests/parity/recorded/fast_tokenizer.
"""

from __future__ import annotations

import random

import pytest
from tokenizers_side_by_side import NOVELS, STRINGS, VOCABULARIES, agreed, pair_over
from transformers import AddedToken as NewAddedToken, BertTokenizer as NewTokenizer

from minibert.tokenization import AddedToken, BertTokenizerFast
from tests.parity.old import tokenizer_programs as programs

EACH = 500  # texts a call


@pytest.fixture(scope="module", params=VOCABULARIES)
def both(request, tmp_path_factory):
    """(ours, the new one) over the same vocabulary."""
    return pair_over(request.param, tmp_path_factory.mktemp(request.param), BertTokenizerFast)


def origins(encoding, row: int = 0):
    one = encoding[row]
    return one.ids, one.offsets, one.word_ids, one.sequence_ids, one.special_tokens_mask, one.type_ids


def assert_same(both, texts, pairs=None, **options):
    ours, new = (tokenizer(texts, pairs, **options, verbose=False) for tokenizer in both)
    assert dict(ours) == dict(new)
    for row in range(len(new["input_ids"])):
        assert origins(ours, row) == origins(new, row)


def text_of(seed: int, count: int) -> list[str]:
    return [agreed(text) for text in programs.random_texts(count, seed=seed)]


def test_nasty_texts_alone_and_as_pairs(both):
    texts = [agreed(text) for text in programs.NASTY]
    assert_same(both, texts)
    assert_same(both, texts, texts[::-1], return_length=True, padding=True)


def test_twenty_thousand_random_texts_cut_and_padded_in_every_way(both):
    """Each call has other options: pairs or not, windows or not, every strategy that both know, either side."""
    count, chance = STRINGS // len(programs.VOCABULARIES), random.Random(len(both[0]))
    for start in range(0, count, EACH):
        texts = text_of(start, min(EACH, count - start))
        pairs = chance.choice([None, texts[::-1]])
        options = {
            "truncation": chance.choice([True, True, "only_second" if pairs else "only_first", False]),
            "return_overflowing_tokens": chance.random() < 0.5,
            "padding": chance.choice([False, True]),
            "add_special_tokens": chance.random() < 0.8,
            "return_length": chance.random() < 0.5,
            "return_offsets_mapping": chance.random() < 0.5,
            "return_special_tokens_mask": chance.random() < 0.5,
        }
        if options["truncation"]:
            longest = 400 if options["truncation"] == "only_second" else chance.randint(12, 40)
            options |= {"max_length": longest, "stride": chance.randint(0, 3)}
        assert_same(both, texts, pairs, **options)


@pytest.mark.parametrize("kind", ["uncased", "cased", "multilingual"])
def test_added_tokens_that_overlap_contain_and_begin_one_another(kind, tmp_path):
    """Any tokens, with any settings, special or not, in texts made of their characters."""
    chance = random.Random(5)
    (tmp_path / "vocab.txt").write_text("".join(f"{p}\n" for p in dict.fromkeys(programs.VOCABULARIES[kind])))
    for _ in range(150):
        both = [c.from_pretrained(tmp_path, **programs.SETTINGS[kind]) for c in (BertTokenizerFast, NewTokenizer)]
        tokens = ["".join(chance.choice("abCéÉ [_x") for _ in range(chance.randint(1, 4))) for _ in range(4)]
        tokens = list(
            dict.fromkeys(token for token in tokens if len(token.strip()) > 1)
        )  # a letter is a piece: see below
        flags = {name: chance.random() < 0.3 for name in ("single_word", "lstrip", "rstrip")}
        special, plain = chance.random() < 0.4, chance.random() < 0.5
        for tokenizer, of in zip(both, (AddedToken, NewAddedToken), strict=True):
            made = tokens if plain else [of(token, **flags, normalized=not special) for token in tokens]
            tokenizer.add_tokens(made, special_tokens=special)
        texts = ["".join(chance.choice("abcABCéÉe [x_\u0301") for _ in range(chance.randint(0, 14))) for _ in range(20)]
        assert_same(both, texts)


def test_a_piece_that_is_added_is_cut_out_there_and_not_here():
    both = [c.from_pretrained(NOVELS) for c in (BertTokenizerFast, NewTokenizer)]
    for tokenizer in both:
        tokenizer.add_tokens(["cat"])
    assert [tokenizer.tokenize("catkin") for tokenizer in both] == [["cat", "##kin"], ["cat", "kin"]]


@pytest.fixture(scope="module")
def novels():
    return BertTokenizerFast.from_pretrained(NOVELS), NewTokenizer.from_pretrained(NOVELS)


def test_decoded_text_but_for_apostrophes_and_do_not(novels):
    """The era's decoder saw the whole text, the new one sees token by token: `test_what_is_decoded_otherwise_there`."""
    ours, new = novels
    chance = random.Random(1)
    known = [index for index, token in enumerate(new.convert_ids_to_tokens(range(len(new)))) if "'" not in token]
    rows = [[chance.choice(known) for _ in range(chance.randint(0, 30))] for _ in range(3000)]
    rows = [row for row in rows if " do not" not in " ".join(new.convert_ids_to_tokens(row))]
    rows += [ours.encode(agreed(text), verbose=False) for text in programs.NASTY if "'" not in text]
    for row, skip, clean in ((row, skip, clean) for row in rows for skip in (True, False) for clean in (True, False)):
        options = {"skip_special_tokens": skip, "clean_up_tokenization_spaces": clean}
        assert ours.decode(row, **options) == new.decode(row, **options)
    for row in rows:
        tokens = ours.convert_ids_to_tokens(row)
        assert ours.convert_tokens_to_string(tokens) == new.convert_tokens_to_string(tokens)


def test_what_is_decoded_otherwise_there(novels):
    def decoded(text):
        return tuple(t.decode(t(text, add_special_tokens=False)["input_ids"]) for t in novels)

    assert decoded("don't") == ("don't", "don ' t")
    assert decoded("I do not.") == ("i don't.", "i do not.")
    assert decoded("he would do nothing") == ("he would don'thing", "he would do nothing")


@pytest.mark.parametrize("pair", [None, "runs  away"])
def test_every_look_up(novels, pair):
    text = "the  don't\u0301  Ünaffable [MASK]."
    ours, new = (tokenizer([text], [pair] if pair else None) for tokenizer in novels)
    size = len(ours["input_ids"][0])
    for sequence in range(2 if pair else 1):
        for name, places in (("char_to_token", len(text)), ("char_to_word", len(text)), ("word_to_tokens", 12)):
            for index in range(places):
                found = [getattr(each, name)(0, index, sequence_index=sequence) for each in (ours, new)]
                assert found[0] == found[1], (name, index, sequence)
    for name in ("token_to_chars", "token_to_word", "token_to_sequence"):
        assert [getattr(ours, name)(0, index) for index in range(size)] == [
            getattr(new, name)(0, index) for index in range(size)
        ]
    assert (ours.word_ids(0), ours.sequence_ids(0), ours.tokens(0)) == (
        new.word_ids(0),
        new.sequence_ids(0),
        new.tokens(0),
    )


def test_where_it_and_the_era_s_disagree_ours_does_as_the_era_s(novels):
    """The rest of the list in docs/tokenizer.md that is about the fast class, ours first."""

    def outcomes(function):
        found = []
        for tokenizer in novels:
            try:
                found.append(function(tokenizer))
            except Exception as error:
                found.append(type(error))
        return tuple(found)

    assert outcomes(lambda t: len(t("a b c d", max_length=3, truncation=False)["input_ids"])) == (3, 6)
    assert outcomes(lambda t: t("a b c", max_length=4, truncation="only_second")) == (ValueError, Exception)
    assert outcomes(lambda t: t("a b c", "d", max_length=3, truncation="only_first")["input_ids"][0])[0] == 2


@pytest.mark.parametrize("name", ["whole", "beside"])
def test_what_transformers_saves_is_opened_alike(name, tmp_path):
    """A tokenizer.json with settings of every kind, alone and beside its tokenizer_config.json."""
    settings = [{}, {"do_lower_case": False}, {"strip_accents": False}, {"tokenize_chinese_chars": False}]
    texts = ["Ünaffable 你好 [MASK].", "NewWord newwords <E1><e1>", "don\u200b't \x00 é"]
    for number, arguments in enumerate(settings):
        saved = NewTokenizer.from_pretrained(NOVELS, **arguments)
        saved.add_tokens(["NewWord", NewAddedToken("né", single_word=True)])
        saved.add_special_tokens({"additional_special_tokens": ["<E1>"]})
        saved.save_pretrained(tmp_path / str(number))
        if name == "whole":
            (tmp_path / str(number) / "tokenizer_config.json").unlink()
        assert_same((BertTokenizerFast.from_pretrained(tmp_path / str(number)), saved), [*texts, "né née"])
