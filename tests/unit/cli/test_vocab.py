"""`minibert vocab train`: text in, a tokenizer that opens out."""

from pathlib import Path

from click.testing import CliRunner

from minibert import BertTokenizer
from minibert.cli import main

TEXT = "the unkind king was unkind to the kindest of kings and the kings were unkind\n" * 5


def test_a_trained_vocabulary_opens_as_a_tokenizer(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    result = CliRunner().invoke(main, ["vocab", "train", str(text), "--size", "40", "--out", str(tmp_path / "mine")])
    assert result.exit_code == 0, result.output
    tokenizer = BertTokenizer.from_pretrained(tmp_path / "mine")
    assert tokenizer.decode(tokenizer.encode("the kindest king"), skip_special_tokens=True) == "the kindest king"
    assert len(tokenizer) <= 40


def test_a_cased_vocabulary_keeps_its_capitals(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT.replace("king", "King"))
    result = CliRunner().invoke(
        main, ["vocab", "train", str(text), "--size", "60", "--cased", "--out", str(tmp_path / "mine")]
    )
    assert result.exit_code == 0, result.output
    assert "K" in "".join(BertTokenizer.from_pretrained(tmp_path / "mine").tokenize("King"))


def test_text_without_words_ends_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("\n\n")
    result = CliRunner().invoke(main, ["vocab", "train", str(text), "--out", str(tmp_path / "mine")])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert not (tmp_path / "mine").exists()


def test_explain_shows_every_step() -> None:
    result = CliRunner().invoke(main, ["tokenize", "Déjà vu!", "--explain"])
    assert result.exit_code == 0
    for step in ("cleaned", "normalized", "punctuation", "pieces", "ids"):
        assert step in result.output
