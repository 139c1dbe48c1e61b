"""A model small enough to fine-tune in a test, the sample file of each task, and a run as a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from course.samples import sample
from minibert import BertForPreTraining
from minibert.tasks import (
    Classification,
    MaskedWords,
    MultipleChoice,
    NextSentence,
    NextWord,
    QuestionAnswering,
    Tagging,
    Task,
)
from minibert.training.distributed import Processes
from minibert.training.finetuning import FineTuningRecipe
from tests.unit.tasks.tiny_tokenizer import PIECES, tiny_tokenizer
from tests.unit.tiny_bert import tiny

ALONE = Processes(0, 1, torch.device("cpu"))
QUIET: Any = [].append
SAMPLE_TASKS: dict[str, tuple[Task, str]] = {
    "one label": (Classification(), "reviews.csv"),
    "a label of a pair": (Classification(), "paraphrases.tsv"),
    "several labels": (Classification("multi_label_classification"), "topics.jsonl"),
    "a number": (Classification("regression"), "similarity.csv"),
    "tags": (Tagging(), "entities.conll"),
    "questions": (QuestionAnswering(stride=16), "questions.json"),
    "choices": (MultipleChoice(), "endings.csv"),
    "next sentences": (NextSentence(), "sentences.txt"),
    "hidden words": (MaskedWords(), "sentences.txt"),
    "the next word": (NextWord(), "sentences.txt"),
}
RECIPE = FineTuningRecipe(epochs=2, batch_size=8, lr=5e-3, max_length=96)


def task_and_file(name: str) -> tuple[Task, Path]:
    """A task and the sample that ships for it."""
    task, file = SAMPLE_TASKS[name]
    return task, sample(file)


def small_model(folder: Path, **fields: Any) -> str:
    """A checkpoint of two layers with its tokenizer; returns its name, which is the folder."""
    sizes = {"vocab_size": len(PIECES), "max_position_embeddings": 128}
    tiny(BertForPreTraining, **{**sizes, **fields}).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return str(folder)


def command(task: str, file: Path, model: str, out: Path, *more: str) -> list[str]:
    """The words of `minibert finetune` on a file, which is evaluated on too."""
    files = ("--train", str(file), "--eval", str(file))
    return ["finetune", task, "--model", model, *files, "--out", str(out), "--max-length", "96", *more]
