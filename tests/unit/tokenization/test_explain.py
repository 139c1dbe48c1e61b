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
