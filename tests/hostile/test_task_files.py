"""Broken task files: an error that names the file and the line, or an account of what was left out. Never silence."""

from __future__ import annotations

import json
import re

import pytest

from course.samples import sample
from minibert.tasks import (
    AnswerWindow,
    Labels,
    Question,
    answers_to,
    collate,
    encode_choices,
    encode_questions,
    encode_tags,
    encode_texts,
    find_tags,
    read_choices,
    read_classification,
    read_sentence_pairs,
    read_squad,
    read_tags,
)
from minibert.tasks.classification import MULTI, REGRESSION
from minibert.tasks.task_files import Report
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer

READERS = {
    "t.csv": read_classification,
    "t.tsv": read_classification,
    "t.jsonl": read_tags,
    "t.conll": read_tags,
    "t.json": read_squad,
    "choices.csv": read_choices,
    "t.txt": lambda path: read_sentence_pairs(path, seed=0),
}


def write(tmp_path, name: str, content: str | bytes):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(read, path, line: int | None, message: str) -> None:
    where = re.escape(str(path)) + "'" + (f", line {line}\\b" if line else "")
    with pytest.raises(ValueError, match=f"{where}.*{message}"):
        read(path)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("content", ["", "\n\n  \n", "\ufeff"], ids=["nothing", "spaces", "byte order mark"])
def test_an_empty_file_is_called_empty(tmp_path, name, content):
    refused(READERS[name], write(tmp_path, name, content), None, "is empty")


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_not_there_is_called_so(tmp_path, name):
    with pytest.raises(ValueError, match=f"There is no file at '{re.escape(str(tmp_path / name))}'"):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path, name):
    refused(READERS[name], write(tmp_path, name, b"text,label\na,x\ncaf\xe9,y\n"), 3, "not UTF-8")


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.json"])
def test_an_unknown_kind_of_table_is_refused_with_the_known_ones(tmp_path, name):
    refused(read_classification, write(tmp_path, name, "text,label\n"), None, r"Use .csv, .tsv or .jsonl")


@pytest.mark.parametrize(
    ("name", "content", "line", "message"),
    [
        ("t.csv", "text,label\na,x\nb\n", 3, "1 values for the 2 columns text, label"),
        ("t.csv", "text,label\na,x\nb,y,z\n", 3, "3 values for the 2 columns"),
        ("t.csv", 'text,label\na,x\n"b,y\nc,z\n', 3, "not CSV"),
        ("t.csv", 'text,label\n"a" b,x\n', 2, "not CSV"),
        ("t.csv", "text,text\na,x\n", 1, "must name each column once"),
        ("t.csv", ",,\na,b,x\n", 1, "must name each column once"),
        ("t.csv", "text,label\n", None, "a header and no row"),
        ("t.csv", "phrase,label\na,x\n", 1, r"there is no column 'text' \(columns: phrase, label\)"),
        ("t.csv", "text,gold\na,x\n", 1, r"there is no column 'label'"),
        ("t.csv", "text,label\na,x\nb, \n", 3, "'label' must name one label"),
        ("t.tsv", "text\tlabel\na\tx\nb\ty\tz\n", 3, "3 values for the 2 columns"),
        ("t.jsonl", '{"text": "a", "label": "x"}\n{"text": "b"\n', 2, "not JSON"),
        ("t.jsonl", '["a", "x"]\n', 1, "must be a JSON object"),
        ("t.jsonl", "[" * 100_000 + "\n", 1, "not JSON"),
        ("t.jsonl", '{"text": 5, "label": "x"}\n', 1, "'text' must be text, and is 5"),
        ("t.jsonl", '{"text": "a", "label": null}\n', 1, "'label' must name one label, and is None"),
        ("t.jsonl", '{"text": "a", "label": ["x"]}\n', 1, "'label' must name one label"),
    ],
)
def test_a_broken_row_is_named_by_line(tmp_path, name, content, line, message):
    refused(read_classification, write(tmp_path, name, content), line, message)


@pytest.mark.parametrize("value", ["good", "", "nan", "inf", "1,5"])
def test_a_number_that_is_none_is_named_by_line(tmp_path, value):
    path = write(tmp_path, "t.csv", f'text,label\na,1\nb,"{value}"\n')
    refused(lambda path: read_classification(path, REGRESSION), path, 3, "'label' must be a number")


@pytest.mark.parametrize("value", ["true", "null", "[1]", '"x"', "NaN", "1e999"])
def test_a_json_value_that_is_no_number_is_named_by_line(tmp_path, value):
    path = write(tmp_path, "t.jsonl", f'{{"text": "a", "label": {value}}}\n')
    refused(lambda path: read_classification(path, REGRESSION), path, 1, "'label' must be a number")


@pytest.mark.parametrize("value", ["7", "null", "[[1]]", "[1.5]", "[true]", '{"x": 1}'])
def test_several_labels_must_be_names(tmp_path, value):
    path = write(tmp_path, "t.jsonl", f'{{"text": "a", "label": {value}}}\n')
    refused(lambda path: read_classification(path, MULTI), path, 1, "'label' must be a list of names")


def test_an_unknown_kind_of_problem_is_refused(tmp_path):
    with pytest.raises(ValueError, match="problem_type='ranking' is not known"):
        read_classification(write(tmp_path, "t.csv", "text,label\na,x\n"), "ranking")


def test_a_file_of_empty_texts_says_that_nothing_is_left(tmp_path):
    refused(
        read_classification, write(tmp_path, "t.csv", 'text,label\n"",x\n" ",y\n'), None, "no example that can be used"
    )


@pytest.mark.parametrize(
    ("name", "content", "line", "message"),
    [
        ("t.conll", "the\tO\ncat\n", 2, "1 columns where the file began with 2"),
        ("t.conll", "the\tO\n\tB\n", 2, "1 columns where the file began with 2"),
        ("t.conll", "the\tO\ncat\t\n", 2, "1 columns where the file began with 2"),
        ("t.conll", "the DT O\ncat O\n", 2, "2 columns where the file began with 3"),
        ("t.conll", "the\ncat\n", 1, "a word without a tag"),
        ("t.jsonl", '{"words": ["a", "b"], "tags": ["O"]}\n', 1, "2 words and 1 tags"),
        ("t.jsonl", '{"words": ["a"]}\n', 1, "'tags' must be a list of words"),
        ("t.jsonl", '{"words": "a b", "tags": ["O", "O"]}\n', 1, "'words' must be a list of words"),
        ("t.jsonl", '{"words": ["a", " "], "tags": ["O", "O"]}\n', 1, "'words' must be a list of words, none empty"),
    ],
)
def test_words_and_tags_that_do_not_pair_are_named_by_line(tmp_path, name, content, line, message):
    refused(read_tags, write(tmp_path, name, content), line, message)


def test_a_sentence_without_words_is_left_out_and_counted(tmp_path):
    path = write(tmp_path, "t.jsonl", '{"words": [], "tags": []}\n{"words": ["a"], "tags": ["O"]}\n')
    sentences, report = read_tags(path)
    assert len(sentences) == 1
    assert "1 of 2 examples used.\n" in str(report)
    assert str(report).endswith("\n  left out: 1 × it has no words (line 1).")


def test_a_tag_missing_from_training_is_named_by_the_line_of_its_sentence(tmp_path):
    sentences, report = read_tags(write(tmp_path, "t.conll", "the\tO\n\ncat\tB-animal\n"))
    with pytest.raises(ValueError, match=r"line 3: the label 'B-animal' is missing from the training data"):
        encode_tags(sentences, tiny_tokenizer(), Labels(("O",)), 8, report)


@pytest.mark.slow
def test_a_sentence_of_ten_thousand_words_keeps_every_tag(tmp_path):
    path = write(tmp_path, "t.conll", "".join(f"unables\t{'BIO'[n % 3]}\n" for n in range(10_000)))
    sentences, report = read_tags(path)
    windows = encode_tags(sentences, tiny_tokenizer(), find_tags(sentences), 128, report)
    assert [word for window in windows for _, word in window.first_pieces] == list(range(10_000))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"data": [\n{"paragraphs": }]}', "line 2: not JSON"),
        ("[" * 100_000, "line 1: not JSON"),
        ("[]", "an object with 'data' should stand here"),
        ('{"version": "1.1"}', "'data' is missing"),
        ('{"data": [{"title": "x"}]}', r"data\[0\]: not SQuAD's JSON: 'paragraphs' is missing"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', r"paragraphs\[0\]: not SQuAD's JSON: 'context' is missing"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": ["q"]}]}]}', r"qas\[0\]: .* an object with 'id'"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": [{"id": true}]}]}]}', r"'id' is True"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": [{"id": "q"}]}]}]}', "'question' is missing"),
        (
            '{"data": [{"paragraphs": [{"context": "a", "qas": [{"id": "q", "question": "who"}]}]}]}',
            "'answers' is missing",
        ),
        ('{"data": []}', "has no example that can be used"),
    ],
)
def test_what_is_not_squad_s_json_is_named_by_place(tmp_path, content, message):
    path = write(tmp_path, "t.json", content)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}'.*{message}"):
        read_squad(path)


@pytest.mark.parametrize("start", ["4", 4.0, None, True])
def test_an_answer_s_start_must_be_a_whole_number(tmp_path, start):
    entry = {"id": "q", "question": "who", "answers": [{"text": "cat", "answer_start": start}]}
    path = write(tmp_path, "t.json", json.dumps({"data": [{"paragraphs": [{"context": "the cat", "qas": [entry]}]}]}))
    refused(read_squad, path, None, "'answer_start' is")


def test_an_id_that_comes_twice_is_refused(tmp_path):
    entry = {"id": "q", "question": "who", "answers": [], "is_impossible": True}
    path = write(tmp_path, "t.json", json.dumps({"data": [{"paragraphs": [{"context": "a", "qas": [entry, entry]}]}]}))
    refused(read_squad, path, None, r"qas\[1\]: the id 'q' comes a second time")


@pytest.mark.parametrize(("max_length", "stride"), [(67, 0), (100, 33), (384, -1)])
def test_windows_without_room_for_the_context_are_refused(max_length, stride):
    what = "no piece for a context. Choose at least 68" if max_length == 67 else f".* stride of {stride}"
    with pytest.raises(ValueError, match=f"max_length={max_length} leaves {what}"):
        encode_questions(
            [Question("q", "who", "the cat")], tiny_tokenizer(), Report("t", 1), max_length=max_length, stride=stride
        )


def test_scores_that_do_not_fit_their_windows_are_refused():
    window = AnswerWindow({}, 0, (None, (0, 3), None))
    question = Question("q", "who", "cat")
    with pytest.raises(ValueError, match="1 windows need as many rows of scores: there are 2 and 1"):
        answers_to([question], [window], [[0] * 3] * 2, [[0] * 3])
    with pytest.raises(ValueError, match="A window of 3 positions has 2 scores"):
        answers_to([question], [window], [[0] * 2], [[0] * 3])
    with pytest.raises(ValueError, match="n_best and longest must be at least 1"):
        answers_to([question], [window], [[0] * 3], [[0] * 3], n_best=0)


def test_scores_that_are_not_numbers_answer_nothing():
    window = AnswerWindow({}, 0, (None, (0, 3), None))
    [prediction] = answers_to([Question("q", "who", "cat")], [window], [[float("nan")] * 3], [[0] * 3])
    assert prediction.text == ""


def test_a_context_that_has_no_piece_answers_nothing():
    questions = [Question("q", "who", "\u200b")]
    windows = encode_questions(questions, tiny_tokenizer(), Report("t", 1), labelled=False)
    scores = [[1.0] * len(window.offsets) for window in windows]
    assert [prediction.text for prediction in answers_to(questions, windows, scores, scores)] == [""]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("sent1,ending0,label\na,b,0\n", 2, "'ending0' and 'ending1'"),
        ("sent1,ending0,ending1,label\na,b,c,2\n", 2, "'label' must be 0 to 1, and is '2'"),
        ("sent1,ending0,ending1,label\na,b,c,-1\n", 2, "'label' must be 0 to 1"),
        ("sent1,ending0,ending1,label\na,b,c,first\n", 2, "'label' must be 0 to 1"),
        ("sent1,ending0,ending1\na,b,c\n", 1, "there is no column 'label'"),
        ("text,ending0,ending1,label\na,b,c,0\n", 1, "there is no column 'sent1'"),
        ("sent1,ending0,ending2,label\na,b,c,0\n", 1, "there is no column 'ending1'"),
    ],
)
def test_a_broken_choice_is_named_by_line(tmp_path, content, line, message):
    refused(read_choices, write(tmp_path, "t.csv", content), line, message)


def test_json_lines_that_do_not_all_have_the_same_columns_lose_none(tmp_path):
    pairs = write(tmp_path, "t.jsonl", '{"text": "a", "label": "x"}\n{"text": "b", "text_pair": "c", "label": "y"}\n')
    refused(read_classification, pairs, 1, "there is no column 'text_pair'")
    two = '"sent1": "a", "ending0": "b", "ending1": "c", "label": 0'
    choices = write(tmp_path, "choices.jsonl", f'{{{two}}}\n{{{two}, "ending2": "d"}}\n')
    refused(read_choices, choices, 1, "there is no column 'ending2'")


def test_rows_with_different_numbers_of_choices_make_no_batch(tmp_path):
    tokenizer = tiny_tokenizer()
    rows = []
    for name, content in (
        ("2.csv", "sent1,ending0,ending1,label\na,b,c,0\n"),
        ("1.csv", "sent1,ending0,ending1,ending2,label\na,b,c,d,0\n"),
    ):
        examples, report = read_choices(write(tmp_path, name, content))
        rows += encode_choices(examples, tokenizer, 16, report)
    with pytest.raises(ValueError, match="the same number of choices"):
        collate(rows, tokenizer)


@pytest.mark.parametrize("content", ["a\n", "a\nb\n", "a\n\nb\n"])
def test_text_too_short_for_random_sentences_is_refused(tmp_path, content):
    path = write(tmp_path, "t.txt", content)
    refused(lambda path: read_sentence_pairs(path, 0), path, None, "At least 3")


def test_text_without_neighbours_is_refused_with_the_reason(tmp_path):
    path = write(tmp_path, "t.txt", "a\n\nb\n\nc\n")
    refused(lambda path: read_sentence_pairs(path, 0), path, None, "3 × a sentence alone in its document")


def test_a_text_of_ten_thousand_words_is_cut_and_reported(tmp_path):
    examples, report = read_classification(write(tmp_path, "t.csv", "text,label\n" + "cat " * 10_000 + ",x\n"))
    [row] = encode_texts(examples, tiny_tokenizer(), Labels(("x", "y")), 64, report)
    assert len(row["input_ids"]) == 64
    assert list(report.changed) == ["text cut to 64 pieces"]


def test_no_labels_at_all_are_an_error():
    with pytest.raises(ValueError, match="There are no labels in the data"):
        Labels.found_in([])


def test_an_unknown_sample_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no sample 'reviews.tsv'. There are: endings.csv, entities.conll"):
        sample("reviews.tsv")
