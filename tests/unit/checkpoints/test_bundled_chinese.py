"""The Chinese checkpoint that comes with minibert: small, whole, and at home in verse."""

from __future__ import annotations

import re

import pytest
import torch

from minibert import BertForMaskedLM, BertForNextSentencePrediction, BertForPreTraining, BertTokenizer
from minibert.checkpoints import bundled_checkpoints

NAME = "shici-4l-256h"
FOLDER = bundled_checkpoints()[NAME]


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer.from_pretrained(NAME)


def guesses(tokenizer: BertTokenizer, text: str, count: int) -> list[str]:
    """The likeliest characters for the blank."""
    model = BertForMaskedLM.from_pretrained(NAME)
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        scores = model(**inputs).logits[inputs["input_ids"] == tokenizer.mask_token_id]
    return tokenizer.convert_ids_to_tokens(scores[0].topk(count).indices.tolist())


def test_it_is_small_and_says_no_path_of_a_machine() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 12e6
    for path in FOLDER.glob("*.json"):
        assert not re.search(r'"/|\\\\', path.read_text(encoding="utf-8"))


def test_everything_is_read_and_nothing_is_new() -> None:
    report = BertForPreTraining.from_pretrained(NAME).loading_report
    assert report.new == report.left_over == []


def test_a_character_is_a_piece(tokenizer: BertTokenizer) -> None:
    line = "床前明月光，疑是地上霜。"
    assert tokenizer.tokenize(line) == [*line]
    assert tokenizer.model_max_length == 128


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("劝君更尽一杯[MASK]，西出阳关无故人。", "酒"),
        ("夜来风[MASK]声，花落知多少。", "雨"),
        ("明月几时有，把[MASK]问青天。", "酒"),
        ("举头望明[MASK]，低头思故乡。", "月"),
        ("两岸猿声啼不[MASK]，轻舟已过万重山。", "断"),
    ],
)
def test_it_guesses_what_verse_says(tokenizer: BertTokenizer, text: str, character: str) -> None:
    assert guesses(tokenizer, text, 1) == [character]


def test_it_tells_the_next_line_from_another_poems(tokenizer: BertTokenizer) -> None:
    model = BertForNextSentencePrediction.from_pretrained(NAME)
    first = "独坐幽篁里，弹琴复长啸。"
    inputs = tokenizer([first] * 2, ["深林人不知，明月来相照。", "将军百战死，壮士十年归。"], return_tensors="pt")
    with torch.no_grad():
        follows = model(**inputs).logits.softmax(-1)[:, 0]
    assert follows[0] > 0.9 > follows[1]
