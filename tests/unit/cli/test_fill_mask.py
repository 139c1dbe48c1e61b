"""`minibert fill-mask`: the likeliest words for each blank, as text and as JSON."""

from pathlib import Path
from typing import Any

import pytest
import torch

from minibert import BertForMaskedLM, BertTokenizer
from minibert.cli.fill_mask import predict_blanks
from minibert.fast.packing import PackedEncoder
from tests.unit.cli.running import json_of, output_of, run
from tests.unit.tiny_bert import BUNDLED

TEXT = "He shook his [MASK]."
TWO = "The [MASK] sailed across the [MASK]."


def test_it_shows_five_words_with_their_probabilities_best_first() -> None:
    lines = output_of("fill-mask", TEXT).splitlines()
    assert len(lines) == 5
    assert lines[0].split()[:2] == ["head", "71.4%"]
    shares = [float(line.split()[1].rstrip("%")) for line in lines]
    assert shares == sorted(shares, reverse=True)


def test_a_bar_is_as_long_as_the_probability() -> None:
    lines = output_of("fill-mask", TEXT).splitlines()
    shares = [float(line.split()[1].rstrip("%")) / 100 for line in lines]
    assert [line.count("█") for line in lines] == [round(40 * share) for share in shares]


@pytest.mark.parametrize("option", ["--top-k", "-k"])
def test_it_shows_as_many_words_as_asked_for(option: str) -> None:
    assert len(output_of("fill-mask", TEXT, option, "3").splitlines()) == 3


def test_more_words_than_there_are_means_all() -> None:
    assert len(json_of("fill-mask", TEXT, "-k", "100000")["blanks"][0]["predictions"]) == 8192


def test_several_blanks_are_numbered_in_the_texts_order() -> None:
    lines = output_of("fill-mask", TWO, "-k", "2").splitlines()
    assert lines[0] == "blank 1 of 2"
    assert lines[3] == "blank 2 of 2"
    assert len(lines) == 6


def test_json_says_all_of_it() -> None:
    answer = json_of("fill-mask", TWO, "-k", "2")
    assert (answer["text"], answer["model"]) == (TWO, BUNDLED)
    tokenizer = BertTokenizer.from_pretrained(BUNDLED)
    pieces = tokenizer.convert_ids_to_tokens(tokenizer(TWO)["input_ids"])
    assert [blank["position"] for blank in answer["blanks"]] == [i for i, p in enumerate(pieces) if p == "[MASK]"]
    for blank in answer["blanks"]:
        assert [prediction.keys() for prediction in blank["predictions"]] == [{"token", "id", "probability"}] * 2
        for prediction in blank["predictions"]:
            assert tokenizer.convert_ids_to_tokens(prediction["id"]) == prediction["token"]


def test_the_probabilities_are_the_models_softmax() -> None:
    [blank] = json_of("fill-mask", TEXT, "-k", "8192")["blanks"]
    assert sum(prediction["probability"] for prediction in blank["predictions"]) == pytest.approx(1, abs=1e-4)
    tokenizer, model = BertTokenizer.from_pretrained(BUNDLED), BertForMaskedLM.from_pretrained(BUNDLED)
    with torch.no_grad():
        logits = model(**tokenizer(TEXT, return_tensors="pt")).logits[0, blank["position"]]
    expected = logits.softmax(-1)
    for prediction in blank["predictions"][:50]:
        assert prediction["probability"] == pytest.approx(expected[prediction["id"]].item(), rel=1e-5)


def test_a_folder_can_be_named_instead_of_the_bundled_model(tmp_path: Path) -> None:
    BertForMaskedLM.from_pretrained(BUNDLED).save_pretrained(tmp_path)
    BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path)
    answer = json_of("fill-mask", TEXT, "--model", str(tmp_path))
    assert answer["model"] == str(tmp_path)
    assert answer["blanks"] == json_of("fill-mask", TEXT)["blanks"]


def test_the_same_from_python() -> None:
    assert predict_blanks(TEXT, 5, BUNDLED) == json_of("fill-mask", TEXT)["blanks"]


def test_no_line_ends_in_spaces() -> None:
    lines = output_of("fill-mask", "He shook his [MASK].").splitlines()
    assert all(line == line.rstrip() for line in lines)


LINES = [TWO, "", "No, he said, and shook his [MASK] at the old man who had come to the door.", TEXT, "  ", TEXT]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return str(path)


def test_a_file_gets_line_by_line_the_answers_of_its_texts(file: str) -> None:
    answers = json_of("fill-mask", "--file", file, "-k", "3")["answers"]
    texts = [line for line in LINES if line.strip()]
    assert [answer["text"] for answer in answers] == texts
    for answer, text in zip(answers, texts, strict=True):
        alone = predict_blanks(text, 3, BUNDLED)
        assert [blank["position"] for blank in answer["blanks"]] == [blank["position"] for blank in alone]
        for blank, expected in zip(answer["blanks"], alone, strict=True):
            for found, wanted in zip(blank["predictions"], expected["predictions"], strict=True):
                assert found["token"] == wanted["token"]
                assert found["probability"] == pytest.approx(wanted["probability"], abs=1e-5)


def test_a_files_table_says_each_text_once_and_numbers_its_blanks(file: str) -> None:
    lines = output_of("fill-mask", "--file", file, "-k", "2").splitlines()[2:]
    assert len(lines) == 2 * 5
    assert [line.startswith(TWO) for line in lines[:4]] == [True, False, False, False]
    assert [line.split()[-3] for line in lines[1:4]] == ["1", "2", "2"]


def test_a_files_padding_is_left_out(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    plain = PackedEncoder.forward

    def counted(self: PackedEncoder, hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        rows.append(hidden_states.shape)
        return plain(self, hidden_states, *args, **kwargs)

    monkeypatch.setattr(PackedEncoder, "forward", counted)
    json_of("fill-mask", "--file", file)
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("lines", "says"),
    [("He [MASK].\n\nNo blank here.", "line 3 has no blank"), (" \n", "is empty")],
    ids=["a line without a blank", "no line"],
)
def test_a_file_that_asks_nothing_is_refused_by_its_line(tmp_path: Path, lines: str, says: str) -> None:
    (tmp_path / "lines.txt").write_text(lines, encoding="utf-8")
    result = run("fill-mask", "--file", str(tmp_path / "lines.txt"))
    assert result.exit_code == 1
    assert says in result.stderr


def test_a_text_and_a_file_at_once_or_neither_are_refused(file: str) -> None:
    for arguments in ([TEXT, "--file", file], []):
        assert "not both" in run("fill-mask", *arguments).stderr
