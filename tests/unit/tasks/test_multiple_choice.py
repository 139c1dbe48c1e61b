"""Multiple choice: SWAG's columns, one row a choice."""

from __future__ import annotations

import torch

from course.samples import sample
from minibert import BertForMultipleChoice
from minibert.tasks import collate, encode_choices, read_choices
from tests.unit.tasks.tiny_tokenizer import PIECES, tiny_tokenizer
from tests.unit.tiny_bert import tiny_config

HEADER = "video-id,sent1,sent2,ending0,ending1,label\n"


def read(tmp_path, content: str, **options):
    path = tmp_path / "t.csv"
    path.write_text(content, encoding="utf-8")
    return read_choices(path, **options)


def test_a_row_is_a_context_a_beginning_and_endings(tmp_path):
    [example], _ = read(tmp_path, HEADER + "7,the cat sat,the dog,ran,sat,1\n")
    assert (example.context, example.beginning, example.endings, example.label) == (
        "the cat sat",
        "the dog",
        ("ran", "sat"),
        1,
    )


def test_the_beginning_and_the_label_may_be_missing(tmp_path):
    [example], _ = read(tmp_path, "sent1,ending0,ending1\nthe cat sat,ran,sat\n", labelled=False)
    assert (example.beginning, example.label) == ("", None)


def test_an_empty_ending_leaves_the_row_out(tmp_path):
    examples, report = read(tmp_path, HEADER + "7,the cat,the dog,ran,sat,1\n8,the cat,the dog,,sat,1\n")
    assert len(examples) == report.used == 1
    assert "1 × its context or an ending is empty (line 3)" in str(report)


def test_every_ending_is_a_pair_with_the_context(tmp_path):
    examples, report = read(tmp_path, HEADER + "7,the cat sat,the dog,ran,sat on,1\n")
    tokenizer = tiny_tokenizer()
    [row] = encode_choices(examples, tokenizer, 16, report)
    assert row["input_ids"] == [
        tokenizer("the cat sat", "the dog ran").input_ids,
        tokenizer("the cat sat", "the dog sat on").input_ids,
    ]
    assert row["labels"] == 1


def test_long_choices_are_cut_and_reported(tmp_path):
    examples, report = read(tmp_path, HEADER + "7,the cat sat,the dog,ran,sat on the mat,1\n")
    [row] = encode_choices(examples, tiny_tokenizer(), 9, report)
    assert [len(choice) for choice in row["input_ids"]] == [9, 9]
    assert list(report.changed) == ["text cut to 9 pieces"]


def test_a_batch_of_the_sample_goes_through_the_head():
    examples, report = read_choices(sample("endings.csv"))
    tokenizer = tiny_tokenizer()
    batch = collate(encode_choices(examples[:3], tokenizer, 24, report), tokenizer)
    assert batch["input_ids"].shape[:2] == (3, 4)
    model = BertForMultipleChoice(tiny_config(vocab_size=len(PIECES)))
    outputs = model(**batch)
    assert outputs.logits.shape == (3, 4)
    assert torch.isfinite(outputs.loss)
