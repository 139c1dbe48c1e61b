"""transformers.Trainer trains, saves and resumes a model of minibert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from minibert import BertForMaskedLM, BertForSequenceClassification, BertTokenizer, DataCollatorWithPadding
from tests.beside.page import run
from tests.beside.side_by_side import farthest, of_transformers, without_dropout

transformers = pytest.importorskip("transformers")

TEXTS = ["A fine day.", "A cold, wet day.", "Warm and bright, with a wind from the south.", "Rain and fog."] * 4


def test_the_program_of_the_page_trains_and_saves_what_both_libraries_open() -> None:
    names = run("transformers.Trainer")
    losses = [each["train_loss"] for each in names["trainer"].state.log_history if "train_loss" in each]
    assert len(losses) == 1
    ours = BertForMaskedLM.from_pretrained("my-bert")
    assert not ours.loading_report.needs_attention
    theirs = transformers.BertForMaskedLM.from_pretrained("my-bert", attn_implementation="eager")
    ids = names["tokenizer"]("He shook his [MASK].", return_tensors="pt").input_ids
    with torch.no_grad():
        assert farthest(ours(ids).logits, theirs(ids).logits) < 1e-4  # logits of about 10


def trainer(model: Any, folder: str, kind: type = transformers.Trainer, **settings: Any) -> Any:
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    rows = [{**tokenizer(text), "labels": number % 2} for number, text in enumerate(TEXTS)]
    usual = {"per_device_train_batch_size": 4, "num_train_epochs": 2, "report_to": "none", "disable_tqdm": True}
    arguments = transformers.TrainingArguments(folder, logging_steps=1, **usual | settings)
    data = {"train_dataset": rows, "eval_dataset": rows, "data_collator": DataCollatorWithPadding(tokenizer)}
    return kind(model, arguments, **data)


def losses(of: Any) -> list[float]:
    return [each["loss"] for each in of.state.log_history if "loss" in each]


def test_its_losses_are_those_of_transformers_own_model() -> None:
    ours = without_dropout(BertForSequenceClassification.from_pretrained("novels-4l-256h", num_labels=2))
    theirs = without_dropout(of_transformers(ours))
    both = [trainer(model, f"run-{number}") for number, model in enumerate((ours, theirs))]
    for each in both:
        each.train()
    assert len(losses(both[0])) == 8
    assert farthest(*map(losses, both)) < 1e-5
    assert both[0].evaluate()["eval_loss"] == pytest.approx(both[1].evaluate()["eval_loss"], abs=1e-5)


def test_a_run_that_was_cut_off_resumes_and_the_best_model_comes_back(tmp_path: Path) -> None:
    kind = run("transformers.Trainer")["BertTrainer"]
    fresh = BertForSequenceClassification.from_pretrained("novels-4l-256h", num_labels=2)
    fresh.save_pretrained("fresh")
    settings = {"save_strategy": "epoch", "eval_strategy": "epoch", "seed": 3}
    whole = trainer(
        BertForSequenceClassification.from_pretrained("fresh"), "whole", kind, **settings, load_best_model_at_end=True
    )
    whole.train()
    assert (tmp_path / "whole" / "checkpoint-4" / "config.json").exists()
    resumed = trainer(BertForSequenceClassification.from_pretrained("fresh"), "resumed", kind, **settings)
    resumed.train(resume_from_checkpoint="whole/checkpoint-4")
    assert farthest(losses(whole)[4:], losses(resumed)[-4:]) < 1e-6
