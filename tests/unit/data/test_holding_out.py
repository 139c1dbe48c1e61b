"""What is held out, by files or by documents, is text that the training part does not have; and the command says what it found."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from minibert.cli import main
from minibert.data.corpus import HELD_OUT, TRAIN, PreparedData
from minibert.data.prepare import choose_held_out, prepare
from minibert.tasks import read_passages, read_sentence_pairs
from tests.unit.training.small_run import WORDS, config_file, corpus, text, tokenizer

LINES = {"one_sentence_per_line": True}


def document(seed: int) -> str:
    """A few sentences, a line each, unlike those of another seed."""
    noise = np.random.default_rng(seed)
    return "".join(" ".join(noise.choice(WORDS, size=6)) + ".\n" for _ in range(4))


def write(path: Path, *seeds: int) -> Path:
    path.write_text("\n".join(document(seed) for seed in seeds), encoding="utf-8")
    return path


def documents_of(folder: Path, part: str) -> list[str]:
    """The documents of a part, as text."""
    data = PreparedData.open(folder)
    if not data.manifest["parts"][part]["tokens"]:
        return []
    read, tok = data.corpus(part), tokenizer(folder.parent)
    return [
        tok.decode(read.span(int(first), int(last)).tolist())
        for first, last in zip(read.documents, read.documents[1:], strict=False)
    ]


def expected(folder: Path, seeds: list[int]) -> list[str]:
    tok = tokenizer(folder)
    return [tok.decode(tok.encode(document(seed).replace("\n", " "), add_special_tokens=False)) for seed in seeds]


@pytest.mark.parametrize(
    ("files", "by", "every", "held_out"),
    [
        ([range(12)], None, 5, [0, 5, 10]),  # one file: documents are counted
        ([range(12)], "documents", 4, [0, 4, 8]),
        ([range(5), range(5, 9)], "documents", 3, [0, 3, 6]),  # counted on from file to file
        ([range(3), range(3, 5), range(5, 9)], None, 2, [0, 1, 2, 5, 6, 7, 8]),
        ([range(3), range(3, 5), range(5, 9)], "files", 3, [0, 1, 2]),
        ([range(6)], None, 0, []),
        ([range(3), range(3, 6)], "documents", 0, []),
    ],
)
def test_every_so_many_files_or_documents_are_held_out(
    tmp_path: Path, files: list[range], by: str | None, every: int, held_out: list[int]
) -> None:
    paths = [write(tmp_path / f"{number}.txt", *seeds) for number, seeds in enumerate(files)]
    manifest = prepare(paths, tmp_path / "c", tokenizer(tmp_path), held_out=every, held_out_by=by, **LINES)
    every_seed = [seed for seeds in files for seed in seeds]
    assert documents_of(tmp_path / "c", HELD_OUT) == expected(tmp_path, held_out)
    assert documents_of(tmp_path / "c", TRAIN) == expected(tmp_path, [s for s in every_seed if s not in held_out])
    assert manifest["parts"][TRAIN]["documents"] == len(every_seed) - len(held_out)
    assert manifest["copies"] == 0


@pytest.mark.parametrize(
    ("files", "by", "every", "copies", "held_out"),
    [
        ([[1], [1], [1]], "files", 2, 2, []),  # three copies of a file
        ([[1], [2], [1], [3]], "files", 4, 1, []),
        ([[1, 2], [3], [4, 2]], "files", 3, 1, [1]),  # one document of two is elsewhere too
        (
            [[1, 2, 3, 1, 1, 4]],
            "documents",
            3,
            2,
            [],
        ),  # the fifth is in the training part, and so are the first and the fourth
        ([[1, 2, 3, 4, 5, 2]], "documents", 5, 1, [1]),
        ([[1, 1], [2]], "files", 2, 0, [1, 1]),  # copies on the same side
        ([[1], [2], [2], [3]], "files", 4, 0, [1]),
    ],
)
def test_what_the_training_part_has_too_is_not_held_out(
    tmp_path: Path, files: list[list[int]], by: str, every: int, copies: int, held_out: list[int]
) -> None:
    paths = [write(tmp_path / f"{number}.txt", *seeds) for number, seeds in enumerate(files)]
    manifest = prepare(paths, tmp_path / "c", tokenizer(tmp_path), held_out=every, held_out_by=by, **LINES)
    assert manifest["copies"] == copies
    assert documents_of(tmp_path / "c", HELD_OUT) == expected(tmp_path, held_out)
    assert not set(documents_of(tmp_path / "c", HELD_OUT)) & set(documents_of(tmp_path / "c", TRAIN))
    assert sum(part["documents"] for part in manifest["parts"].values()) == sum(map(len, files))


def test_a_file_is_named_with_the_parts_that_have_it(tmp_path: Path) -> None:
    paths = [write(tmp_path / "0.txt", 0, 1), write(tmp_path / "1.txt", 2), write(tmp_path / "2.txt", 3, 2)]
    manifest = prepare(paths, tmp_path / "c", tokenizer(tmp_path), held_out=2, **LINES)
    assert [source["part"] for source in manifest["sources"]] == ["held-out", "train", "train, held-out"]
    assert [manifest["parts"][part]["files"] for part in (TRAIN, HELD_OUT)] == [2, 2]


def test_choosing_by_hashes() -> None:
    hashes = [np.array([1, 2], "<u8"), np.array([], "<u8"), np.array([3], "<u8")]
    held, copies = choose_held_out(hashes, 2, "files")
    assert [each.tolist() for each in held] == [[True, True], [], [True]]
    assert copies == 0


@pytest.mark.parametrize("by", ["sentences", "file", "Documents"])
def test_another_unit_is_refused(tmp_path: Path, by: str) -> None:
    with pytest.raises(ValueError, match=f"held_out_by is '{by}'"):
        prepare([write(tmp_path / "0.txt", 0, 1)], tmp_path / "c", tokenizer(tmp_path), held_out_by=by, **LINES)
    assert not (tmp_path / "c").exists()


class TestWhatTheCommandSays:
    def run(self, *words: object, code: int = 0) -> str:
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == code, result.output
        return result.output

    def prepare(self, folder: Path, *words: object, code: int = 0) -> str:
        tokenizer(folder).save_pretrained(folder / "vocabulary")
        return self.run(
            "data", "prepare", *words, "--tokenizer", folder / "vocabulary", "--out", folder / "c", code=code
        )

    def test_sentences_their_length_and_how_much_is_shown(self, tmp_path: Path) -> None:
        said = self.prepare(tmp_path, write(tmp_path / "a.txt", *range(50)), "--lines")
        train = json.loads((tmp_path / "c" / "manifest.json").read_text())["parts"]["train"]
        assert "48 documents" in said
        assert f"has {train['tokens'] / train['sentences']:.1f} tokens on average" in said
        assert "3 passes over it, in pairs of 128 positions, show 9" in said
        assert "Warning" not in said

    def test_one_prose_file_is_one_document_and_the_error_says_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text(text(0), encoding="utf-8")
        said = self.prepare(tmp_path, tmp_path / "a.txt", code=1)
        for word in ("Of one document nothing can be held out", "files of their own", "--lines", "--held-out 0"):
            assert word in said
        assert "documents" in self.prepare(tmp_path, tmp_path / "a.txt", "--held-out", 0)

    @pytest.mark.parametrize("name", ["a.jsonl", "a.JSON", "a.ndjson", "a.csv", "a.tsv"])
    def test_a_table_is_no_plain_text(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text('{"text": "It rained. He left."}\n' * 9, encoding="utf-8")
        assert "is a table by its ending, no plain text" in self.prepare(tmp_path, tmp_path / name, code=1)
        for read in (read_passages, partial(read_sentence_pairs, seed=0)):
            with pytest.raises(ValueError, match=r"Put its texts into a \.txt file"):
                read(tmp_path / name)

    def test_copies_are_counted(self, tmp_path: Path) -> None:
        paths = [write(tmp_path / f"{name}.txt", 1, 2) for name in "abc"]
        said = self.prepare(tmp_path, *paths, "--lines", "--held-out", 2, "--processes", 1)
        assert "Not held out: 4 documents, for the training text has the same" in said

    @pytest.mark.parametrize("words", ["ban dor fis ", "Ban dor fis, ", "ban — dor; "])
    def test_text_without_ends_is_warned_about(self, tmp_path: Path, words: str) -> None:
        (tmp_path / "a.txt").write_text(words * 500, encoding="utf-8")
        said = self.prepare(tmp_path, tmp_path / "a.txt", "--held-out", 0)
        assert "Warning: few sentences were found" in said
        assert "--lines" in said

    @pytest.mark.parametrize("words", ["他走了。", "он ушёл. ", "xyz qqq. "])
    def test_words_that_the_vocabulary_lacks_are_warned_about(self, tmp_path: Path, words: str) -> None:
        (tmp_path / "a.txt").write_text(words * 50, encoding="utf-8")
        said = self.prepare(tmp_path, tmp_path / "a.txt", "--held-out", 0)
        assert "of the tokens are [UNK]" in said
        assert "vocab train" in said

    @pytest.mark.seconds
    @pytest.mark.parametrize("held_out", [0, 3])
    def test_pretraining_says_on_what_it_is_measured(self, tmp_path: Path, held_out: int) -> None:
        data = corpus(tmp_path, held_out=held_out)
        options = (
            "--steps",
            2,
            "--tokens-per-step",
            64,
            "--phases",
            "32:1",
            "--precision",
            "float32",
            "--warmup-steps",
            1,
        )
        config = config_file(tmp_path, data)
        said = self.run("pretrain", "--data", data.folder, "--out", tmp_path / "run", "--config", config, *options)
        assert ("measured, and the best one chosen, on its training text" in said) == (held_out == 0)
