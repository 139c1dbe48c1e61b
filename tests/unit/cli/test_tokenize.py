"""`minibert tokenize`: pieces, ids and segments of a text or a pair."""

from minibert import BertTokenizer
from tests.unit.cli.running import json_of, output_of
from tests.unit.tiny_bert import BUNDLED


def test_each_piece_gets_a_row() -> None:
    header, rule, *rows = output_of("tokenize", "The unkindest cut").splitlines()
    assert header.split() == ["position", "piece", "id", "segment"]
    assert set(rule) == {"─", " "}
    encoding = BertTokenizer.from_pretrained(BUNDLED)("The unkindest cut")
    assert [row.split()[1] for row in rows] == ["[CLS]", "the", "unkind", "##est", "cut", "[SEP]"]
    assert [int(row.split()[2]) for row in rows] == encoding["input_ids"]
    assert [int(row.split()[0]) for row in rows] == list(range(6))


def test_a_second_text_is_the_second_segment() -> None:
    rows = output_of("tokenize", "Who is there?", "--second", "Nobody.").splitlines()[2:]
    assert [row.split()[3] for row in rows] == ["0"] * 6 + ["1"] * 3


def test_json_says_all_of_it() -> None:
    answer = json_of("tokenize", "Who?", "--second", "Nobody.")
    assert (answer["text"], answer["second"]) == ("Who?", "Nobody.")
    assert answer["tokens"] == ["[CLS]", "who", "?", "[SEP]", "nobody", ".", "[SEP]"]
    assert answer["token_type_ids"] == [0, 0, 0, 0, 1, 1, 1]
    assert answer["input_ids"] == BertTokenizer.from_pretrained(BUNDLED)("Who?", "Nobody.")["input_ids"]


def test_an_empty_text_still_has_its_ends() -> None:
    assert json_of("tokenize", "")["tokens"] == ["[CLS]", "[SEP]"]
