"""The steps shown to a learner."""

from __future__ import annotations

from minibert.tokenization import BertTokenizer, explain


def test_every_step_in_order(tokenizer):
    steps = {step.name: step for step in explain(tokenizer, "Dög\u200bs don't\xa0[MASK] 你")}
    assert list(steps) == [
        "text", "special tokens", "cleaned", "spaced", "split", "normalized", "punctuation", "pieces", "framed", "ids",
    ]  # fmt: skip
    assert steps["special tokens"].parts == ["dög\u200bs don't", "[MASK]", "你"]
    assert steps["special tokens"].marked == [False, True, False]
    assert steps["cleaned"].parts[0] == "dögs don't"
    assert steps["spaced"].marked == [False, False, True]
    assert steps["split"].parts == ["dögs", "don't", "[MASK]", "你"]
    assert steps["normalized"].marked == [True, False, False, False]
    assert steps["punctuation"].parts == ["dogs", "don", "'", "t", "[MASK]", "你"]
    assert steps["pieces"].parts == ["dog", "##s", "don", "'", "t", "[MASK]", "你"]


def test_the_steps_end_where_the_tokenizer_does(tokenizer):
    for text in ("", "Hello, unaffable world!", "[CLS] x"):
        steps = explain(tokenizer, text)
        assert steps[-3].parts == tokenizer.tokenize(text)
        assert steps[-1].parts == [str(index) for index in tokenizer.encode(text)]
        assert all(len(step.parts) == len(step.marked) for step in steps)


def test_a_tokenizer_without_basic_steps_has_fewer(vocab_file):
    names = [step.name for step in explain(BertTokenizer(vocab_file, do_basic_tokenize=False), "the dog")]
    assert names == ["text", "special tokens", "pieces", "framed", "ids"]


def test_ideographs_that_stay_together_are_no_step(vocab_file):
    names = [step.name for step in explain(BertTokenizer(vocab_file, tokenize_chinese_chars=False), "你好")]
    assert "cleaned" in names
    assert "spaced" not in names
    assert "split" in names


def test_special_tokens_are_marked_where_they_frame_the_text(tokenizer):
    framed = {step.name: step for step in explain(tokenizer, "the dog")}["framed"]
    assert framed.parts == ["[CLS]", "the", "dog", "[SEP]"]
    assert framed.marked == [True, False, False, True]


def test_no_step_changes_a_special_token(tokenizer):
    tokenizer.add_special_tokens({"additional_special_tokens": ["<你É!>"]})
    steps = {step.name: step for step in explain(tokenizer, "dog<你É!>好")}
    for name in ("cleaned", "spaced", "split", "normalized", "punctuation"):
        assert steps[name].parts[1] == "<你É!>"
        assert not steps[name].marked[1]
    assert steps["spaced"].parts[2] == " 好 "
    assert steps["spaced"].marked == [False, False, True]


def test_the_normalized_step_says_what_it_does(vocab_file):
    def meaning(**settings):
        steps = {step.name: step for step in explain(BertTokenizer(vocab_file, **settings), "É")}
        return steps["normalized"].meaning

    assert meaning() == "each word in lower case, without accents"
    assert meaning(do_lower_case=False) == "each word as it is"
    assert meaning(do_lower_case=False, strip_accents=True) == "each word as it is, without accents"
    assert meaning(strip_accents=False) == "each word in lower case"


def test_each_step_says_what_it_does_in_one_sentence(tokenizer):
    assert [(step.name, step.meaning) for step in explain(tokenizer, "the dog")] == [
        ("text", "what was given"),
        ("special tokens", "text in lower case; special and added tokens are cut out whole"),
        ("cleaned", "control characters are dropped, every kind of space becomes a plain one"),
        ("spaced", "every ideograph is a word of its own"),
        ("split", "words are what stands between spaces"),
        ("normalized", "each word in lower case, without accents"),
        ("punctuation", "every punctuation mark is a word of its own"),
        (
            "pieces",
            "each word becomes the longest pieces of the vocabulary, from left to right; ## continues a word",
        ),
        ("framed", "[CLS] before and [SEP] after"),
        ("ids", "each piece's line in the vocabulary"),
    ]


def test_what_cannot_be_said_is_marked_unknown_and_pieces_that_continue_are_marked(tokenizer):
    pieces = {step.name: step for step in explain(tokenizer, "the dogs 𝕏")}["pieces"]
    assert list(zip(pieces.parts, pieces.marked, strict=True)) == [
        ("the", False),
        ("dog", False),
        ("##s", True),
        ("[UNK]", True),
    ]


def test_a_word_that_is_never_split_is_not_normalized(vocab_file):
    made = BertTokenizer(vocab_file, do_lower_case=False, strip_accents=True, never_split=["É!"])
    steps = {step.name: step for step in explain(made, "É! É")}
    assert list(zip(steps["normalized"].parts, steps["normalized"].marked, strict=True)) == [("É!", False), ("E", True)]


def test_controls_that_stay_are_no_step(vocab_file):
    tokenizer = BertTokenizer(vocab_file, clean_text=False)
    text = "ab\u200bc d\0e"
    steps = explain(tokenizer, text)
    assert "cleaned" not in [step.name for step in steps]
    pieces = next(step for step in steps if step.name == "pieces")
    assert pieces.parts == tokenizer.tokenize(text)
