"""Fine-tuning from broken files and with wrong wishes: one line that says what and where, or an account. Never silence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from course.samples import sample
from tests.unit.cli.running import run
from tests.unit.tiny_bert import BUNDLED
from tests.unit.training.small_tasks import command, small_model

FAST = ("--epochs", "1", "--batch-size", "8")
FILES = {
    "classify": "t.csv",
    "tag": "t.conll",
    "qa": "t.json",
    "choose": "t.csv",
    "nsp": "t.txt",
    "mlm": "t.txt",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_model(tmp_path_factory.mktemp("small") / "model")


@pytest.fixture(scope="module")
def classifier(model: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("run")
    assert run(*command("classify", sample("reviews.csv"), model, out, *FAST)).exit_code == 0
    return str(out / "model")


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def refusal(*arguments: str) -> str:
    """The one line with which a command refuses, with exit code 1."""
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    return result.stderr.removeprefix("Error: ").rstrip()


def squad(folder: Path, context: str, *answers: tuple[str, int]) -> Path:
    """A SQuAD file with a question for each (answer, where it begins)."""
    questions = [
        {"id": str(i), "question": "who sat?", "answers": [{"text": text, "answer_start": start}]}
        for i, (text, start) in enumerate(answers)
    ]
    whole = {"data": [{"paragraphs": [{"context": context, "qas": questions}]}]}
    return write(folder, "t.json", json.dumps(whole))


class TestFiles:
    @pytest.mark.parametrize("kind", FILES)
    def test_an_empty_file_is_called_empty(self, kind: str, model: str, tmp_path: Path) -> None:
        path = write(tmp_path, FILES[kind], "")
        assert refusal(*command(kind, path, model, tmp_path / "run", *FAST)) == f"'{path}' is empty."
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize(
        ("kind", "name", "content", "line", "complaint"),
        [
            ("classify", "t.csv", "text,label\na,b\na,b,c\n", 3, "3 values for the 2 columns"),
            ("classify", "t.csv", 'text,label\na,b\n"a,b\n', 3, "not CSV"),
            ("classify", "t.jsonl", '{"text": "a", "label": "b"}\n{"text": "a"\n', 2, "not JSON"),
            ("classify", "t.csv", "text,label\na,\n", 2, "'label' must name one label"),
            ("tag", "t.conll", "the\tO\ncat\n", 2, "1 columns where the file began with 2"),
            ("tag", "t.jsonl", '{"words": ["the", "cat"], "tags": ["O"]}\n', 1, "2 words and 1 tags"),
            ("choose", "t.csv", "sent1,ending0,ending1,label\na,b,c,2\n", 2, "'label' must be 0 to 1"),
            ("qa", "t.json", '{"data": [}', 1, "not JSON"),
        ],
    )
    def test_a_broken_line_is_named_by_file_and_number(
        self, kind: str, name: str, content: str, line: int, complaint: str, model: str, tmp_path: Path
    ) -> None:
        path = write(tmp_path, name, content)
        error = refusal(*command(kind, path, model, tmp_path / "run", *FAST))
        assert error.startswith(f"'{path}', line {line}: ")
        assert complaint in error

    def test_a_label_that_training_does_not_have_is_named_with_its_place(self, model: str, tmp_path: Path) -> None:
        train = write(tmp_path, "train.csv", "text,label\nthe cat,good\nthe dog,bad\n")
        test = write(tmp_path, "test.csv", "text,label\nthe mat,good\nthe cat,awful\n")
        words = command("classify", train, model, tmp_path / "run", *FAST, "--eval", str(test))
        assert refusal(*words) == (
            f"'{test}', line 3: the label 'awful' is missing from the training data, which has 2: 'bad', 'good'."
        )

    def test_a_tag_that_training_does_not_have_is_named_with_its_place(self, model: str, tmp_path: Path) -> None:
        train = write(tmp_path, "train.conll", "the\tO\ncat\tB-animal\n")
        test = write(tmp_path, "test.conll", "the\tO\n\nmat\tB-thing\n")
        words = command("tag", train, model, tmp_path / "run", *FAST, "--eval", str(test))
        assert refusal(*words).startswith(f"'{test}', line 3: the label 'B-thing' is missing from the training data")

    def test_one_label_is_nothing_to_tell_apart(self, model: str, tmp_path: Path) -> None:
        path = write(tmp_path, "t.csv", "text,label\nthe cat,good\nthe dog,good\n")
        assert "nothing to tell apart" in refusal(*command("classify", path, model, tmp_path / "run", *FAST))

    def test_an_answer_that_is_not_in_its_context_is_left_out_and_counted(self, model: str, tmp_path: Path) -> None:
        path = squad(tmp_path, "the cat sat on the mat", ("cat", 4), ("dog", 0), ("mat", 0))
        result = run(*command("qa", path, model, tmp_path / "run", *FAST, "--stride", "8"))
        assert result.exit_code == 0, result.output
        assert f"'{path}': 1 of 3 examples used." in result.output
        assert "1 × the answer is not in its context (data[0].paragraphs[0].qas[1])" in result.output
        assert "1 × the answer is not at its answer_start (data[0].paragraphs[0].qas[2])" in result.output

    def test_a_file_of_which_nothing_is_left_is_refused_with_the_reasons(self, model: str, tmp_path: Path) -> None:
        path = squad(tmp_path, "the cat sat", ("dog", 0))
        error = refusal(*command("qa", path, model, tmp_path / "run", *FAST, "--stride", "8"))
        assert error.startswith(
            f"'{path}' has no example that can be used. Left out: 1 × the answer is not in its context"
        )

    @pytest.mark.slow
    def test_a_context_of_ten_thousand_words_is_read_in_windows(self, model: str, tmp_path: Path) -> None:
        context = "the cat sat on the mat " * 1666 + "and the dog ran away"
        path = squad(tmp_path, context, ("dog", context.index("dog")))
        words = command("qa", path, model, tmp_path / "run", "--epochs", "1", "--batch-size", "64", "--stride", "8")
        result = run(*words)
        assert result.exit_code == 0, result.output
        assert "1 of 1 examples used" in result.output

    def test_an_answer_longer_than_every_window_is_left_out_and_counted(self, model: str, tmp_path: Path) -> None:
        context = "the cat sat on the mat " * 20
        path = squad(tmp_path, context, (context.strip(), 0), ("cat", 4))
        result = run(*command("qa", path, model, tmp_path / "run", *FAST, "--stride", "8"))
        assert "1 of 2 examples used." in result.output
        assert "1 × the answer is whole in no window of 96 pieces" in result.output

    def test_text_of_unknown_words_has_nothing_to_hide(self, model: str, tmp_path: Path) -> None:
        path = write(tmp_path, "t.txt", "猫 犬\n\n鳥\n")
        error = refusal(*command("mlm", path, model, tmp_path / "run", *FAST))
        assert error.startswith(f"'{path}' has no example that can be used. Left out: 2 × there is no known word in it")

    def test_a_missing_column_is_named_beside_those_there_are(self, model: str, tmp_path: Path) -> None:
        words = command("classify", sample("reviews.csv"), model, tmp_path / "run", *FAST, "--text", "body")
        assert "there is no column 'body' (columns: text, label)" in refusal(*words)


class TestWishes:
    def test_more_pieces_than_positions(self, model: str, tmp_path: Path) -> None:
        words = command("classify", sample("reviews.csv"), model, tmp_path / "run", *FAST, "--max-length", "500")
        assert refusal(*words) == "--max-length is 500; the model has 128 positions, so choose 3 to 128."

    def test_a_stride_without_room(self, model: str, tmp_path: Path) -> None:
        words = command("qa", sample("questions.json"), model, tmp_path / "run", *FAST)
        assert "Choose a larger max_length or a smaller stride" in refusal(*words)

    def test_a_model_that_is_not_there(self, tmp_path: Path) -> None:
        missing = str(tmp_path / "nowhere")
        words = command("classify", sample("reviews.csv"), missing, tmp_path / "run", *FAST)
        assert refusal(*words).startswith(f"{missing}: no such folder.")

    def test_a_rate_so_high_that_the_loss_is_no_number(self, model: str, tmp_path: Path) -> None:
        words = command("classify", sample("similarity.csv"), model, tmp_path / "run", "--epochs", "9", "--lr", "1e38")
        error = refusal(
            *words, "--labels", "number", "--warmup", "0"
        )  # the first evaluation comes after the first step
        assert re.match(r"The loss on the evaluation examples is (nan|inf)\. Try a lower learning rate", error)
        error = refusal(*words, "--labels", "number", "--warmup", "0", "--evaluate-every", "5")
        assert re.match(r"The (loss|gradient) of step \d is (nan|inf)\. Try a lower learning rate", error)

    def test_another_run_in_the_folder(self, model: str, tmp_path: Path) -> None:
        words = command("choose", sample("endings.csv"), model, tmp_path / "run", *FAST)
        assert run(*words).exit_code == 0
        assert "holds another run: it has lr=0.001, this one lr=0.1." in refusal(*words, "--lr", "0.1")

    def test_a_kind_of_task_that_does_not_exist(self) -> None:
        result = run("finetune", "translate")
        assert result.exit_code == 2
        assert "No such command 'translate'" in result.stderr

    def test_a_head_with_another_number_of_labels_starts_anew_and_it_is_said(
        self, classifier: str, tmp_path: Path
    ) -> None:
        path = write(tmp_path, "t.csv", "text,label\nthe cat,a\nthe dog,b\nthe mat,c\n")
        result = run(*command("classify", path, classifier, tmp_path / "run", *FAST))
        assert result.exit_code == 0, result.output
        assert "Newly initialised, to be trained: classifier.weight, classifier.bias." in result.output
        same = run(*command("classify", sample("reviews.csv"), classifier, tmp_path / "same", *FAST))
        assert "New" not in same.output


class TestAsking:
    @pytest.mark.parametrize(
        "arguments",
        [
            ([]),
            (["--second", "b"]),
            (["a", "b", "--second", "c"]),
            (["--question", "who?", "--context", "the cat"]),
            (["a", "--choice", "b", "--choice", "c"]),
        ],
    )
    def test_what_the_model_was_not_taught_is_answered_with_what_it_was(
        self, arguments: list[str], classifier: str
    ) -> None:
        error = refusal("predict", *arguments, "--model", classifier)
        assert error == "This model labels texts: give TEXT (with --second for a pair), or --file."

    def test_an_empty_text(self, classifier: str) -> None:
        assert refusal("predict", "  ", "--model", classifier).startswith("A text is empty")

    def test_a_text_beside_a_file(self, classifier: str) -> None:
        error = refusal("predict", "a", "--file", str(sample("reviews.csv")), "--model", classifier)
        assert error.startswith("--file brings all there is to ask")

    def test_a_model_that_was_taught_nothing(self) -> None:
        error = refusal("predict", "a", "--model", BUNDLED)
        assert error.startswith(f"'{BUNDLED}' is a BertForPreTraining, which was taught no task. Fine-tune it first")

    def test_a_head_without_weights(self, classifier: str, tmp_path: Path) -> None:
        folder = tmp_path / "body"
        small_model(folder)
        config = json.loads((Path(classifier) / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        error = refusal("predict", "a", "--model", str(folder))
        assert "classifier.weight, classifier.bias of its head are not in the checkpoint" in error

    def test_a_model_of_hidden_words_is_asked_otherwise(self, model: str, tmp_path: Path) -> None:
        assert run(*command("mlm", sample("sentences.txt"), model, tmp_path / "run", *FAST)).exit_code == 0
        error = refusal("predict", "the [MASK]", "--model", str(tmp_path / "run" / "model"))
        assert "minibert fill-mask TEXT" in error

    def test_a_file_of_another_task_is_measured_by_nobody(self, classifier: str) -> None:
        file = sample("questions.json")
        error = refusal("eval", "--model", classifier, "--file", str(file))
        assert error.startswith(f"'{file}' ends in '.json', so how to read it is not known.")

    def test_labels_that_the_model_does_not_know(self, classifier: str, tmp_path: Path) -> None:
        path = write(tmp_path, "t.csv", "text,label\nthe cat,good\n")
        error = refusal("eval", "--model", classifier, "--file", str(path))
        assert error.startswith(f"'{path}', line 2: the label 'good' is missing from the training data")
