"""Fine-tuning: every head learns its task; runs stop, go on and end as they should."""

from __future__ import annotations

import gc
import math
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist

from minibert import BertConfig, BertForMaskedLM, BertForQuestionAnswering, BertModel
from minibert.tasks import (
    TASKS,
    Answer,
    Classification,
    Examples,
    MaskedWords,
    Question,
    QuestionAnswering,
    Report,
    TaggedSentence,
    Tagging,
    task_of,
)
from minibert.training import distributed
from minibert.training.distributed import Processes, join_processes
from minibert.training.finetuning import FineTuning, FineTuningRecipe, finetune, open_task
from minibert.training.loop import LoopOptions, better
from minibert.training.prediction import row_length
from minibert.training.run_files import read_log, results_table
from tests.forks import Fork, company, minibert
from tests.unit.tiny_bert import same_weights
from tests.unit.training.small_run import log_of, start
from tests.unit.training.small_tasks import ALONE, QUIET, RECIPE, SAMPLE_TASKS, command, small_model, task_and_file


@pytest.fixture
def model(tmp_path: Path) -> str:
    return small_model(tmp_path / "model", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def opened(name: str, model: str, recipe: FineTuningRecipe = RECIPE, processes: Processes = ALONE) -> FineTuning:
    """Ready to be trained on its sample."""
    task, path = task_and_file(name)
    examples = task.read(path)
    return open_task(task.adapted_to(examples), model, examples, task.read(path), recipe, processes, QUIET)


# Random weights, two layers of 32: what falls so far has been learned by heart. Several labels and hidden words take longer.
LEARNED = {"several labels": 0.75, "hidden words": 0.75, "the next word": 0.75}
LONG = ("questions", "choices", "next sentences", "tags")
SLOW = (pytest.mark.slow,)
PACE = {"several labels": {"epochs": 40, "batch_size": 4, "lr": 1e-2}, "questions": {"epochs": 40}}


class TestLearning:
    @pytest.mark.seconds
    @pytest.mark.parametrize("name", [pytest.param(name, marks=SLOW * (name in LONG)) for name in SAMPLE_TASKS])
    def test_every_head_learns_its_sample(self, name: str, model: str, tmp_path: Path) -> None:
        task, path = task_and_file(name)
        start = opened(name, model).evaluate()["loss"]
        recipe = replace(RECIPE, evaluate_every=10_000, **{"epochs": 30, **PACE.get(name, {})})
        _, best = finetune(task, model, path, path, recipe, tmp_path / "out", ALONE, say=QUIET)
        assert best["loss"] < LEARNED.get(name, 0.5) * start

    @pytest.mark.parametrize("name", SAMPLE_TASKS)
    def test_the_kind_of_a_trained_model_is_found_again(self, name: str, model: str, tmp_path: Path) -> None:
        trained = opened(name, model)
        trained.save_model(tmp_path / "saved", trained.model.state_dict())
        config = BertConfig.from_pretrained(tmp_path / "saved")
        assert task_of(config, "saved") == trained.task
        assert config.task_specific_params["minibert"]["max_length"] == 96

    def test_there_is_a_kind_for_every_name(self) -> None:
        assert [task.name for task in TASKS] == ["classify", "tag", "qa", "choose", "nsp", "mlm", "clm"]

    def test_a_model_trained_elsewhere_is_known_by_its_class(self) -> None:
        config = BertConfig(architectures=["BertForQuestionAnswering"])
        assert task_of(config, "theirs") == QuestionAnswering()
        number = BertConfig(architectures=["BertForSequenceClassification"], num_labels=1)
        assert task_of(number, "theirs").problem_type == "regression"

    def test_a_model_without_a_task_is_told_what_to_do(self) -> None:
        with pytest.raises(ValueError, match=r"'body' is a BertModel, which was taught no task\. Fine-tune it first"):
            task_of(BertConfig(architectures=["BertModel"]), "body")
        with pytest.raises(ValueError, match="does not say what it is"):
            task_of(BertConfig(), "body")


class TestSteps:
    def test_the_gradient_is_that_of_the_heads_own_loss(self, model: str) -> None:
        trained, other = opened("one label", model), opened("one label", model)
        figures = trained.backward(3, trained.batch(3))
        batch = other.batch(3)
        loss = other.model(**batch).loss
        loss.backward()
        assert other.share(3, batch) == 1.0
        assert figures == {"loss": loss.item()}
        for (name, ours), theirs in zip(trained.model.named_parameters(), other.model.parameters(), strict=True):
            assert torch.equal(ours.grad, theirs.grad), name

    def test_nothing_but_the_model_draws_from_the_generator(self, tmp_path: Path) -> None:
        dropout = small_model(tmp_path / "dropout")
        for name in SAMPLE_TASKS:
            trained = opened(name, dropout)
            trained.module.train()
            before = torch.get_rng_state()
            trained.evaluate()
            trained.batch(1)
            assert torch.equal(torch.get_rng_state(), before), name
            assert trained.module.training

    def test_hidden_words_change_with_the_step_and_come_back_with_it(self, model: str) -> None:
        trained = opened("hidden words", model, replace(RECIPE, batch_size=100))  # all of them in each step
        first, again, second = trained.batch(1), trained.batch(1), trained.batch(2)
        assert torch.equal(first["input_ids"], again["input_ids"])
        assert sorted(first["input_ids"].tolist()) != sorted(second["input_ids"].tolist())
        scored = [trained.evaluation[0, (0, step, 0)] for step in (1, 2)]
        assert scored[0] == scored[1]

    @pytest.mark.seconds
    @pytest.mark.parametrize(
        ("name", "size"),
        [("one label", 2), ("one label", 20), ("tags", 2), ("tags", 3), ("hidden words", 3), ("hidden words", 9)],
    )
    def test_the_shares_of_several_processes_make_the_gradient_of_one(self, name: str, size: int, model: str) -> None:
        alone = opened(name, model)
        alone.backward(1, alone.batch(1))
        step_weight = alone.task.label_count(alone.batch(1))
        total = [torch.zeros_like(parameter) for parameter in alone.model.parameters()]
        for rank in range(size):
            part = opened(name, model)
            part.processes = Company(rank, size, torch.device("cpu"), whole=step_weight)
            part.backward(1, part.batch(1))
            for sums, parameter in zip(total, part.model.parameters(), strict=True):
                sums += (parameter.grad if parameter.grad is not None else 0) / size
        for sums, parameter in zip(total, alone.model.parameters(), strict=True):
            expected = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
            torch.testing.assert_close(sums, expected, rtol=1e-4, atol=1e-5)

    def test_a_recipe_that_makes_no_sense(self) -> None:
        with pytest.raises(ValueError, match="epochs is 0"):
            FineTuningRecipe(epochs=0)
        with pytest.raises(ValueError, match=r"warmup is 500; it is a share"):
            FineTuningRecipe(warmup=500)
        with pytest.raises(ValueError, match="float32 or bfloat16"):
            FineTuningRecipe(precision="float16")
        with pytest.raises(ValueError, match="max_length is 500; the model has 128 positions"):
            row_length(Tagging(), 128, 500)

    def test_the_usual_length_is_what_the_model_has_room_for(self) -> None:
        assert row_length(QuestionAnswering(), 256, None) == 256
        assert row_length(QuestionAnswering(), 512, None) == 384


class Company(Processes):
    """Processes that know the sum over all processes without them: the weight of the whole batch, and one's own loss."""

    def __init__(self, rank: int, size: int, device: torch.device, whole: int):
        super().__init__(rank, size, device)
        object.__setattr__(self, "whole", whole)

    def sum(self, *numbers: float) -> list[float]:
        return [self.whole if isinstance(number, int) else number for number in numbers]


class TestScores:
    def test_every_question_is_scored_also_one_that_no_window_answers(self, model: str) -> None:
        task = QuestionAnswering(stride=8)
        context = "the cat sat on the mat " * 20
        answers = [(Answer(context.strip(), 0),), (Answer("cat", 4),)]
        questions = [Question(str(i), "who sat?", context, answer) for i, answer in enumerate(answers)]
        train, scored = (Examples(questions, Report("questions", found=2)) for _ in range(2))
        trained = open_task(task, model, train, scored, RECIPE, ALONE, QUIET)
        assert {window.question for window in trained.train.windows} == {1}
        assert {window.question for window in trained.evaluation.windows} == {0, 1}
        figures = trained.evaluate()
        assert set(figures) == {"loss", "f1", "exact_match"}
        assert math.isfinite(figures["loss"])

    def test_the_labels_of_questions_to_score_are_those_of_questions_to_learn(self, model: str) -> None:
        trained = opened("questions", model)
        places = [(row["start_positions"], row["end_positions"]) for row in trained.train.rows]
        assert [(row["start_positions"], row["end_positions"]) for row in trained.evaluation.rows] == places
        assert any(first > 0 for first, _ in places)

    def test_a_window_of_nothing_but_a_long_words_end_teaches_nothing_and_spoils_nothing(self, model: str) -> None:
        sentences = [TaggedSentence(("the", "q" * 99), ("O", "B-name")), TaggedSentence(("the", "cat"), ("O", "O"))]
        task = Tagging().adapted_to(Examples(sentences, Report("words", found=2)))
        train, scored = (Examples(sentences, Report("words", found=2)) for _ in range(2))
        trained = open_task(task, model, train, scored, replace(RECIPE, batch_size=1), ALONE, QUIET)
        assert len(trained.evaluation.rows) == len(trained.train.rows) + 1
        assert all(
            math.isfinite(trained.backward(step, trained.batch(step))["loss"]) for step in range(1, trained.steps + 1)
        )
        _, loss = trained.outputs(trained.evaluation, batch_size=1)
        assert math.isfinite(loss)

    def test_batches_do_not_change_the_outputs(self, model: str) -> None:
        trained = opened("tags", model)
        (one, loss), (all_at_once, other) = (trained.outputs(trained.evaluation, size) for size in (1, 100))
        assert loss == pytest.approx(other, rel=1e-5)
        for row, (tags, _), (others, _) in zip(trained.evaluation.rows, one, all_at_once, strict=True):
            length = len(row["input_ids"])
            assert tags[:length] == others[:length]

    def test_tags_that_mark_no_entities_are_scored_by_words(self, model: str, tmp_path: Path) -> None:
        path = tmp_path / "speech.conll"
        path.write_text("the\tDET\ncat\tNOUN\nsat\tVERB\n\nthe\tDET\ndog\tNOUN\nran\tVERB\n", encoding="utf-8")
        trained, best = finetune(Tagging(), model, path, path, RECIPE, tmp_path / "out", ALONE, say=QUIET)
        assert set(best) == {"step", "loss", "accuracy"}
        assert "entities" not in trained.task.answers(trained.evaluation, [([1] * 9, [1.0] * 9)] * 2)[0]

    def test_the_table_has_a_row_for_each_evaluation_and_marks_the_best(self) -> None:
        log = [{"step": 1, "loss": 2.0}, {"step": 5, "evaluation_loss": 1.0, "evaluation_macro_f1": 0.25}]
        lines = results_table([*log, {"step": 9, "evaluation_loss": 0.5, "evaluation_macro_f1": 0.5}], 9).splitlines()
        assert lines[0].split() == ["step", "loss", "macro", "f1"]
        assert [line.split() for line in lines[2:]] == [["5", "1.000", "0.250"], ["9", "0.500", "0.500", "best"]]


class TestRuns:
    @pytest.mark.slow
    def test_a_run_that_stops_goes_on_to_the_bit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        model = small_model(tmp_path / "dropout")
        task, path = task_and_file("hidden words")
        recipe = replace(RECIPE, epochs=8, batch_size=2, evaluate_every=5)
        whole, _ = finetune(task, model, path, path, recipe, tmp_path / "whole", ALONE, say=QUIET, save_every=4)

        class PowerCutError(Exception):
            pass

        def cut(_task: FineTuning, step: int, *_: object) -> None:
            if step == 10:
                raise PowerCutError

        with monkeypatch.context() as patch:
            patch.setattr(FineTuning, "notice", cut)
            with pytest.raises(PowerCutError):
                finetune(task, model, path, path, recipe, tmp_path / "cut", ALONE, say=QUIET, save_every=4)
        again, _ = finetune(task, model, path, path, recipe, tmp_path / "cut", ALONE, say=QUIET, save_every=4)
        assert same_weights(again.model, whole.model)
        assert log_of(tmp_path / "cut") == log_of(tmp_path / "whole")

    def test_another_recipe_or_file_is_refused(self, model: str, tmp_path: Path) -> None:
        task, path = task_and_file("one label")
        finetune(task, model, path, path, RECIPE, tmp_path / "run", ALONE, say=QUIET)
        with pytest.raises(ValueError, match=r"another run: it has lr=0\.005, this one lr=0\.1\."):
            finetune(task, model, path, path, replace(RECIPE, lr=0.1), tmp_path / "run", ALONE, say=QUIET)
        changed = tmp_path / "changed.csv"
        changed.write_text(path.read_text(encoding="utf-8") + "fine,positive\n", encoding="utf-8")
        with pytest.raises(ValueError, match="another run: its files to train and evaluate on are others"):
            finetune(task, model, path, changed, RECIPE, tmp_path / "run", ALONE, say=QUIET)

    def test_patience_ends_a_run_that_gets_no_better_and_keeps_it_ended(
        self, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        task, path = task_and_file("one label")
        recipe = replace(
            RECIPE, epochs=20, lr=0.0, patience=2
        )  # nothing is learned: the first evaluation stays the best
        for _ in range(2):
            trained, best = finetune(task, model, path, path, recipe, tmp_path / "run", ALONE, say=QUIET)
            assert best["step"] == trained.order.batches_per_epoch
        evaluations = [line for line in read_log(tmp_path / "run" / "log.jsonl") if "evaluation_loss" in line]
        assert len(evaluations) == 3
        assert "Stopped at step 9: no better for 2 evaluations." in capsys.readouterr().out

    def test_the_score_chooses_the_best_and_the_loss_between_equals(self) -> None:
        best = {"step": 1, "loss": 0.5, "accuracy": 0.8}
        assert better({"loss": 0.9, "accuracy": 0.9}, best, "accuracy")
        assert better({"loss": 0.4, "accuracy": 0.8}, best, "accuracy")
        assert not better({"loss": 0.6, "accuracy": 0.8}, best, "accuracy")
        assert not better({"loss": 0.1, "accuracy": 0.7}, best, "accuracy")
        assert better({"loss": 0.4, "accuracy": 0.1}, best, "loss")
        assert better({"loss": 9.0, "accuracy": 0.0}, {"step": None, "loss": math.inf}, "accuracy")

    def test_patience_counts_evaluations(self) -> None:
        options = LoopOptions(100, evaluate_every=10, patience=2)
        assert not options.out_of_patience(30, 20)
        assert options.out_of_patience(40, 20)
        assert options.out_of_patience(20, None)
        assert not LoopOptions(100, evaluate_every=10).out_of_patience(90, 10)

    def test_the_same_seed_is_the_same_run_and_another_is_not(self, tmp_path: Path) -> None:
        model = small_model(tmp_path / "dropout")
        task, path = task_and_file("choices")
        runs = [
            finetune(task, model, path, path, replace(RECIPE, seed=seed), tmp_path / name, ALONE, say=QUIET)[0].model
            for name, seed in (("a", 1), ("b", 1), ("c", 2))
        ]
        assert same_weights(runs[0], runs[1])
        assert not same_weights(runs[0], runs[2])

    def test_a_body_becomes_every_kind_of_head(self, model: str) -> None:
        for name in SAMPLE_TASKS:
            trained = opened(name, model)
            assert isinstance(trained.model, trained.task.model_class)
            assert isinstance(trained.model.base_model, BertModel)

    def test_what_the_files_gave_is_said(self, model: str, tmp_path: Path) -> None:
        path = tmp_path / "gaps.csv"
        path.write_text("text,label\ngood,yes\n,yes\nbad,no\n", encoding="utf-8")
        said: list[str] = []
        _, best = finetune(Classification(), model, path, path, RECIPE, tmp_path / "out", ALONE, say=said.append)
        understood = "  read as texts: text; 2 labels: no 1, yes 1."
        account = f"'{path}': 2 of 3 examples used.\n{understood}\n  left out: 1 × it has an empty text (line 3)."
        chosen = f"The best model is chosen by accuracy on '{path}'."
        new = "Newly initialised, to be trained: classifier.weight, classifier.bias."
        by_heart = "Also trained on: 2 of the 2 examples to evaluate on."
        one_step = "The rows to train on (2) do not fill a batch of 8: an epoch is one step."
        too_short = (
            "The whole run is 2 steps, in which a new head learns little: choose more epochs, or smaller batches."
        )
        begin = [account, account, chosen, new, by_heart, one_step, too_short]
        assert [*said[:4], said[4][: len(by_heart)], *said[5:7]] == begin
        assert said[7].splitlines()[0].split() == ["step", "loss", "accuracy", "macro", "f1"]
        assert said[8:] == [f"The best model, of step {best['step']}, is in {tmp_path / 'out' / 'model'}."]

    def test_relative_positions_train_too(self, tmp_path: Path) -> None:
        model = small_model(tmp_path / "relative", position_embedding_type="relative_key")
        task, path = task_and_file("one label")
        trained, _ = finetune(task, model, path, path, RECIPE, tmp_path / "out", ALONE, say=QUIET)
        assert not trained.model.bert.embeddings.position_embeddings.weight.requires_grad


class TestCompany:
    LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")

    CHOICES = ("--class-weights", "balanced", "--accumulate", "3", "--freeze", "embeddings", "--schedule", "cosine")

    @pytest.mark.slow
    @pytest.mark.parametrize("options", [(), ("--fast",), CHOICES], ids=["exact", "fast", "choices"])
    def test_two_processes_lose_and_score_what_one_does(
        self, options: tuple[str, ...], model: str, tmp_path: Path
    ) -> None:
        # 23 sentences in batches of 11: the last batch of an epoch is one sentence, which only one of the two has.
        more = ("--batch-size", "11", "--epochs", "4", "--lr", "1e-3", *options)
        file = task_and_file("tags")[1]
        one, two = (minibert(command("tag", file, model, tmp_path / name, *more)) for name in ("one", "two"))
        alone = Fork(one, tmp_path / "one.txt")
        together = company(two, tmp_path / "two.txt")
        for codes, output in (alone.end(), together):
            assert codes in (0, [0, 0]), output
            assert output.count("23 of 23 examples used.") == 2
        one, two = log_of(tmp_path / "one"), log_of(tmp_path / "two")
        assert [line.keys() for line in one] == [line.keys() for line in two]
        for a, b in zip(one, two, strict=True):
            for name in a.keys() - {"norm", "rate"}:
                assert a[name] == pytest.approx(b[name], rel=0, abs=1e-4), (a["step"], name)
        assert sum("loss" in line for line in one) == 4

    @pytest.mark.seconds
    def test_the_group_of_processes_outlives_every_model_that_was_wrapped_for_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A wrapped model that is the last to hold its group may never end: the group waits for a thread that waits for Python."""

        class Group:
            pass

        group = Group()
        alive, destroyed = weakref.ref(group), []
        with monkeypatch.context() as patch:
            patch.setenv("WORLD_SIZE", "2")
            patch.setattr(dist, "init_process_group", lambda *_, **__: None)
            patch.setattr(dist, "get_rank", lambda: 1)
            patch.setattr(dist, "destroy_process_group", lambda: destroyed.append(True))
            patch.setattr(dist, "group", SimpleNamespace(WORLD=group))
            with join_processes() as processes:
                assert (processes.rank, processes.size) == (1, 2)
        del group
        gc.collect()
        assert destroyed == [True]
        assert alive() is not None
        distributed._free_groups()
        assert alive() is None

    @pytest.mark.slow(10)
    @pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to see threads")
    @pytest.mark.parametrize("shards", [False, True])
    def test_the_threads_of_a_group_have_ended_before_python_ends(self, tmp_path: Path, shards: bool) -> None:
        """One that frees a tensor while Python ends finds no Python to ask, and aborts the process."""
        program = tmp_path / "program.py"
        program.write_text(
            f"""
import atexit
from pathlib import Path

def threads():
    names = [thread.joinpath("comm").read_text().strip() for thread in Path("/proc/self/task").iterdir()]
    print(f"threads at the end: {{sum('gloo_runloop' in name for name in names)}}")

atexit.register(threads)  # the first to be registered is the last to be called

import torch
from minibert.training.distributed import full_weights, join_processes

with join_processes() as processes:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4))
    wrapped = processes.wrap(model, list(model) if {shards} else [])
    wrapped(torch.ones(2, 4)).sum().backward()
    full_weights(wrapped)
    del model, wrapped
""",
            encoding="utf-8",
        )
        run = start([str(program)], self.LAUNCHER)
        output = run.communicate(timeout=240)[0]
        assert run.returncode == 0, output
        assert output.count("threads at the end: 0") == 2, output


class TestHiddenWords:
    def test_passages_without_a_known_word_are_left_out(self, model: str, tmp_path: Path) -> None:
        path = tmp_path / "text.txt"
        path.write_text("the cat sat\non the mat\n\n猫 犬\n\nthe dog ran\n", encoding="utf-8")
        examples = MaskedWords().read(path)
        assert [passage.text for passage in examples.items] == ["the cat sat on the mat", "猫 犬", "the dog ran"]
        said: list[str] = []
        open_task(MaskedWords(), model, examples, MaskedWords().read(path), RECIPE, ALONE, said.append)
        assert said[0].endswith("2 of 3 examples used.\n  left out: 1 × there is no known word in it (line 4).")

    def test_a_long_passage_is_read_in_parts_and_no_piece_is_lost(self, model: str, tmp_path: Path) -> None:
        path = tmp_path / "text.txt"
        path.write_text("the cat sat on the mat " * 60, encoding="utf-8")
        task = MaskedWords()
        examples = task.read(path)
        trained = open_task(task, model, examples, task.read(path), RECIPE, ALONE, QUIET)
        assert all(length <= 96 for length in trained.train.lengths)
        assert sum(trained.train.lengths) == 360 + 2 * len(trained.train.rows)
        assert "passage read in parts of 96 pieces" in str(examples.report)

    def test_the_head_is_the_one_the_checkpoint_had(self, model: str) -> None:
        assert same_weights(opened("hidden words", model).model, BertForMaskedLM.from_pretrained(model))


def test_two_labels_are_starts_and_ends_whatever_the_checkpoint_had(tmp_path: Path) -> None:
    model = small_model(tmp_path / "five", num_labels=5)
    assert isinstance(opened("questions", model).model, BertForQuestionAnswering)
