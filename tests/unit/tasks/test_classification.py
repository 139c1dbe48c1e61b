"""Texts and pairs with one label, several, or a number: read, numbered, encoded."""

from __future__ import annotations

import pytest
import torch

from course.samples import sample
from minibert.tasks import Labels, collate, encode_texts, find_labels, read_classification
from minibert.tasks.classification import MULTI, REGRESSION, SINGLE
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer
from tests.unit.tiny_bert import tiny_config


def read(tmp_path, content: str, *arguments, name: str = "t.csv", **options):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return read_classification(path, *arguments, **options)


def test_one_label_is_its_name_whatever_it_looks_like(tmp_path):
    examples, _ = read(tmp_path, "text,label\nthe cat, good \nthe dog,7\n")
    assert [(example.text, example.text_pair, example.label) for example in examples] == [
        ("the cat", None, "good"),
        ("the dog", None, "7"),
    ]


def test_whole_numbers_are_names_in_json_too(tmp_path):
    examples, _ = read(tmp_path, '{"text": "the cat", "label": 3}\n', name="t.jsonl")
    assert examples[0].label == "3"


def test_pairs_are_read_where_there_is_a_column_for_them(tmp_path):
    examples, _ = read(tmp_path, "text,text_pair,label\na,b,x\n")
    assert examples[0].text_pair == "b"


def test_columns_can_have_other_names(tmp_path):
    examples, _ = read(tmp_path, "id,s1,s2,gold\n0,a,b,x\n", text="s1", text_pair="s2", label="gold")
    assert (examples[0].text, examples[0].text_pair, examples[0].label) == ("a", "b", "x")


def test_several_labels_stand_between_bars_or_in_a_json_list(tmp_path):
    bars, _ = read(tmp_path, "text,label\na,x| y |x\nb,\n", MULTI)
    lists, _ = read(tmp_path, '{"text": "a", "label": ["x", "y"]}\n{"text": "b", "label": []}\n', MULTI, name="t.jsonl")
    assert [example.label for example in bars] == [example.label for example in lists] == [("x", "y"), ()]


def test_a_number_is_a_number(tmp_path):
    examples, _ = read(tmp_path, "text,label\na,-2.5\nb,3\n", REGRESSION)
    assert [example.label for example in examples] == [-2.5, 3.0]


def test_texts_without_labels_are_read_for_prediction(tmp_path):
    examples, report = read(tmp_path, "text\nthe cat\n", label=None)
    [row] = encode_texts(examples, tiny_tokenizer(), Labels(("x", "y")), 8, report)
    assert examples[0].label is None
    assert "labels" not in row


def test_rows_with_an_empty_text_are_left_out_and_reported(tmp_path):
    examples, report = read(tmp_path, "text,text_pair,label\na,b,x\n ,b,x\na,,x\n")
    assert len(examples) == report.used == 1
    assert "2 × it has an empty text (line 3, line 4)" in str(report)


def test_labels_have_an_order_that_does_not_depend_on_the_lines():
    assert Labels.found_in(["b", "a", "b", "C"]).names == ("C", "a", "b")
    assert Labels.found_in(["10", "9", "0"]).names == ("0", "9", "10")


def test_labels_go_through_a_config_and_back():
    labels = Labels.found_in(["no", "yes"])
    config = tiny_config(id2label=labels.id2label, label2id=labels.label2id)
    assert Labels.of_config(config.id2label) == labels
    assert config.num_labels == 2


def test_a_label_missing_from_training_says_where_it_is_and_what_there_was(tmp_path):
    examples, report = read(tmp_path, "text,label\nthe cat,maybe\n")
    with pytest.raises(ValueError, match=r"t.csv', line 2: the label 'maybe' is missing .* has 2: 'no', 'yes'"):
        encode_texts(examples, tiny_tokenizer(), Labels(("no", "yes")), 8, report)


def test_one_label_everywhere_is_nothing_to_tell_apart(tmp_path):
    examples, _ = read(tmp_path, "text,label\na,x\nb,x\n")
    with pytest.raises(ValueError, match="nothing to tell apart"):
        find_labels(examples)
    assert find_labels(examples, REGRESSION).names == ("LABEL_0",)


def test_encoded_texts_are_the_tokenizer_s_rows_with_an_id(tmp_path):
    examples, report = read(tmp_path, "text,text_pair,label\nthe cat,sat,b\nthe dog,ran,a\n")
    tokenizer = tiny_tokenizer()
    rows = encode_texts(examples, tokenizer, find_labels(examples), 16, report)
    assert rows[0] == {**tokenizer("the cat", "sat"), "labels": 1}
    assert not report.changed


def test_only_texts_that_are_too_long_are_cut_and_that_is_reported(tmp_path):
    examples, report = read(tmp_path, "text,label\nthe cat sat on the mat,x\nthe cat sat,y\n")
    rows = encode_texts(examples, tiny_tokenizer(), find_labels(examples), 5, report)
    assert [len(row["input_ids"]) for row in rows] == [5, 5]
    assert report.changed == {"text cut to 5 pieces": [examples[0].location]}
    assert report.used == 2


@pytest.mark.parametrize(
    ("name", "kind", "dtype", "shape"),
    [
        ("reviews.csv", SINGLE, torch.int64, (24,)),
        ("paraphrases.tsv", SINGLE, torch.int64, (20,)),
        ("similarity.csv", REGRESSION, torch.float32, (16,)),
        ("topics.jsonl", MULTI, torch.float32, (16, 5)),
    ],
)
def test_the_samples_give_labels_of_the_type_and_shape_their_loss_takes(name, kind, dtype, shape):
    examples, report = read_classification(sample(name), kind)
    tokenizer = tiny_tokenizer()
    batch = collate(encode_texts(examples, tokenizer, find_labels(examples, kind), 64, report), tokenizer)
    assert (batch["labels"].dtype, tuple(batch["labels"].shape)) == (dtype, shape)


def test_several_labels_become_a_zero_or_one_for_each(tmp_path):
    examples, report = read(tmp_path, "text,label\na,z|x\nb,y\nc,\n", MULTI)
    rows = encode_texts(examples, tiny_tokenizer(), find_labels(examples, MULTI), 8, report)
    assert [row["labels"] for row in rows] == [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
