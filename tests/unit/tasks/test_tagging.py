"""Words with tags: read from columns and JSON lines, put on first pieces, brought back to words."""

from __future__ import annotations

from course.samples import sample
from minibert.tasks import Labels, TaggedSentence, collate, encode_tags, find_tags, read_tags, tags_of_words
from minibert.tasks.task_files import Report
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer

LABELS = Labels(("B", "I", "O"))


def read(tmp_path, content: str, name: str = "t.conll", **options):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return read_tags(path, **options)


def there_and_back(sentences, max_length: int):
    report = Report("t.conll", found=len(sentences))
    windows = encode_tags(sentences, tiny_tokenizer(), LABELS, max_length, report)
    return windows, tags_of_words(windows, [window.row["labels"] for window in windows], sentences, LABELS), report


def test_a_word_is_the_first_column_and_its_tag_the_last(tmp_path):
    for content in ("the\tO\ncat\tB\n\nran\tO\n", "-DOCSTART- -X- O\n\nthe DT O\ncat NN B\n\n\nran VB O"):
        sentences, report = read(tmp_path, content)
        assert [(sentence.words, sentence.tags) for sentence in sentences] == [
            (("the", "cat"), ("O", "B")),
            (("ran",), ("O",)),
        ]
        assert report.used == 2


def test_an_empty_line_may_hold_spaces_and_tabs(tmp_path):
    sentences, _ = read(tmp_path, "the\tO\n \t \ncat\tB\n \nran\tO\n")
    assert len(sentences) == 3


def test_a_hash_is_a_word_like_any_other(tmp_path):
    [sentence], _ = read(tmp_path, "#\tO\ncat\tB\n")
    assert sentence.words == ("#", "cat")


def test_json_lines_say_the_same_as_columns(tmp_path):
    lines, _ = read(tmp_path, '{"words": ["the", "cat"], "tags": ["O", "B"]}\n', name="t.jsonl")
    columns, _ = read(tmp_path, "the O\ncat B\n")
    assert lines == columns


def test_words_alone_are_read_for_prediction(tmp_path):
    [sentence], report = read(tmp_path, "the\ncat\n", labelled=False)
    [window] = encode_tags([sentence], tiny_tokenizer(), LABELS, 8, report)
    assert sentence.tags is None
    assert "labels" not in window.row


def test_only_the_first_piece_of_a_word_carries_its_tag():
    [window], _, _ = there_and_back([TaggedSentence(("unables", "cat"), ("B", "O"))], 16)
    #                                  [CLS] un ##able ##s cat [SEP]
    assert window.row["labels"] == [-100, 0, -100, -100, 2, -100]
    assert window.first_pieces == ((1, 0), (4, 1))


def test_predicted_tags_come_back_to_their_words():
    sentences = [TaggedSentence(("unables", "cat", "cats"), ("B", "I", "O")), TaggedSentence(("dog",), ("I",))]
    _, tags, report = there_and_back(sentences, 16)
    assert tags == [["B", "I", "O"], ["I"]]
    assert not report.changed


def test_a_long_sentence_loses_no_word_even_where_a_window_begins_inside_one():
    sentence = TaggedSentence(("cat", "unables", "dog", "unables") * 9, ("B", "I", "O", "B") * 9, "'t.conll', line 1")
    for max_length in range(3, 12):
        windows, tags, report = there_and_back([sentence], max_length)
        assert tags == [list(sentence.tags)]
        assert all(len(window.row["input_ids"]) <= max_length for window in windows)
        assert report.changed == {f"sentence read in windows of {max_length} pieces": [sentence.location]}


def test_a_word_without_a_piece_is_reported_and_read_as_outside():
    _, tags, report = there_and_back([TaggedSentence(("the", "\u200b", "cat"), ("B", "I", "B"), "line 4")], 16)
    assert tags == [["B", "O", "B"]]
    assert report.changed == {"a word has no piece, so its tag is not trained and O is predicted": ["line 4"]}


def test_the_sample_goes_there_and_back():
    sentences, report = read_tags(sample("entities.conll"))
    labels, tokenizer = find_tags(sentences), tiny_tokenizer()
    windows = encode_tags(sentences, tokenizer, labels, 24, report)
    batch = collate([window.row for window in windows], tokenizer)
    assert tags_of_words(windows, batch["labels"], sentences, labels) == [list(each.tags) for each in sentences]
    assert labels.names == ("B-group", "B-person", "B-place", "I-group", "I-person", "I-place", "O")
