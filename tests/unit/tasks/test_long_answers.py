"""Answers longer than any that is ever given: said, and given where it is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from minibert import BertConfig
from minibert.tasks import Examples, QuestionAnswering, task_of
from tests.unit.cli.running import json_of, run
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer
from tests.unit.training.small_tasks import small_model

TOO_LONG = "longer than {} pieces, and no answer so long is ever given: max_answer_length={} would allow all of them"


def file_of(tmp_path: Path, *entries: tuple[str, list[str]] | tuple[str, list[str], int]) -> Path:
    """SQuAD's JSON: of each entry the context, the answers in it, and how far off their places are."""
    paragraphs = []
    for number, (context, texts, *off) in enumerate(entries):
        answers = [{"text": text, "answer_start": context.index(text) + sum(off)} for text in texts]
        entry = {"id": str(number), "question": "who ran", "answers": answers, "is_impossible": not texts}
        paragraphs.append({"context": context, "qas": [entry]})
    path = tmp_path / "questions.json"
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")
    return path


def scored(task: QuestionAnswering, path: Path, max_length: int = 128) -> tuple[dict[str, float], Examples]:
    """The scores of a model that is sure of the first true answer."""
    examples = task.read(path)
    encoded = task.encode(examples, tiny_tokenizer(), max_length)
    kept = []
    for row in encoded.rows:
        start, end = (torch.full((len(row["input_ids"]),), -9.0) for _ in range(2))
        start[row["start_positions"]] = end[row["end_positions"]] = 9.0
        kept.append((start, end))
    return task.score(encoded, kept, 0.0), examples


def words(number: int, *, first: str = "where") -> str:
    return " ".join([first, *["cat", "sat"] * number][:number])


@pytest.mark.parametrize(
    ("context", "answer", "pieces"),
    [
        (f"the dog ran . {words(31)} . the end", words(31), 31),
        (f"{words(45)} . the dog ran", words(45), 45),  # at the very beginning of the context
        (f"the dog ran {words(40)}", words(40), 40),  # at its end
        ("the dog ran " + "unables " * 15, ("unables " * 15).strip(), 45),  # 15 words of three pieces
        ("狗跑。" + "你" * 36 + "。", "你" * 36, 36),  # one word to the eye, a piece for each character
        ("the dog ran " + "cat, " * 16, ("cat, " * 16).strip(), 32),  # signs are pieces too
        (
            "the dog ran\n" + "cat \u200b " * 32 + "cat",
            "cat \u200b " * 32 + "cat",
            33,
        ),  # what has no piece counts for none
    ],
    ids=["one more", "at the beginning", "at the end", "pieces of words", "Chinese", "signs", "no pieces"],
)
class TestAnAnswerLongerThanAnyThatIsGiven:
    def test_it_is_counted_in_the_report_with_the_length_that_would_do(
        self, context: str, answer: str, pieces: int, tmp_path: Path
    ) -> None:
        scores, examples = scored(QuestionAnswering(stride=8), file_of(tmp_path, (context, [answer])))
        assert scores["exact_match"] == 0
        assert f"note: 1 × the answer is {TOO_LONG.format(30, pieces)}" in str(examples.report)

    def test_with_that_length_it_is_given_and_nothing_is_noted(
        self, context: str, answer: str, pieces: int, tmp_path: Path
    ) -> None:
        path = file_of(tmp_path, (context, [answer]))
        scores, examples = scored(QuestionAnswering(stride=8, max_answer_length=pieces), path)
        assert scores == {"exact_match": 1, "f1": 1}
        assert examples.report.noted == {}
        assert scored(QuestionAnswering(stride=8, max_answer_length=pieces - 1), path)[0]["exact_match"] == 0

    def test_it_is_learned_all_the_same(self, context: str, answer: str, pieces: int, tmp_path: Path) -> None:
        task, path = QuestionAnswering(stride=8), file_of(tmp_path, (context, [answer]))
        examples = task.read(path)
        [row] = task.encode(examples, tiny_tokenizer(), 128, training=True).rows
        assert row["end_positions"] - row["start_positions"] == pieces - 1
        assert "no answer so long is ever given" in str(examples.report)


class TestWhatIsNoLongAnswer:
    def test_thirty_pieces_can_be_given(self, tmp_path: Path) -> None:
        scores, examples = scored(QuestionAnswering(stride=8), file_of(tmp_path, (f"the {words(30)}", [words(30)])))
        assert (scores["exact_match"], examples.report.noted) == (1, {})

    def test_a_question_without_an_answer(self, tmp_path: Path) -> None:
        path = file_of(tmp_path, (words(60), []))
        scores, examples = scored(QuestionAnswering(stride=8, no_answer=True), path)
        assert (scores["exact_match"], examples.report.noted) == (1, {})

    def test_a_question_with_another_true_answer_that_is_short(self, tmp_path: Path) -> None:
        context = f"the mat . {words(50)}"
        examples = scored(QuestionAnswering(stride=8), file_of(tmp_path, (context, [words(50), "mat"])))[1]
        assert examples.report.noted == {}

    def test_an_answer_that_does_not_stand_at_its_place_is_left_out_and_not_counted_twice(self, tmp_path: Path) -> None:
        path = file_of(tmp_path, (f"the {words(50)}", [words(50)], 1), ("the dog ran", ["dog"]))
        examples = scored(QuestionAnswering(stride=8), path)[1]
        assert list(examples.report.left_out) == ["the answer is not at its answer_start"]
        assert examples.report.noted == {}


class TestQuestionsWithoutAnAnswer:
    NOTE = "it has no answer, but a model gives one unless it saw such questions in training"

    def test_a_model_that_never_saw_any_is_scored_on_them_with_a_note(self, tmp_path: Path) -> None:
        path = file_of(tmp_path, ("the dog ran", ["dog"]), ("cat sat", []), ("mat", []))
        scores, examples = scored(QuestionAnswering(stride=8), path)
        assert scores["exact_match"] == pytest.approx(1 / 3)
        assert {note: len(places) for note, places in examples.report.noted.items()} == {self.NOTE: 2}
        assert "read as questions: 1 with an answer, 2 without." in str(examples.report)

    def test_one_that_did_is_not_noted_nor_are_training_and_asking(self, tmp_path: Path) -> None:
        path = file_of(tmp_path, ("the dog ran", ["dog"]), ("the cat sat", []))
        task = QuestionAnswering(stride=8)
        assert scored(task.adapted_to(task.read(path)), path)[1].report.noted == {}
        for labelled, training in ((True, True), (False, False)):
            examples = task.read(path, labelled=labelled)
            task.encode(examples, tiny_tokenizer(), 128, training=training)
            assert examples.report.noted == {}


def test_the_longest_of_several_is_the_length_that_would_allow_all(tmp_path: Path) -> None:
    path = file_of(tmp_path, *[(f"the {words(n)}", [words(n)]) for n in (33, 40, 50, 2)])
    [(note, places)] = scored(QuestionAnswering(stride=8), path)[1].report.noted.items()
    assert "max_answer_length=50" in note
    assert len(places) == 3


def test_an_answer_that_no_window_holds_is_left_out_of_training_and_noted_where_it_is_scored(tmp_path: Path) -> None:
    path = file_of(tmp_path, (f"the {words(150)} the", [words(150)]), ("the dog ran", ["dog"]))
    task = QuestionAnswering(stride=8, max_answer_length=200)
    scores, examples = scored(task, path, max_length=90)
    assert scores["exact_match"] == 0.5
    note = "the answer is whole in no window of 90 pieces, so it is never given whole"
    assert list(examples.report.noted) == [note]
    training = task.read(path)
    task.encode(training, tiny_tokenizer(), 90, training=True)
    assert list(training.report.left_out) == ["the answer is whole in no window of 90 pieces"]


def test_of_several_true_answers_one_in_a_window_is_enough_to_be_scored(tmp_path: Path) -> None:
    path = file_of(tmp_path, (f"the {words(150)} the dog", [words(150), "dog"]))
    assert scored(QuestionAnswering(stride=8, max_answer_length=200), path, max_length=90)[1].report.noted == {}


@pytest.mark.parametrize("length", [0, -3])
def test_a_length_that_no_answer_has_is_refused_before_anything_is_trained(length: int, tmp_path: Path) -> None:
    task = QuestionAnswering(max_answer_length=length)
    examples = task.read(file_of(tmp_path, ("the dog ran", ["dog"])))
    with pytest.raises(ValueError, match=f"at least 1 piece; max_answer_length is {length}"):
        task.encode(examples, tiny_tokenizer(), 256, training=True)


class TestTheCommands:
    @pytest.mark.seconds
    def test_the_length_is_kept_with_the_model_and_can_be_given_to_eval_and_predict(self, tmp_path: Path) -> None:
        path = file_of(tmp_path, (f"the dog ran . {words(40)} .", [words(40)]), ("the cat sat", ["cat"]))
        model, out = small_model(tmp_path / "model"), tmp_path / "run"
        how = ("--epochs", "1", "--max-length", "96", "--stride", "8", "--max-answer-length", "35")
        files = ("--train", str(path), "--eval", str(path))
        printed = run("finetune", "qa", "--model", model, *files, "--out", str(out), *how)
        assert printed.exit_code == 0, printed.output
        assert printed.output.count(f"1 × the answer is {TOO_LONG.format(35, 40)}") == 2
        saved = str(out / "model")
        assert task_of(BertConfig.from_pretrained(saved), saved).max_answer_length == 35
        asked: dict[str, Any] = {}
        for length in (None, 2, 50):
            more = () if length is None else ("--max-answer-length", str(length))
            report = run("eval", "--model", saved, "--file", str(path), *more).output
            assert f"longer than {length or 35} pieces" in report or length == 50
            assert ("longer than" in report) == (length != 50)
            question = ("--question", "who ran", "--context", f"the dog ran . {words(40)} .")
            [asked[str(length)]] = json_of("predict", *question, "--model", saved, *more)["answers"]
        longest = {
            name: max(len(each["text"].split()) for each in answer["candidates"]) for name, answer in asked.items()
        }
        assert longest["2"] <= 2

    def test_another_length_does_not_go_on_with_a_run(self, tmp_path: Path) -> None:
        path = file_of(tmp_path, ("the dog ran .", ["dog"]), ("the cat sat", ["cat"]))
        words = (
            "finetune",
            "qa",
            "--model",
            small_model(tmp_path / "model"),
            "--train",
            str(path),
            "--eval",
            str(path),
        )
        how = ("--epochs", "1", "--max-length", "96", "--stride", "8", "--out", str(tmp_path / "run"))
        assert run(*words, *how).exit_code == 0
        refused = run(*words, *how, "--max-answer-length", "5")
        assert refused.exit_code != 0
        assert "holds another run" in refused.output + str(refused.exception)

    def test_it_is_refused_for_a_model_that_gives_no_answers(self, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        path.write_text("text,label\nthe cat,yes\nthe dog,no\n", encoding="utf-8")
        out = str(tmp_path / "run")
        files = ("--train", str(path), "--eval", str(path), "--out", out, "--epochs", "1")
        assert run("finetune", "classify", "--model", small_model(tmp_path / "model"), *files).exit_code == 0
        result = run("eval", "--model", f"{out}/model", "--file", str(path), "--max-answer-length", "9")
        assert result.exit_code != 0
        assert "was taught the task 'classify', which has no max_answer_length" in result.output + str(result.exception)
        result = run("eval", "--data", str(tmp_path), "--max-answer-length", "9")
        assert "--max-answer-length is for a --file of questions" in result.output
