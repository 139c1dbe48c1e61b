"""What a run is given from Python: numbers of any library are the same run, and what makes no sense is refused before anything is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from minibert import BertConfig, BertForPreTraining, BertForSequenceClassification, BertTokenizer
from minibert.data.corpus import PreparedData
from minibert.optim import SchedulerType
from minibert.tasks import Classification
from minibert.training import FineTuningRecipe, TrainedModel, finetune
from minibert.training.frozen import freeze
from minibert.training.loop import LoopOptions
from minibert.training.pretraining import Phase, Recipe, pretrain
from tests.unit.training.small_run import SIZES, corpus
from tests.unit.training.small_tasks import QUIET, small_model, task_and_file

FEW = FineTuningRecipe(epochs=1, lr=1e-3, max_length=16)
TEXTS = [{"text": f"a word {n}", "label": ("good", "bad")[n % 2]} for n in range(12)]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return small_model(tmp_path / "model", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


@pytest.fixture
def data(tmp_path: Path) -> PreparedData:
    return corpus(tmp_path)


def classify(model: str, out: Path, recipe: FineTuningRecipe = FEW, **options: Any) -> list[str]:
    """What a run says."""
    said: list[str] = []
    finetune(Classification(), model, TEXTS, TEXTS, recipe, out, **{"say": said.append, **options})
    return said


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"lr": np.logspace(-4, -3, 3)[1]}, {"lr": float(np.logspace(-4, -3, 3)[1])}),
        ({"batch_size": np.int64(4), "seed": np.arange(3)[1]}, {"batch_size": 4, "seed": 1}),
        ({"schedule": SchedulerType.COSINE}, {"schedule": "cosine"}),
        ({"class_weights": np.array([1.0, 2.0])}, {"class_weights": (1.0, 2.0)}),
        ({"class_weights": torch.tensor([1.0, 2.0])}, {"class_weights": [1.0, 2.0]}),
        ({"freeze": ["embeddings", "pooler"]}, {"freeze": "embeddings,pooler"}),
    ],
    ids=["rate", "counts", "schedule", "array", "tensor", "list"],
)
def test_numbers_of_any_library_make_the_same_run(
    other: dict[str, Any], same: dict[str, Any], model: str, tmp_path: Path
) -> None:
    given = replace(FEW, **other)
    assert given == replace(FEW, **same)
    classify(model, tmp_path / "out", given)
    state = next((tmp_path / "out" / "checkpoints").glob("*/training_state.pt"))
    assert torch.load(state, weights_only=True)["recipe"]["lr"] == given.lr
    classify(model, tmp_path / "out", replace(FEW, **same))  # goes on


def test_a_model_may_be_named_by_a_path(model: str, tmp_path: Path) -> None:
    classify(Path(model), tmp_path / "out")
    classify(model, tmp_path / "out")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"epochs": 3.0}, "epochs is 3.0; it must be a whole number of at least 1"),
        ({"batch_size": 4.5}, "batch_size is 4.5; it must be a whole number"),
        ({"accumulate": 2.0}, "accumulate is 2.0; it must be a whole number"),
        ({"max_length": 16.0}, "max_length is 16.0; it must be a whole number"),
        ({"lr": "1e-3"}, "lr is '1e-3'; it must be a number"),
        ({"warmup": None}, "warmup is None; it must be a number"),
    ],
)
def test_what_is_no_number_or_no_whole_one_is_refused_by_name(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FineTuningRecipe(**wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"steps": 1e4}, "steps is 10000.0; it must be a whole number"),
        ({"lr": None}, "lr is None; it must be a number"),
        ({"phases": ()}, "phases is .*lengths of at least 4, and shares above 0 that sum to 1"),
        ({"phases": (Phase(8, 1.0), Phase(32, 1.0))}, "shares above 0 that sum to 1"),
        ({"phases": (Phase(8, 0.25), Phase(16, 0.25))}, "shares above 0 that sum to 1"),
        ({"phases": (Phase(8, -1.0), Phase(16, 2.0))}, "shares above 0 that sum to 1"),
        ({"phases": (Phase(2, 1.0),)}, "lengths of at least 4"),
        ({"phases": (Phase(8.5, 1.0),)}, "lengths of at least 4"),
        ({"phases": (Phase(8, "1"),)}, "shares above 0 that sum to 1"),
        ({"phases": ((8, 1.0),)}, "must be a Phase or several"),
        ({"phases": 8}, "must be a Phase or several"),
        ({"phases": (Phase(8, float("nan")),)}, "shares above 0 that sum to 1"),
    ],
)
def test_phases_that_do_not_fill_a_run_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Recipe(**wrong)


def test_one_phase_needs_no_brackets() -> None:
    assert Recipe(phases=Phase(32, 1.0)) == Recipe(phases=(Phase(32, 1.0),))


def test_steps_between_evaluations_are_whole() -> None:
    with pytest.raises(ValueError, match=r"save_every is 2\.5; it must be a whole number"):
        LoopOptions(10, save_every=2.5)


def test_a_config_that_a_run_has_saved_goes_on_with_it(data: PreparedData, tmp_path: Path) -> None:
    config = BertConfig(vocab_size=data.manifest["vocab_size"], **SIZES)
    lengths = [Phase(np.int64(16), np.float64(0.5)), Phase(32, 0.5)]
    recipe = Recipe(steps=2, tokens_per_step=256, phases=lengths, warmup_steps=1)
    before = pretrain(data, config, recipe, str(tmp_path / "out"))
    assert pretrain(data, config, recipe, str(tmp_path / "out")) == before
    config.num_hidden_layers += 1
    name, layers = r"config\.num_hidden_layers", config.num_hidden_layers
    with pytest.raises(ValueError, match=rf"it has {name}={layers - 1}, this one {name}={layers}\."):
        pretrain(data, config, recipe, tmp_path / "out")


@pytest.mark.parametrize("field", ["return_dict", "torchscript"])
def test_a_config_that_asks_for_tuples_trains_and_predicts(
    field: str, model: str, data: PreparedData, tmp_path: Path
) -> None:
    fields = {field: field == "torchscript"}
    sizes = {"vocab_size": data.manifest["vocab_size"], **SIZES}
    recipe = Recipe(steps=2, tokens_per_step=256, phases=(Phase(32, 1.0),), warmup_steps=1)
    for fast in (False, True):
        pretrain(data, BertConfig(**sizes, **fields), replace(recipe, fast=fast), tmp_path / f"pretrained {fast}")
    tuples = BertForPreTraining.from_pretrained(model, **fields)
    tuples.save_pretrained(tmp_path / "tuples")
    BertTokenizer.from_pretrained(model).save_pretrained(tmp_path / "tuples")
    for number, changed in enumerate(({}, {"fast": True}, {"class_weights": (1.0, 2.0)})):
        out = tmp_path / f"tuned {number}"
        classify(str(tmp_path / "tuples"), out, replace(FEW, **changed))
        assert TrainedModel.open(out / "model").predict("a word")["label"] in ("good", "bad")


def test_a_decoder_is_tuned_to_read_in_both_directions(model: str, tmp_path: Path) -> None:
    task, path = task_and_file("the next word")
    finetune(task, model, path, path, FEW, tmp_path / "decoder", say=QUIET)
    assert BertConfig.from_pretrained(tmp_path / "decoder" / "model").is_decoder
    said = classify(str(tmp_path / "decoder" / "model"), tmp_path / "out")
    assert any(
        "is a decoder's, which reads from left to right; for this task it reads in both" in each for each in said
    )
    config = BertConfig.from_pretrained(tmp_path / "out" / "model")
    assert not config.is_decoder
    network = BertForSequenceClassification.from_pretrained(tmp_path / "out" / "model")
    tokenizer = BertTokenizer.from_pretrained(tmp_path / "out" / "model")
    first, second = (network(**tokenizer(text, return_tensors="pt")).logits for text in ("the word", "the river"))
    assert not torch.equal(first, second)  # [CLS] sees what stands behind it
    checkpoint = next((tmp_path / "out" / "checkpoints").glob("*/training_state.pt"))
    state = torch.load(checkpoint, weights_only=True)
    del state["recipe"]["direction"]  # a run of before
    torch.save(state, checkpoint)
    with pytest.raises(ValueError, match="was begun by an older minibert, which trained the decoder as one"):
        classify(str(tmp_path / "decoder" / "model"), tmp_path / "out")
    assert not any("left to right" in each for each in classify(model, tmp_path / "other"))


@pytest.mark.parametrize("task", ["classify", Classification])
def test_what_is_no_task_is_refused(task: Any, model: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"it must be one of minibert\.tasks, such as Classification\(\)"):
        finetune(task, model, TEXTS, out=tmp_path / "out")


def test_a_batch_has_a_row_at_least(model: str, tmp_path: Path) -> None:
    classify(model, tmp_path / "out")
    trained = TrainedModel.open(tmp_path / "out" / "model")
    for size in (0, -1):
        with pytest.raises(ValueError, match=f"batch_size is {size}; it must be at least 1"):
            trained.predict_all(["a", "b"], batch_size=size)


def test_parts_to_freeze_may_be_listed(model: str) -> None:
    lists, text = (BertForPreTraining.from_pretrained(model) for _ in range(2))
    assert freeze(lists, ["embeddings", "pooler"]).keys() == freeze(text, "embeddings,pooler").keys() != set()
    assert freeze(text, FineTuningRecipe(freeze=None).freeze) == freeze(text, None) == {}
