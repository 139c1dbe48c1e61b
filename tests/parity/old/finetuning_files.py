"""What both sides of the fine-tuning programs read: a tiny pre-trained checkpoint, and each task's batches.

The batches are those of minibert's recipe, from the sample files: the loop over the old reference is to differ from it in nothing but
who computes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from minibert import BertForPreTraining
from minibert.training.finetuning import FineTuning, FineTuningRecipe, open_task
from tests.unit.tasks.tiny_tokenizer import PIECES, tiny_tokenizer
from tests.unit.tiny_bert import tiny
from tests.unit.training.small_tasks import ALONE, QUIET, SAMPLE_TASKS, task_and_file

MODEL = "model"
STEPS = 100
RECIPE = FineTuningRecipe(batch_size=8, lr=1e-3, max_length=96, seed=7)


def write(folder: Path) -> None:
    """Write the checkpoint, in the form of its time, and for each task a file with its class, the config's fields and batches."""
    model = tiny(BertForPreTraining, vocab_size=len(PIECES), max_position_embeddings=128)
    model.save_pretrained(folder / MODEL, safe_serialization=False)
    # With the tied decoder, as files of the time have it: the old reference draws it where it is missing, though it then ties it.
    torch.save(model.state_dict(), folder / MODEL / "pytorch_model.bin")
    tiny_tokenizer().save_pretrained(folder / MODEL)
    for name in SAMPLE_TASKS:
        trained = opened(name, folder)
        written = {
            "class": trained.task.model_class.__name__,
            "fields": trained.task.config_fields(),
            "batches": [trained.batch(step) for step in range(1, trained.steps + 1)],
        }
        torch.save(written, folder / f"{name}.pt")


def opened(name: str, folder: Path) -> FineTuning:
    """The task on its sample, for at least 100 steps."""
    task, path = task_and_file(name)
    examples = task.read(path)
    trained = open_task(task.adapted_to(examples), str(folder / MODEL), examples, task.read(path), RECIPE, ALONE, QUIET)
    epochs = -(-STEPS // trained.order.batches_per_epoch)
    return replace(trained, recipe=replace(RECIPE, epochs=epochs))
