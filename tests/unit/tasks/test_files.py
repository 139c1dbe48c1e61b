"""Tables as numbered rows: the three kinds of file, and where in them something stands."""

from __future__ import annotations

import json
import os

import pytest

from minibert.tasks.task_files import Report, counted, read_lines, read_rows, read_text
from minibert.tokenization import train_wordpiece


def rows_of(tmp_path, name: str, content: str) -> list[tuple[str, dict]]:
    path = tmp_path / name
    path.write_bytes(content.encode())
    return [(row.location.removeprefix(f"'{path}', "), row.values) for row in read_rows(path)]


def test_the_three_kinds_of_table_say_the_same(tmp_path):
    wanted = [{"text": "a b", "label": "x"}, {"text": "c", "label": "y"}]
    assert [values for _, values in rows_of(tmp_path, "t.csv", "text,label\na b,x\nc,y\n")] == wanted
    assert [values for _, values in rows_of(tmp_path, "t.tsv", "text\tlabel\na b\tx\nc\ty\n")] == wanted
    lines = "".join(json.dumps(each) + "\n" for each in wanted)
    assert [values for _, values in rows_of(tmp_path, "t.jsonl", lines)] == wanted


def test_a_csv_value_may_hold_commas_quotes_and_line_breaks_and_lines_are_still_counted(tmp_path):
    found = rows_of(tmp_path, "t.csv", 'text,label\n"one,\n""two""",x\n\nthree,y\n')
    assert found == [("line 2", {"text": 'one,\n"two"', "label": "x"}), ("line 5", {"text": "three", "label": "y"})]


@pytest.mark.parametrize("empty", ["", "  ", ",", ' , ""'])
def test_a_line_without_a_value_is_empty(tmp_path, empty):
    path = tmp_path / "table.csv"
    path.write_text(f"text,label\n{empty}\na cat,1\n{empty}\n", encoding="utf-8")
    assert [(row.location, row.values) for row in read_rows(path)] == [
        (f"'{path}', line 3", {"text": "a cat", "label": "1"})
    ]


def test_a_quote_in_a_tsv_is_a_character_like_any_other(tmp_path):
    assert rows_of(tmp_path, "t.tsv", 'text\tlabel\n5" nails\tx\n') == [("line 2", {"text": '5" nails', "label": "x"})]


def test_a_byte_order_mark_and_windows_line_ends_leave_no_trace(tmp_path):
    for name, comma in (("t.csv", ","), ("t.tsv", "\t")):
        assert rows_of(tmp_path, name, f"\ufefftext{comma}label\r\na{comma}x\r\n") == [
            ("line 2", {"text": "a", "label": "x"})
        ]


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("one\u2028still one\x85\ntwo", encoding="utf-8")
    assert [line for _, line in read_lines(path)] == ["one\u2028still one\x85", "two"]


def test_a_text_of_a_million_characters_is_read_from_csv(tmp_path):
    [(_, values)] = rows_of(tmp_path, "t.csv", "text,label\n" + "a" * 1_000_000 + ",x\n")
    assert len(values["text"]) == 1_000_000


def test_a_report_counts_and_groups_what_was_left_out():
    report = Report("train.csv", found=9)
    for line in range(2, 7):
        report.leave_out(f"'train.csv', line {line}", "it has an empty text")
    report.change("'train.csv', line 8", "text cut to 4 pieces")
    assert report.used == 4
    assert str(report).splitlines() == [
        "'train.csv': 4 of 9 examples used.",
        "  left out: 5 × it has an empty text (line 2, line 3, line 4, …).",
        "  changed: 1 × text cut to 4 pieces (line 8).",
    ]


def test_a_report_counts_an_example_once_and_names_its_line_when_it_is_held_out_too():
    report = Report("train.csv, held out", found=9)
    for line in (8, 8, 9):  # two endings of one question
        report.change(f"'train.csv', line {line}", "text cut to 4 pieces")
    assert str(report).splitlines()[-1] == "  changed: 2 × text cut to 4 pieces (line 8, line 9)."


def test_a_report_of_a_file_with_nothing_usable_is_an_error_with_the_reasons():
    report = Report("train.csv", found=1)
    report.leave_out("'train.csv', line 2", "it has an empty text")
    with pytest.raises(ValueError, match=r"no example that can be used. Left out: 1 × it has an empty text \(line 2\)"):
        report.require_some()


def test_a_report_says_in_a_line_what_the_file_was_read_as():
    report = Report("train.csv", found=3, understood=["pairs: premise + hypothesis"])
    report.understood.append(counted(["no", "yes", "no"]))
    assert str(report).splitlines() == [
        "'train.csv': 3 of 3 examples used.",
        "  read as pairs: premise + hypothesis; 2 labels: no 2, yes 1.",
    ]


def test_many_labels_are_counted_the_commonest_first_and_a_line_stays_a_line():
    assert counted(["x"], "tags") == "1 tag: x 1"
    assert counted([f"l{i:02}" for i in range(20) for _ in range(1 + i)]).startswith("20 labels: l19 20, l18 19, ")
    assert counted(map(str, range(20))).endswith(", and 8 more")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes that are files")
def test_a_pipe_is_no_regular_file_and_is_not_called_missing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for read in (read_text, lambda path: train_wordpiece([path], 20)):
        with pytest.raises(ValueError, match=r"There is no regular (?:text )?file at "):
            read(tmp_path / "pipe")
