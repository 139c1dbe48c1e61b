"""A file is read in one way, and a second file as the first: an answer or a label never means something else from row to row."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from minibert import BertConfig
from minibert.tasks import Classification, Labels, TextExample, read_choices, read_classification
from minibert.tasks.classification import MULTI
from minibert.tasks.tag_files import TaggedSentence
from minibert.tasks.task_files import Examples, Report, hold_out


def jsonl(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def choice(answer: Any, *choices: str) -> dict[str, Any]:
    return {"question": "How many?", "choices": choices, "answer": answer}


class TestEndings:
    def test_a_number_is_a_text_where_another_row_has_a_text(self, tmp_path: Path) -> None:
        file = jsonl(tmp_path / "a.jsonl", choice("3", "12", "7", "3", "5"), choice("7", "12", "7", "3", "5"))
        assert [each.label for each in read_choices(file).items] == [2, 1]

    def test_a_number_of_json_is_the_endings_number(self, tmp_path: Path) -> None:
        file = jsonl(tmp_path / "a.jsonl", choice(3, "12", "7", "3", "5"), choice(0, "12", "7", "3", "5"))
        assert [each.label for each in read_choices(file).items] == [3, 0]

    @pytest.mark.parametrize(
        ("rows", "ways"),
        [
            ([choice("A", "C", "A", "B"), choice("B", "C", "B", "A")], "letter or of this text"),
            ([choice("1", "3", "2", "1"), choice("0", "0", "5", "6")], "number or of this text"),
        ],
    )
    def test_what_can_be_read_in_two_ways_is_refused(self, rows: Any, ways: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=f"name, that of this {ways}"):
            read_choices(jsonl(tmp_path / "a.jsonl", *rows))

    @pytest.mark.parametrize(
        ("labels", "texts", "answers", "wanted"),
        [
            ("1234", "abcd", "23", [1, 2]),
            ("1234", "4321", "24", [1, 3]),
            ("ABCD", "BACD", "AC", [0, 2]),
        ],
    )
    def test_endings_that_a_row_names_itself_are_not_asked_about(
        self, labels: str, texts: str, answers: str, wanted: list[int], tmp_path: Path
    ) -> None:
        choices = {"text": list(texts), "label": list(labels)}
        rows = [{"question": "Which?", "choices": choices, "answerKey": answer} for answer in answers]
        assert [each.label for each in read_choices(jsonl(tmp_path / "a.jsonl", *rows)).items] == wanted

    def test_a_row_that_names_its_endings_is_read_as_the_others_of_its_file(self, tmp_path: Path) -> None:
        choices = {"text": list("wxyz"), "label": list("1234")}
        rows = [{"question": "Which?", "choices": choices, "answerKey": answer} for answer in (0, 1, 3)]
        assert [each.label for each in read_choices(jsonl(tmp_path / "a.jsonl", *rows)).items] == [0, 1, 3]

    def test_a_message_says_how_many_endings_the_row_itself_has(self, tmp_path: Path) -> None:
        rows = [choice(0, "a", "b"), choice(7, "a", "b", "c")]
        with pytest.raises(ValueError, match=r"line 2: 'answer' must be 0 to 2"):
            read_choices(jsonl(tmp_path / "a.jsonl", *rows))

    def test_ways_that_agree_are_no_matter(self, tmp_path: Path) -> None:
        file = jsonl(tmp_path / "a.jsonl", choice("A", "A", "B"), choice("B", "A", "B"))
        assert [each.label for each in read_choices(file).items] == [0, 1]


class TestKnownLabels:
    KNOWN = Labels(("0", "1", "2", "3"))

    def labels(self, file: Path, known: Labels) -> list[Any]:
        task = replace(Classification(problem_type=MULTI), labels=known)
        return [each.label for each in task.read(file).items]

    def test_lists_of_numbers_are_marks_only_if_there_is_one_for_each_label(self, tmp_path: Path) -> None:
        numbers = jsonl(tmp_path / "a.jsonl", *[{"text": "a", "label": [0, 1]}] * 3)
        assert self.labels(numbers, self.KNOWN) == [("0", "1")] * 3
        marks = jsonl(tmp_path / "b.jsonl", *[{"text": "a", "label": [0, 1, 0, 1]}] * 3)
        assert self.labels(marks, self.KNOWN) == [("1", "3")] * 3

    def test_marks_stay_marks_where_a_column_has_none_in_training(self, tmp_path: Path) -> None:
        file = jsonl(tmp_path / "a.jsonl", {"text": "a", "label": [1, 0, 0]}, {"text": "b", "label": [0, 1, 0]})
        task = Classification(problem_type=MULTI)
        task = task.adapted_to(task.read(file))
        assert task.labels.names == ("0", "1")
        assert [each.label for each in task.read(file).items] == [("0",), ("1",)]

    @pytest.mark.parametrize("cells", [([1, 0, 1], [0, 0, 1]), ("1 0 1", "0 0 1"), ("101", "001")], ids=str)
    def test_marks_stay_marks_where_a_checkpoints_labels_have_no_names(self, cells: Any, tmp_path: Path) -> None:
        file = jsonl(tmp_path / "a.jsonl", *({"text": "a", "label": cell} for cell in cells))
        task = Classification.of_config(BertConfig(num_labels=3, problem_type=MULTI))
        assert [each.label for each in task.read(file).items] == [("0", "2"), ("2",)]

    def test_a_known_label_is_never_cut(self, tmp_path: Path) -> None:
        known = Labels(("Arts, Music", "Sport"))
        file = jsonl(tmp_path / "a.jsonl", {"text": "a", "label": "Arts, Music"}, {"text": "b", "label": "Sport"})
        assert self.labels(file, known) == [("Arts, Music",), ("Sport",)]

    @pytest.mark.parametrize("sign", ["-", "-1"])
    def test_a_sign_that_is_no_known_label_is_none(self, sign: str, tmp_path: Path) -> None:
        file = jsonl(tmp_path / "a.jsonl", {"text": "a", "label": sign}, {"text": "b", "label": "yes"})
        examples, report = read_classification(file, labels=Labels(("no", "yes")))
        assert [each.label for each in examples] == ["yes"]
        assert report.left_out == {f"it has no label, but {sign!r}": [f"'{file}', line 1"]}
        known = read_classification(file, labels=Labels((sign, "yes"))).items
        assert [each.label for each in known] == [sign, "yes"]


class TestHeldOut:
    @pytest.mark.parametrize("seed", range(12))
    def test_a_label_among_several_and_a_tag_are_seen_in_training(self, seed: int) -> None:
        texts = [TextExample(f"text {n}", label=("common",)) for n in range(24)]
        texts.append(TextExample("the one", label=("common", "rare")))
        tagged = [TaggedSentence(("a",), ("O",)) for _ in range(24)] + [TaggedSentence(("b",), ("B-rare",))]
        for items, names in ((texts, "label"), (tagged, "tags")):
            train, held = hold_out(Examples(items, Report("a file", found=25)), 0.2, seed)
            assert Counter(name for each in train.items for name in getattr(each, names))[
                "rare" if names == "label" else "B-rare"
            ]
            assert 4 <= len(held.items) <= 5
