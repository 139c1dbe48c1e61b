"""Published data sets become task files that the readers take, and the page says what the runs say."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks.finetuning import page, published
from benchmarks.finetuning.__main__ import of_today
from benchmarks.finetuning.majority import majority
from benchmarks.finetuning.run import opened
from benchmarks.finetuning.tasks import SMALL_MODEL_LENGTH, TASKS
from benchmarks.finetuning.tune import split

RTE = '<?xml version="1.0"?><entailment-corpus>{}</entailment-corpus>'
PAIR = '<pair id="1" {} task="IE"><t>{}</t><h>It rains.</h></pair>'
BOOK = "Nobody saw the {man} at the gate. He went home and slept. {days}"
DAYS = " ".join(f"On day {day} the rain fell again." for day in range(20))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the benchmark wants it, each data set with a few examples."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("trec", "rte", "wnut17", "xquad", "novels"):
        (folder / name).mkdir()
    (folder / "trec" / "train.txt").write_bytes(
        "DESC:manner How did it begin ?\nLOC:city Where is Besançon ?\n".encode("latin-1")
    )
    (folder / "trec" / "test.txt").write_bytes(b"LOC:city Where is Rome ?\n")
    for name in published.RTE_TRAIN:
        said = 'value="TRUE"' if name.startswith("rte1") else 'entailment="YES"'
        (folder / "rte" / name).write_text(
            RTE.format(PAIR.format(said, f"{name}: it pours &amp; rains.")), encoding="utf-8"
        )
    (folder / "rte" / published.RTE_TEST).write_text(
        RTE.format(PAIR.format('entailment="NO"', "The sun shines.")), encoding="utf-8"
    )
    (folder / "wnut17" / "wnut17train.conll").write_text("Ada\tB-person\nsang\tO\n\t\nso\tO\n", encoding="utf-8")
    (folder / "wnut17" / "emerging.test.conll").write_text("Rome\tB-location,B-group\nfell\tO\n\n", encoding="utf-8")
    paragraphs = [
        {
            "context": f"It rained on day {day}.",
            "qas": [{"id": f"q{day}", "question": "What?", "answers": [{"text": "rained", "answer_start": 3}]}],
        }
        for day in range(10)
    ]
    (folder / "xquad" / "xquad.en.json").write_text(
        json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8"
    )
    for number in range(26):
        (folder / "novels" / f"book{number:02}.txt").write_text(
            BOOK.format(man=f"man{number:02}", days=DAYS), encoding="utf-8"
        )
    return folder


@pytest.fixture(scope="module")
def files(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tasks")
    published.prepare(data, out)
    return out


@pytest.mark.parametrize("benchmark", TASKS.values(), ids=TASKS)
def test_every_task_can_be_read(benchmark, files):
    for file in benchmark.files(files):
        examples = benchmark.task.read(file)
        assert examples.report.used == examples.report.found > 0
    assert 0 <= majority(benchmark, files) <= 1


def test_trec_is_latin_1_and_its_label_coarse_or_fine(files):
    train, _ = TASKS["trec-fine"].files(files)
    assert [(e.text, e.label) for e in TASKS["trec-fine"].task.read(train).items] == [
        ("How did it begin ?", "DESC:manner"),
        ("Where is Besançon ?", "LOC:city"),
    ]
    train, _ = TASKS["trec-coarse"].files(files)
    assert [example.label for example in TASKS["trec-coarse"].task.read(train).items] == ["DESC", "LOC"]


def test_rte_learns_from_all_sets_but_the_test_set_of_the_second(files):
    train, evaluation = (TASKS["rte"].task.read(file).items for file in TASKS["rte"].files(files))
    assert [(e.text, e.label) for e in train] == [
        (f"{name}: it pours & rains.", "entailed") for name in published.RTE_TRAIN
    ]
    assert [(e.text, e.text_pair, e.label) for e in evaluation] == [("The sun shines.", "It rains.", "not entailed")]


def test_of_several_tags_of_a_word_the_first_counts(files):
    train, evaluation = (TASKS["wnut17"].task.read(file).items for file in TASKS["wnut17"].files(files))
    assert [sentence.words for sentence in train] == [("Ada", "sang"), ("so",)]
    assert evaluation[0].tags == ("B-location", "O")


def test_a_paragraph_is_in_training_or_in_the_test_and_never_in_both(files):
    train, evaluation = (
        {q.context for q in TASKS["xquad"].task.read(file).items} for file in TASKS["xquad"].files(files)
    )
    assert (len(train), len(evaluation)) == (8, 2)
    assert not train & evaluation


def test_the_right_choice_is_the_next_sentence_and_no_book_is_on_both_sides(files):
    train, evaluation = (TASKS["choices"].task.read(file).items for file in TASKS["choices"].files(files))
    assert (len(train), len(evaluation)) == (2000, 500)
    for example in [*train[:50], *evaluation[:50]]:
        right = example.endings[example.label]
        if example.context.startswith("Nobody"):
            assert right == "He went home and slept."
        assert len({*example.endings, example.context}) == 5
    held_out = {text for e in evaluation for text in (e.context, *e.endings) if "man" in text}
    assert held_out == {
        f"Nobody saw the {man} at the gate." for man in ("man00", "man25")
    }  # as `minibert data prepare`
    assert not any("man00" in text or "man25" in text for e in train for text in (e.context, *e.endings))


def test_the_same_data_gives_the_same_files(data, files, tmp_path):
    published.prepare(data, tmp_path)
    for task in TASKS.values():
        for first, second in zip(task.files(files), task.files(tmp_path), strict=True):
            assert first.read_bytes() == second.read_bytes()


def test_the_page_says_what_the_runs_say(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PAGE", tmp_path / "results.md")
    monkeypatch.setattr(page, "machine", lambda: "a machine")
    runs = [
        {
            "task": "rte", "start": start, "library": library, "seed": seed, "seconds": seconds,
            "untrained": {"accuracy": 0.5}, "figures": {"accuracy": accuracy},
        }
        for start, library, seed, seconds, accuracy in (
            ("encoder", "minibert", 2, 10.0, 0.62),
            ("encoder", "minibert", 1, 10.0, 0.60),
            ("encoder", "transformers", 1, 15.0, 0.58),
            ("encoder", "transformers", 2, 13.0, 0.60),
            ("encoder", "minibert", 3, 10.0, 0.61),
            ("bundled", "minibert", 1, 3.0, 0.55),
            ("random", "minibert", 1, 3.0, 0.51),
        )
    ]  # fmt: skip
    runs += [
        {
            "task": "xquad", "start": "encoder", "library": library, "seed": 1, "seconds": seconds,
            "untrained": {"f1": 0.04, "exact_match": 0.0}, "figures": {"f1": 0.4, "exact_match": 0.3},
        }
        for library, seconds in (("minibert", 10.0), ("transformers", 15.0))
    ]  # fmt: skip
    page.write_page(runs, {"rte": 0.5, "xquad": 0.1}, {"rte": (3367, 800), "xquad": (960, 230)})
    lines = (tmp_path / "results.md").read_text(encoding="utf-8").splitlines()
    assert "| RTE 2, entailed or not | accuracy | 61.0 ± 1.0 | 59.0 ± 1.4 | **1.40×** | 1.50, 1.30 | 10 s |" in lines
    assert "| RTE 2, entailed or not | accuracy | 50.0 | 50.0 ± 0.0 | 51.0 | 55.0 | 61.0 ± 1.0 |" in lines
    assert any("| F1 / exact match | 40.0 / 30.0 | 40.0 / 30.0 | **1.50×**" in line for line in lines)
    assert "| RTE 2, entailed or not | 3,367 | 800 | 3 | 16 | 5e-05 | 160 |" in lines


def test_small_models_learn_at_a_higher_rate_within_bounds():
    rates = {
        start: [TASKS[task].recipe_for(start, 1).lr for task in ("rte", "trec-fine")]
        for start in ("encoder", "bundled", "random")
    }
    assert rates == {
        "encoder": [5e-5, 3e-4],
        "bundled": pytest.approx([1.5e-4, 9e-4]),
        "random": pytest.approx([1.5e-4, 3e-4]),
    }


def test_a_run_with_another_recipe_is_not_on_the_page():
    recipe = TASKS["rte"].recipe_for("bundled", 2)
    run = {"task": "rte", "start": "bundled", "seed": 2, "recipe": asdict(recipe)}
    assert of_today([run, {**run, "recipe": asdict(replace(recipe, lr=1.0))}]) == [run]


def test_recipes_are_tried_on_a_fifth_of_the_training_examples(files):
    for name, count in (("choices", 2000), ("rte", 5)):
        benchmark = TASKS[name]
        train, evaluation = split(benchmark.task.read(benchmark.files(files)[0]))
        assert (len(train.items), len(evaluation.items)) == pytest.approx((count * 0.8, count * 0.2), rel=0.1)
        assert not {e for e in train.items if e in evaluation.items}


def test_questions_of_a_paragraph_are_tried_together(data, tmp_path):
    squad = json.loads((data / "xquad" / "xquad.en.json").read_text(encoding="utf-8"))
    for paragraph in squad["data"][0]["paragraphs"]:
        [question] = paragraph["qas"]
        paragraph["qas"] = [question, {**question, "id": question["id"] + " again"}]
    (tmp_path / "train.json").write_text(json.dumps(squad), encoding="utf-8")
    train, evaluation = split(TASKS["xquad"].task.read(tmp_path / "train.json"))
    assert (len(train.items), len(evaluation.items)) == (16, 4)
    assert not {q.context for q in train.items} & {q.context for q in evaluation.items}


def test_a_text_too_long_for_the_small_model_is_read_in_windows(tmp_path):
    context = " ".join(f"On day {day} it rained." for day in range(100))
    question = {
        "id": "q",
        "question": "What?",
        "answers": [{"text": "day 70", "answer_start": context.index("day 70")}],
    }
    squad = {"data": [{"paragraphs": [{"context": context, "qas": [question]}]}]}
    (tmp_path / "xquad").mkdir()
    for name in ("train", "eval"):
        (tmp_path / "xquad" / f"{name}.json").write_text(json.dumps(squad), encoding="utf-8")
    task = opened(TASKS["xquad"], "bundled", "novels-4l-256h", 1, tmp_path)
    assert len(task.evaluation.rows) > 1
    assert max(task.evaluation.lengths) == SMALL_MODEL_LENGTH
