"""Bad text, bad folders and interrupted preparations: one clear error, and nothing half-made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from minibert import BertTokenizer
from minibert.cli import main
from minibert.data.corpus import HELD_OUT, TRAIN, PreparedData
from minibert.data.prepare import prepare
from tests.unit.training.small_run import config_file, corpus, tokenizer


def test_files_that_cannot_be_read_are_named_and_leave_nothing(tmp_path: Path) -> None:
    tok = tokenizer(tmp_path)
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("ban dor.", encoding="utf-8")
    bad.write_bytes(b"ban \xff\xfe dor")
    for files, message in (
        ([good, bad], r"bad\.txt' is not UTF-8 \(.* at byte \d+\)"),
        ([good, tmp_path / "none.txt"], r"There is no text file at '.*none\.txt'"),
        ([tmp_path], "There is no text file at"),
        ([], "no text files to prepare"),
    ):
        with pytest.raises(ValueError, match=message):
            prepare(files, tmp_path / "corpus", tok)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.txt", "good.txt", "vocab.txt"]


def test_text_without_a_word_to_train_on_is_refused(tmp_path: Path) -> None:
    tok = tokenizer(tmp_path)
    empty, only = tmp_path / "empty.txt", tmp_path / "only.txt"
    empty.write_text(" \n\n\t\n", encoding="utf-8")
    only.write_text("ban dor.", encoding="utf-8")
    with pytest.raises(ValueError, match="no words to train on"):
        prepare([empty], tmp_path / "corpus", tok, held_out=0)
    with pytest.raises(ValueError, match=r"no words to train on.*held_out"):
        prepare([only], tmp_path / "corpus", tok, held_out=25)  # the first file is held out
    manifest = prepare([empty, only], tmp_path / "corpus", tok, held_out=0)
    assert manifest["parts"][TRAIN] == {"files": 2, "tokens": 3 + 1, "sentences": 1, "documents": 1}


def test_an_existing_folder_is_not_written_over(tmp_path: Path) -> None:
    data = corpus(tmp_path)
    before = (data.folder / "manifest.json").read_bytes()
    with pytest.raises(ValueError, match="exists already"):
        prepare([tmp_path / "text-0.txt"], data.folder, tokenizer(tmp_path))
    assert (data.folder / "manifest.json").read_bytes() == before


def test_the_same_file_given_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("ban dor.", encoding="utf-8")
    manifest = prepare([path, tmp_path / "." / "a.txt"], tmp_path / "corpus", tokenizer(tmp_path), held_out=0)
    assert len(manifest["sources"]) == 1


def test_odd_characters_and_endless_words_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(("\ufeffBan\x00dor.\r\n\r\n" + "x" * 100_000 + ". \u202e ban!\n").encode())
    manifest = prepare([path], tmp_path / "corpus", tokenizer(tmp_path), held_out=0)
    assert manifest["parts"][TRAIN]["tokens"] > 3


def test_a_damaged_corpus_is_noticed(tmp_path: Path) -> None:
    data = corpus(tmp_path)
    with (data.folder / TRAIN / "tokens.bin").open("ab") as file:
        file.write(b"\x01\x00")
    with pytest.raises(ValueError, match="do not fit each other"):
        data.corpus(TRAIN)
    (data.folder / TRAIN / "tokens.bin").unlink()
    with pytest.raises(ValueError, match=r"tokens\.bin' is missing"):
        data.corpus(TRAIN)
    with pytest.raises(ValueError, match=r"manifest\.json is missing"):
        PreparedData.open(tmp_path)


def test_a_held_out_part_that_is_empty_is_named(tmp_path: Path) -> None:
    data = corpus(tmp_path, held_out=0)
    with pytest.raises(ValueError, match=r"held-out part of .* is empty.*held_out"):
        data.corpus(HELD_OUT)


def test_a_corpus_of_one_document_and_one_sentence_can_be_read(tmp_path: Path) -> None:
    from minibert.data.pretraining_batches import PretrainingBatches

    path = tmp_path / "one.txt"
    path.write_text("ban dor fis gut.", encoding="utf-8")
    prepare([path], tmp_path / "corpus", tokenizer(tmp_path), held_out=0)
    data = PreparedData.open(tmp_path / "corpus")
    batches = PretrainingBatches(data.corpus(TRAIN), BertTokenizer.from_pretrained(data.folder), seed=0)
    batch = batches.batch(1, 0, range(64), 32)
    assert set(batch["next_sentence_label"].tolist()) == {0, 1}
    assert batch["attention_mask"].sum(dim=1).min() >= 4


class TestCommands:
    def run(self, *words: object) -> str:
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == 1, result.output
        assert "Traceback" not in result.output
        return result.output

    def test_pretrain_without_prepared_text(self, tmp_path: Path) -> None:
        assert "minibert data prepare" in self.run("pretrain", "--data", tmp_path, "--out", tmp_path / "run")

    def test_phases_that_cannot_be_read(self, tmp_path: Path) -> None:
        corpus(tmp_path)
        words = ("pretrain", "--data", tmp_path / "corpus", "--out", tmp_path / "run", "--phases", "16")
        assert "LENGTH:SHARE" in self.run(*words)

    def test_a_model_with_another_vocabulary_is_not_measured(self, tmp_path: Path) -> None:
        corpus(tmp_path)
        assert "another vocabulary" in self.run("eval", "--data", tmp_path / "corpus")

    def test_prepare_says_which_file_is_missing(self, tmp_path: Path) -> None:
        assert "none.txt" in self.run("data", "prepare", tmp_path / "none.txt", "--out", tmp_path / "corpus")


@pytest.mark.slow
def test_the_commands_from_text_to_figures(tmp_path: Path) -> None:
    data = corpus(tmp_path)
    shutil.rmtree(data.folder)
    runner, folder = CliRunner(), tmp_path / "texts"
    folder.mkdir()
    for path in tmp_path.glob("text-*.txt"):
        path.rename(folder / path.name)
    tokenizer(tmp_path).save_pretrained(tmp_path / "vocabulary")
    config_file(tmp_path, data)

    def run(*words: object) -> str:
        result = runner.invoke(main, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        return result.output

    said = run(
        "data", "prepare", folder, "--tokenizer", tmp_path / "vocabulary", "--out", tmp_path / "corpus", "--held-out", 3
    )
    assert "train" in said
    assert "counts words needs" in said
    options = ("--steps", 6, "--tokens-per-step", 64, "--phases", "16:0.5,32:0.5", "--precision", "float32")
    config = ("--config", tmp_path / "config.json")
    said = run("pretrain", "--data", tmp_path / "corpus", "--out", tmp_path / "run", *config, *options)
    assert "The best model, of step 6, is in" in said
    model = ("--model", tmp_path / "run" / "model")
    figures = json.loads(
        run("eval", "--data", tmp_path / "corpus", *model, "--batches", 3, "--rows", 4, "--length", 32, "--json")
    )
    assert 0 <= figures["next_accuracy"] <= 1
    assert np.isfinite(figures["words_loss"])
    again = json.loads(
        run("eval", "--data", tmp_path / "corpus", *model, "--batches", 3, "--rows", 4, "--length", 32, "--json")
    )
    assert figures == again
    assert "hidden words" in run("eval", "--data", tmp_path / "corpus", *model, "--batches", 1, "--length", 32)
