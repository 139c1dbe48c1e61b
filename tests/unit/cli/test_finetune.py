"""`minibert finetune`, `eval --file` and `predict`: from a file of examples to answers, for every head."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from course.samples import sample
from minibert import BertConfig
from minibert.training import TrainedModel
from tests.unit.cli.running import json_of, output_of, run
from tests.unit.training.small_tasks import command, small_model

FAST = ("--lr", "5e-3", "--batch-size", "8", "--epochs")
TRAININGS = {
    "reviews": ("classify", "reviews.csv", "30"),
    "pairs": ("classify", "paraphrases.tsv", "1"),
    "topics": ("classify", "topics.jsonl", "1", "--labels", "multi"),
    "similarity": ("classify", "similarity.csv", "1", "--labels", "number"),
    "entities": ("tag", "entities.conll", "20"),
    "questions": ("qa", "questions.json", "1", "--stride", "16"),
    "endings": ("choose", "endings.csv", "1"),
    "next": ("nsp", "sentences.txt", "1"),
    "words": ("mlm", "sentences.txt", "2"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """Every kind of task, trained by its command on its sample: the run's folder and what the command printed."""
    folder = tmp_path_factory.mktemp("runs")
    model = small_model(folder / "model", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    done = {}
    for name, (kind, file, epochs, *more) in TRAININGS.items():
        words = command(kind, sample(file), model, folder / name, *FAST, epochs, *more)
        done[name] = (folder / name, output_of(*words))
    return done


def model_of(runs: dict[str, tuple[Path, str]], name: str) -> str:
    return str(runs[name][0] / "model")


class TestFinetune:
    @pytest.mark.seconds
    @pytest.mark.parametrize("name", TRAININGS)
    def test_a_run_says_what_it_used_and_ends_with_a_table_and_a_model(self, name: str, runs) -> None:
        folder, output = runs[name]
        assert re.search(r"'.*': (\d+) of \1 examples used\.", output)
        assert re.search(r"^ *step +loss", output, re.MULTILINE)
        assert len(re.findall(r" best$", output, re.MULTILINE)) == 1
        assert f"is in {folder / 'model'}." in output
        assert (folder / "model" / "vocab.txt").is_file()

    def test_the_best_model_names_its_labels(self, runs) -> None:
        config = BertConfig.from_pretrained(model_of(runs, "reviews"))
        assert config.id2label == {0: "negative", 1: "positive"}
        assert config.problem_type == "single_label_classification"
        assert config.architectures == ["BertForSequenceClassification"]

    def test_the_same_command_again_has_nothing_left_to_do(self, tmp_path: Path) -> None:
        model = small_model(tmp_path / "model")
        words = command("choose", sample("endings.csv"), model, tmp_path / "run", *FAST, "1")
        output_of(*words)
        before = (tmp_path / "run" / "model" / "model.safetensors").read_bytes()
        assert "Going on from step 2." in output_of(*words)
        assert (tmp_path / "run" / "model" / "model.safetensors").read_bytes() == before

    def test_another_kind_of_labels_is_another_run(self, tmp_path: Path) -> None:
        path = tmp_path / "table.csv"
        path.write_text("text,label\nthe cat,1\nthe dog,0\na cat,1\na dog,0\n", encoding="utf-8")
        words = command("classify", path, small_model(tmp_path / "model"), tmp_path / "run", *FAST, "1")
        output_of(*words)
        for kind in ("multi", "number"):
            assert "holds another run" in run(*words, "--labels", kind).output

    def test_columns_can_have_other_names_and_the_model_remembers_them(self, tmp_path: Path) -> None:
        model = small_model(tmp_path / "model")
        path = tmp_path / "table.csv"
        path.write_text("verdict,body\nyes,the cat\nno,the dog\nyes,a cat\nno,a dog\n", encoding="utf-8")
        words = command("classify", path, model, tmp_path / "run", *FAST, "1", "--text", "body", "--label", "verdict")
        output_of(*words)
        figures = json.loads(run("eval", "--model", str(tmp_path / "run/model"), "--file", str(path), "--json").stdout)
        assert set(figures) == {"loss", "accuracy", "macro_f1"}

    @pytest.mark.parametrize(
        ("name", "more"), [("entities", "recall"), ("reviews", "macro_f1"), ("words", "perplexity")]
    )
    def test_the_score_that_chooses_is_said_and_can_be_chosen(self, name: str, more: str, tmp_path: Path, runs) -> None:
        kind, file, *_ = TRAININGS[name]
        usual = {"entities": "entity_f1", "reviews": "accuracy", "words": "loss"}[name]
        assert f"The best model is chosen by {usual} on '" in runs[name][1]
        words = command(kind, sample(file), small_model(tmp_path / "model"), tmp_path / "run", *FAST, "1")
        assert f"The best model is chosen by {more} on '" in output_of(*words, "--select", more)
        assert "holds another run" in run(*words, "--select", "loss").output  # saved with the run

    @pytest.mark.parametrize("name", TRAININGS)
    def test_an_unknown_score_is_answered_with_those_that_there_are(self, name: str, tmp_path: Path, runs) -> None:
        kind, file, _, *more = TRAININGS[name]
        words = command(kind, sample(file), model_of(runs, name), tmp_path / "run", *FAST, "1", *more)
        result = run(*words, "--select", "bleu")
        assert result.exit_code == 1
        log = [json.loads(line) for line in (runs[name][0] / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        measured = {key.removeprefix("evaluation_") for line in log for key in line if key.startswith("evaluation_")}
        listed = re.search(r"has the scores ([\w, ]+)\.", result.output)
        assert listed
        assert set(listed[1].split(", ")) == measured

    def test_a_curve_is_drawn_where_there_is_something_to_draw_with(self, runs) -> None:
        folder, output = runs["reviews"]
        can_draw = importlib.util.find_spec("matplotlib") is not None
        assert (folder / "curve.png").is_file() == can_draw
        assert ("pip install 'minibert-pytorch[plots]'" in output) != can_draw

    def test_the_help_of_every_kind_shows_the_recipe(self) -> None:
        for kind in ("classify", "tag", "qa", "choose", "nsp", "mlm", "clm"):
            text = output_of("finetune", kind, "--help")
            assert text.startswith(f"Usage: minibert finetune {kind} [OPTIONS]")
            for option in ("--model", "--train", "--eval", "--out", "--epochs", "--batch-size", "--lr", "--warmup"):
                assert option in text
            assert f"minibert finetune {kind} --train" in text


class TestEval:
    @pytest.mark.parametrize(
        ("name", "scores"),
        [
            ("reviews", {"accuracy", "macro_f1"}),
            ("topics", {"micro_f1", "macro_f1", "accuracy"}),
            ("similarity", {"pearson", "spearman"}),
            ("entities", {"entity_f1", "precision", "recall", "accuracy"}),
            ("questions", {"f1", "exact_match"}),
            ("endings", {"accuracy"}),
            ("next", {"accuracy"}),
            ("words", {"accuracy", "perplexity"}),
        ],
    )
    def test_a_model_scores_as_it_did_in_its_run(self, name: str, scores: set[str], runs) -> None:
        file = str(sample(TRAININGS[name][1]))
        # 16 rows as in the run: padding takes part in the softmax over positions, so a loss of questions depends on the batch
        result = run("eval", "--model", model_of(runs, name), "--file", file, "--rows", "16", "--json")
        assert result.exit_code == 0, result.output
        assert "examples used" in result.stderr
        figures = json.loads(result.stdout)
        assert set(figures) == {"loss", *scores}
        log = [json.loads(line) for line in (runs[name][0] / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        best = [line["evaluation_loss"] for line in log if "evaluation_loss" in line]
        assert min(abs(figures["loss"] - loss) for loss in best) < 1e-5

    def test_without_json_there_is_a_line_for_each_figure(self, runs) -> None:
        lines = output_of(
            "eval", "--model", model_of(runs, "endings"), "--file", str(sample("endings.csv"))
        ).splitlines()
        assert lines[0].endswith("16 of 16 examples used.")
        assert lines[1].startswith("  read as contexts: sent1 + sent2; 4 endings: ")
        assert [line.split()[0] for line in lines[2:]] == ["loss", "accuracy"]

    def test_one_of_data_and_file_is_needed(self, tmp_path: Path) -> None:
        for words in (["eval"], ["eval", "--data", str(tmp_path), "--file", str(sample("endings.csv"))]):
            result = run(*words)
            assert result.exit_code == 2
            assert "Give either --data" in result.stderr


class TestPredict:
    def test_a_table_of_words_and_tags_is_not_read_as_texts(self, tmp_path: Path, runs) -> None:
        table = tmp_path / "words.txt"
        table.write_text(sample("entities.conll").read_text(encoding="utf-8"), encoding="utf-8")
        refused = run("predict", "--file", str(table), "--model", model_of(runs, "entities"))
        assert refused.exit_code == 1
        assert "every line ends in a tag of this model: name it .conll if it holds a word a line" in refused.output

    def test_labels_have_probabilities(self, runs) -> None:
        text = "The soup was hot, the bread was fresh, and nobody hurried us."
        answers = json_of("predict", text, "again", "--model", model_of(runs, "reviews"))["answers"]
        assert len(answers) == 2
        assert (answers[0]["text"], answers[0]["label"]) == (text, "positive")
        assert sum(answers[0]["probabilities"].values()) == pytest.approx(1)
        table = output_of("predict", text, "--model", model_of(runs, "reviews"), "--top-k", "1").splitlines()
        assert table[0].split() == ["text", "label", "probability"]
        assert "positive" in table[2]
        assert len(table) == 3

    def test_a_pair_is_a_text_and_its_second(self, runs) -> None:
        model = model_of(runs, "pairs")
        answer = json_of("predict", "It rained.", "--second", "It was dry.", "--model", model)["answers"][0]
        assert (answer["text"], answer["text_pair"]) == ("It rained.", "It was dry.")
        assert answer["label"] in ("same", "different")

    def test_several_labels_are_those_above_one_half(self, runs) -> None:
        answer = json_of("predict", "Rain and wind.", "--model", model_of(runs, "topics"))["answers"][0]
        assert set(answer["labels"]) == {name for name, share in answer["probabilities"].items() if share > 0.5}
        assert "label" in output_of("predict", "Rain and wind.", "--model", model_of(runs, "topics"))

    def test_a_number_is_a_number(self, runs) -> None:
        words = ("predict", "A boy.", "--second", "A girl.", "--model", model_of(runs, "similarity"))
        value = json_of(*words)["answers"][0]["value"]
        assert f"{value:.3f}" in output_of(*words)

    def test_entities_are_grouped(self, runs) -> None:
        text = "Marta  Lindqvist opened a bakery in Uppsala."
        words = ("predict", text, "--model", model_of(runs, "entities"))
        answer = json_of(*words)["answers"][0]
        assert answer["words"] == ["Marta", "Lindqvist", "opened", "a", "bakery", "in", "Uppsala", "."]
        assert len(answer["tags"]) == len(answer["probabilities"]) == 8
        for entity in answer["entities"]:
            assert answer["tags"][entity["start"]].endswith(entity["type"])
            begin, end = entity["characters"]
            assert entity["text"] == text[begin:end]
            assert text[begin:end].split() == answer["words"][entity["start"] : entity["end"]]
            assert entity["probability"] == min(answer["probabilities"][entity["start"] : entity["end"]])
        assert answer["entities"]  # learned by heart
        assert "entity" in output_of(*words)

    def test_an_answer_has_its_place_and_score(self, runs) -> None:
        context = "One evening a stranger came and asked for the key."
        words = ("predict", "--question", "Who came?", "--context", context, "--model", model_of(runs, "questions"))
        answer = json_of(*words)["answers"][0]
        for candidate in answer["candidates"]:
            assert candidate["text"] == context[candidate["start"] : candidate["end"]]
        scores = [candidate["score"] for candidate in answer["candidates"]]
        assert scores == sorted(scores, reverse=True)
        assert len(output_of(*words, "--top-k", "2").splitlines()) == 4

    @pytest.mark.slow
    def test_a_context_of_ten_thousand_words_is_read_in_windows(self, runs) -> None:
        context = "the cat sat on the mat . " * 1430 + "The dog ran away."
        words = ("predict", "--question", "Who ran?", "--context", context, "--model", model_of(runs, "questions"))
        assert json_of(*words)["answers"][0]["candidates"]

    def test_an_ending_is_chosen(self, runs) -> None:
        words = ("predict", "The lid is open.", "--choice", "Steam rises.", "--choice", "It barks.")
        answer = json_of(*words, "--model", model_of(runs, "endings"))["answers"][0]
        assert answer["ending"] == ("Steam rises.", "It barks.")[answer["choice"]]
        assert sum(each["probability"] for each in answer["endings"]) == pytest.approx(1)
        assert "Steam rises." in output_of(*words, "--model", model_of(runs, "endings"))

    def test_a_next_sentence_is_probable_or_not(self, runs) -> None:
        words = ("predict", "It rained.", "--second", "We got wet.", "--model", model_of(runs, "next"))
        answer = json_of(*words)["answers"][0]
        assert answer["label"] == ("next" if answer["probability"] >= 0.5 else "random")
        assert "We got wet." in output_of(*words)

    @pytest.mark.parametrize(
        ("name", "count"), [("reviews", 24), ("entities", 23), ("questions", 24), ("endings", 16), ("similarity", 16)]
    )
    def test_a_whole_file_is_answered_and_counted(self, name: str, count: int, runs) -> None:
        file = str(sample(TRAININGS[name][1]))
        result = run("predict", "--file", file, "--model", model_of(runs, name), "--json")
        assert result.exit_code == 0, result.output
        answers = json.loads(result.stdout)["answers"]
        assert len(answers) == count
        items = TrainedModel.open(model_of(runs, name)).task.read(Path(file), labelled=False).items
        assert [each["location"] for each in answers] == [each.location for each in items]
        assert f"{count} of {count} examples used." in result.stderr

    def test_an_examples_answer_can_be_found_although_another_has_none(self, runs, tmp_path: Path) -> None:
        path = tmp_path / "texts.csv"
        path.write_text("text,label\nthe cat sat,\n,positive\nthe dog ran,\n", encoding="utf-8")
        found = json.loads(run("predict", "--file", str(path), "--model", model_of(runs, "reviews"), "--json").stdout)
        assert [each["text"] for each in found["answers"]] == ["the cat sat", "the dog ran"]
        assert [each["location"] for each in found["answers"]] == [f"'{path}', line {line}" for line in (2, 4)]
        [where] = found["left_out"].values()
        assert where == [f"'{path}', line 3"]

    @pytest.mark.parametrize("name", ["reviews", "entities"])
    def test_a_text_file_has_a_text_a_line(self, name: str, runs, tmp_path: Path) -> None:
        path = tmp_path / "texts.txt"
        path.write_text("the cat sat\n\nthe dog ran\n", encoding="utf-8")
        result = run("predict", "--file", str(path), "--model", model_of(runs, name), "--json")
        answers = json.loads(result.stdout)["answers"]
        assert [each["location"] for each in answers] == [f"'{path}', line {line}" for line in (1, 3)]
        assert "2 of 2 examples used." in result.stderr

    def test_what_was_cut_is_said_beside_the_answer(self, runs) -> None:
        result = run("predict", "the cat " * 80, "--model", model_of(runs, "reviews"))
        assert result.exit_code == 0
        assert "1 × text cut to 96 pieces (text 1)" in result.stderr

    def test_words_are_filled_in_by_another_command(self, runs) -> None:
        output_of("fill-mask", "the [MASK] sat", "--model", model_of(runs, "words"))


class TestPublishedTags:
    """Files of tags as they are published, from training to answers."""

    @pytest.mark.seconds
    @pytest.mark.parametrize(
        ("name", "content", "more", "tags"),
        [
            (
                "a.conllu",
                "# text = the cat\n1\tthe\t_\tDET\t" + "_\t" * 5 + "_\n2\tcat\t_\tNOUN\t" + "_\t" * 5 + "_\n",
                (),
                {"DET", "NOUN"},
            ),
            ("b.csv", "Sentence #,Word,POS,Tag\nSentence: 1,the,DT,O\n,cat,NN,B-animal\n", (), {"O", "B-animal"}),
            ("c.json", '[{"tokens": ["the", "cat"], "ner_tags": ["O", "U-animal"]}]', (), {"O", "U-animal"}),
            ("d.tsv", "#\tsource\n1\tthe\tO\tO\n2\tcat\tB-animal\tO\n", (), {"O", "B-animal"}),
            ("e.bio", "the\tDT\tO\rcat\tNN\tB-animal\r", ("--tag", "2"), {"DT", "NN"}),
            ("f.conll", "DT the O\nNN cat B\n", ("--columns", "pos,form,bio"), {"O", "B"}),
            ("g.tsv", "Wort\tWortart\nthe\tDT\ncat\tNN\n", ("--word", "Wort", "--tag", "Wortart"), {"DT", "NN"}),
        ],
    )
    def test_a_file_trains_and_asks(
        self, name: str, content: str, more: tuple[str, ...], tags: set[str], tmp_path
    ) -> None:
        file = tmp_path / name
        file.write_text(content, encoding="utf-8", newline="")
        words = command("tag", file, small_model(tmp_path / "model"), tmp_path / "run", *FAST, "1", *more)
        assert "read as sentences: 1, words: 2; 2 tags: " in output_of(*words)
        model = str(tmp_path / "run" / "model")
        assert set(BertConfig.from_pretrained(model).label2id) == tags
        [answer] = json.loads(run("predict", "--file", str(file), "--model", model, "--json").stdout)["answers"]
        assert answer["words"] == ["the", "cat"]
        assert ("entities" in answer) == ("O" in tags)
        assert run("eval", "--file", str(file), "--model", model).exit_code == 0  # the columns are remembered
