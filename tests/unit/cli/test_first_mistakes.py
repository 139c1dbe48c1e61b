"""Mistakes of the first hour: what is said, where, and before which work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from course.samples import sample
from minibert import BertTokenizer
from minibert.tasks import Classification, Task
from minibert.training import finetuning
from minibert.training.loop import LoopOptions
from tests.unit.cli.running import output_of, run
from tests.unit.training.small_run import text, tokenizer
from tests.unit.training.small_tasks import command, small_model

REVIEWS = sample("reviews.csv")


@pytest.fixture
def small(tmp_path: Path) -> str:
    return small_model(tmp_path / "small")


def refused(*words: str, code: int = 1) -> str:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    return result.stderr


@pytest.fixture
def no_tokenizing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Classification, "encode", lambda *_, **__: pytest.fail("the files were tokenized"))


class TestColumns:
    @pytest.mark.parametrize(
        ("name", "content", "options", "said"),
        [
            ("t.csv", "phrase,label\na,x\n", [], r"line 1: there is no column 'text' \(columns: phrase, label\); name yours with --text …;"),
            ("t.csv", "text,gold\na,x\n", [], r"line 1: there is no column 'label' \(columns: text, gold\); name yours with --label …;"),
            ("t.tsv", "premise\thypothesis\tentailed\na\tb\tx\n", [], r"line 1: there is no column 'label' \(columns: premise, hypothesis, entailed\)"),
            ("t.csv", "text,label\na,x\n", ["--text", "body"], r"line 1: there is no column 'body'"),
            ("t.csv", "text,label\na,x\n", ["--text-pair", "other"], r"line 1: there is no column 'other'"),
            ("t.jsonl", '{"body": "a", "label": "x"}\n', [], r"line 1: there is no column 'text' \(columns: body, label\)"),
            ("t.jsonl", '{"text": "a", "label": "x"}\n{"label": "y"}\n', [], r"line 2: there is no column 'text'"),
            ("t.csv", "a,x\n", ["--columns", "phrase,label"], r"line 1: there is no column 'text' \(columns: phrase, label\)"),
        ],
    )  # fmt: skip
    def test_a_missing_column_is_named_beside_those_there_are(
        self, name: str, content: str, options: list[str], said: str, tmp_path: Path, small: str
    ) -> None:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        error = refused(*command("classify", path, small, tmp_path / "run", *options))
        assert re.search(said, error), error
        assert error.endswith("all, where there is no header, with --columns ….\n")


class TestSmallFiles:
    """The README's recipe on a table of few rows: nothing but --train and --out."""

    def test_a_share_is_held_out_and_the_epochs_go_by_the_examples(
        self, tmp_path: Path, small: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = ["finetune", "classify", "--model", small, "--train", str(REVIEWS), "--out", str(tmp_path / "run")]
        monkeypatch.setattr(finetuning, "train", lambda *_, **__: {"step": None})
        said = output_of(*words, "--batch-size", "2")
        assert "4 of the examples are held out to evaluate on." in said
        assert re.search(r"^Learning rate: .*choose another with --lr …\.$", said, re.MULTILINE)
        assert "Epochs: 10, because 20 examples are few; choose another number with --epochs …." in said
        assert "learns little" not in said

    def test_a_run_too_short_to_learn_is_told(self, tmp_path: Path, small: str) -> None:
        output = output_of(*command("classify", REVIEWS, small, tmp_path / "run", "--epochs", "1"))
        few = "The whole run is 2 steps, in which a new head learns little: choose more epochs, or smaller batches."
        assert few in output

    @pytest.mark.parametrize(("epochs", "every"), [("20", 1), ("21", 2), ("50", 3)])
    def test_a_long_run_is_evaluated_twenty_times(
        self, epochs: str, every: int, tmp_path: Path, small: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = list[LoopOptions]()
        monkeypatch.setattr(finetuning, "train", lambda _, options, *__, **___: asked.append(options) or {"step": None})
        output = output_of(*command("classify", REVIEWS, small, tmp_path / "run", "--epochs", epochs))
        assert ("learns little" in output) == (epochs != "50")  # an epoch has 2 steps
        assert (asked[0].evaluate_every, asked[0].save_every) == (2 * every, 2 * every)


class TestRefusedBeforeWork:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--freeze", "foo"], "--freeze: 'foo' names no parameter"),
            (["--select", "bleu"], "--select is 'bleu'"),
            (["--max-length", "999"], "--max-length is 999; the model has 128 positions"),
        ],
    )
    @pytest.mark.usefixtures("no_tokenizing")
    def test_an_option_that_does_not_fit_the_model_is_named_as_it_is_written(
        self, options: list[str], said: str, tmp_path: Path, small: str
    ) -> None:
        words = command("classify", REVIEWS, small, tmp_path / "run", *options)
        assert said in refused(*words)
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize(
        ("option", "value"),
        [("--lr", "-1"), ("--weight-decay", "-1"), ("--warmup", "2"), ("--patience", "-1"), ("--epochs", "0"), ("--lr", "x")],
    )  # fmt: skip
    def test_a_number_out_of_range_is_refused_with_its_option(
        self, option: str, value: str, tmp_path: Path, small: str
    ) -> None:
        error = refused(*command("classify", REVIEWS, small, tmp_path / "run", option, value), code=2)
        assert f"Invalid value for '{option}': " in error

    def test_another_recipe_is_refused_before_the_files_are_tokenized(
        self, tmp_path: Path, small: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = command("classify", REVIEWS, small, tmp_path / "run", "--epochs", "1")
        output_of(*words)
        monkeypatch.setattr(Classification, "encode", lambda *_, **__: pytest.fail("the files were tokenized"))
        assert "holds another run: it has lr=0.001, this one lr=0.5" in refused(*words, "--lr", "0.5")

    @pytest.mark.parametrize("model", [[], ["checkpoint.txt"]])
    def test_a_model_that_is_no_runs_is_not_replaced(self, model: list[str], tmp_path: Path, small: str) -> None:
        (tmp_path / "mine" / "model").mkdir(parents=True)
        for name in model:
            (tmp_path / "mine" / "model" / name).write_text("precious")
        error = refused(*command("classify", REVIEWS, small, tmp_path / "mine"))
        assert f"'{tmp_path / 'mine' / 'model'}' is there already and belongs to no run." in error
        assert [path.name for path in (tmp_path / "mine" / "model").iterdir()] == model

    @pytest.mark.parametrize(
        "words",
        [
            ["finetune", "classify", "--train", str(REVIEWS), "--eval", str(REVIEWS)],
            ["pretrain", "--data", "corpus"],
            ["data", "prepare", str(REVIEWS)],
            ["vocab", "train", str(REVIEWS)],
            ["explore", "he sang"],
            ["plot", "norms", "he sang"],
        ],
        ids=lambda words: " ".join(words[:2]),
    )
    def test_a_place_that_cannot_be_written_to_is_refused_at_once(self, words: list[str], tmp_path: Path) -> None:
        file = tmp_path / "file.svg"
        file.write_text("no folder")
        error = refused(*words, "--out", str(file / "in" / "it.svg"), code=2)
        assert f"Invalid value for '--out': {file / 'in' / 'it.svg'} cannot be written (" in error

    def test_a_trial_of_writing_leaves_nothing_behind(self, tmp_path: Path) -> None:
        run("explore", "he sang", "--out", str(tmp_path / "page.html"))
        assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


class TestSayingWhatIsNew:
    def test_it_is_said_of_a_new_run_and_not_of_one_that_goes_on(self, tmp_path: Path, small: str) -> None:
        words = command("classify", REVIEWS, small, tmp_path / "run", "--epochs", "1")
        new = "Newly initialised, to be trained: classifier.weight, classifier.bias."
        assert output_of(*words).count(new) == 1
        again = output_of(*words)
        assert "Going on from step" in again
        assert "Newly initialised" not in again


class TestVocabulary:
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "texts"
        folder.mkdir()
        (folder / "a.txt").write_text(text(1), encoding="utf-8")
        (folder / "b.txt").write_text(text(2), encoding="utf-8")
        (folder / "c.md").write_text("passed over", encoding="utf-8")
        return folder

    def test_a_folder_is_read_as_data_prepare_reads_it(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path)
        said = output_of("vocab", "train", str(folder), "--size", "60", "--out", str(tmp_path / "mine"))
        assert "Passed over: 1 (c.md)" in said
        files = [str(path) for path in sorted(folder.glob("*.txt"))]
        output_of("vocab", "train", *files, "--size", "60", "--out", str(tmp_path / "same"))
        assert (tmp_path / "mine" / "vocab.txt").read_bytes() == (tmp_path / "same" / "vocab.txt").read_bytes()

    def test_fewer_pieces_than_asked_for_are_explained(self, tmp_path: Path) -> None:
        said = output_of(
            "vocab", "train", str(self.folder(tmp_path)), "--size", "99999", "--out", str(tmp_path / "mine")
        )
        assert re.search(r"^\d+ pieces in .*mine, not 99,999: there was no more to join\.$", said, re.MULTILINE)

    def test_as_many_as_asked_for_need_no_word(self, tmp_path: Path) -> None:
        said = output_of("vocab", "train", str(self.folder(tmp_path)), "--size", "40", "--out", str(tmp_path / "mine"))
        assert said.splitlines()[-1] == f"40 pieces in {tmp_path / 'mine'}."

    def test_its_own_folder_is_written_again_and_that_is_said(self, tmp_path: Path) -> None:
        words = ["vocab", "train", str(self.folder(tmp_path)), "--out", str(tmp_path / "mine"), "--size"]
        output_of(*words, "40")
        assert "in place of those that were there" in output_of(*words, "50")
        assert len(BertTokenizer.from_pretrained(tmp_path / "mine")) == 50

    @pytest.mark.parametrize("name", ["config.json", "notes.txt", "run", "model.safetensors", ".git", "vocab.txt.old"])
    def test_a_folder_of_other_things_is_left_alone(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / name).write_text("precious")
        error = refused("vocab", "train", str(self.folder(tmp_path)), "--out", str(tmp_path / "mine"))
        assert f"is there already and holds {name}. Choose another folder for --out." in error
        assert [path.name for path in (tmp_path / "mine").iterdir()] == [name]


def test_text_of_another_vocabulary_asks_for_the_model_first(tmp_path: Path) -> None:
    for number, name in enumerate(("a.txt", "b.txt")):
        (tmp_path / name).write_text(text(number), encoding="utf-8")
    tokenizer(tmp_path)
    files = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    words = ["--tokenizer", str(tmp_path / "vocab.txt"), "--processes", "1", "--held-out", "2"]
    counts = output_of("data", "prepare", *files, "--out", str(tmp_path / "corpus"), *words)
    assert re.search(r"^train +1 file +1 document ", counts, re.MULTILINE)
    error = refused("eval", "--data", str(tmp_path / "corpus"))
    assert "than this model's. Name the model that was trained on it (--model), or prepare the text again" in error


LONG = "He walked on and on down the road . " * 16


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["generate", LONG, "--max-new-tokens", "1", "--json"], "With the words to come the text has up to 146 pieces"),
        (["generate", "It was", "--max-new-tokens", "130", "--json"], "With the words to come the text has up to 133 pieces"),
        (["plot", "norms", LONG, "--out", "plot.svg"], "The text has 146 pieces"),
    ],
)  # fmt: skip
def test_a_text_longer_than_those_trained_on_is_warned_of(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if words[0] == "plot":
        pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert f"{said}, and the model was trained on texts of at most 128" in result.stderr


@pytest.mark.parametrize("words", [["a cat sat on the mat"], ["a cat", "--beside", "a cat sat on the mat"]])
def test_a_page_of_a_text_longer_than_those_trained_on_is_warned_of(
    words: list[str], tmp_path: Path, small: str
) -> None:
    settings = Path(small, "tokenizer_config.json")
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"model_max_length": 6}))
    result = run("explore", *words, "--model", small, "--out", str(tmp_path / "page.html"))
    assert result.exit_code == 0, result.output
    assert "and the model was trained on texts of at most 6" in result.stderr


def test_every_task_says_what_its_models_do_and_how_they_are_asked() -> None:
    for task in Task.__subclasses__():
        if hasattr(task, "name"):
            assert re.fullmatch(r"[a-z ]+", task.does)
            assert re.match("give|ask", task.asked)
