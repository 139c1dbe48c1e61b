"""A model with a task: its outputs for rows, its metrics on a labelled file, its answers to files and to plain texts."""

import logging
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..config import BertConfig
from ..fast.inference import in_less_time
from ..model import BertPreTrainedModel
from ..model.modes import evaluation_mode
from ..tasks import Encoded, Examples, Report, Task, batch_loader, evaluation_batches, saved_settings, task_of
from ..tasks.task_files import PathName
from ..tokenization import BertTokenizer
from .distributed import Processes

logger = logging.getLogger("minibert")


@dataclass(eq=False)
class TaskModel:
    """A model with the head of a task."""

    model: BertPreTrainedModel
    tokenizer: BertTokenizer
    task: Task
    processes: Processes
    precision = torch.float32  # of matrix products
    fast = False  # whether in the ways of `minibert.fast`

    @contextmanager
    def in_less_time(self, batch: dict[str, Tensor]) -> Iterator[None]:
        """For the forward pass of a batch, if asked for: products by the faster library, without the padding where there is much."""
        if not self.fast:
            yield
            return
        # What reads every position, such as the head for questions, reads padding too, and that is gone from packed rows.
        with in_less_time(self.model, batch if self.task.reads != "everything" else {}):
            yield

    def outputs(self, encoded: Encoded, batch_size: int = 32) -> tuple[list[Any], float]:
        """For each row, in order, what the task keeps; and the mean loss, NaN where there are no labels.

        Rows of about one length share a batch. Several processes share the batches, and all get all outputs.
        Raises ValueError where a batch would have no row.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be at least 1.")
        all_batches = evaluation_batches(encoded.lengths, batch_size, encoded.choices)
        batches = all_batches[self.processes.rank :: self.processes.size]
        loader = batch_loader(encoded, [[(number, ()) for number in numbers] for numbers in batches], self.tokenizer)
        found, losses, counts = list[tuple[int, Any]](), [0.0], [0]
        with evaluation_mode(self.model):
            for numbers, batch in zip(batches, loader, strict=True):
                on_device = {name: column.to(self.processes.device) for name, column in batch.items()}
                with torch.inference_mode(), self.in_less_time(on_device), self.processes.autocast(self.precision):
                    outputs = self.model(**on_device, return_dict=True)
                count = 0 if outputs.loss is None else self.task.label_count(batch)
                if count:  # the mean of no label at all is NaN
                    losses.append(float(outputs.loss) * count)
                    counts.append(count)
                found += zip(numbers, self.task.keep(outputs, on_device), strict=True)
        kept = dict(pair for of_process in self.processes.gather(found) for pair in of_process)
        loss, labels = self.processes.sum(math.fsum(losses), sum(counts))
        return [kept[number] for number in range(len(encoded.rows))], loss / labels if labels else math.nan


def row_length(task: Task, positions: int, max_length: int | None) -> int:
    """Pieces of a row for a model of so many positions; None: as usual with the task. Raises ValueError where it has too few."""
    if max_length is None:
        return min(task.usual_length, positions)
    if not 3 <= max_length <= positions:
        raise ValueError(
            f"max_length is {max_length}; the model has {positions} positions, so choose 3 to {positions}."
        )
    return max_length


@dataclass(eq=False)
class TrainedModel(TaskModel):
    """A model that was trained for the task that its config names. max_length: pieces of a row."""

    max_length: int

    @classmethod
    def open(
        cls,
        name: PathName,
        processes: Processes | None = None,
        max_length: int | None = None,
        *,
        fast: bool = False,
        **settings: Any,
    ) -> "TrainedModel":
        """Open a checkpoint: a folder, a bundled name or a hub id. processes: None for this one alone. max_length, settings of the task:
        None for those of its training. fast: the same numbers in less time, up to rounding. Raises ValueError for a model that was not trained for a task, or for one without such a setting.
        """
        name, processes = os.fspath(name), processes or Processes.alone()
        config = BertConfig.from_pretrained(name)
        task = task_of(config, name)
        changed = {setting: value for setting, value in settings.items() if value is not None}
        if unknown := changed.keys() - vars(task).keys():
            raise ValueError(f"'{name}' was taught the task '{task.name}', which has no {', '.join(unknown)}.")
        task = replace(task, **changed)
        wanted = max_length if max_length is not None else saved_settings(config).get("max_length")
        length = row_length(task, config.max_position_embeddings, wanted)
        model: BertPreTrainedModel = task.model_class.from_pretrained(name)
        new = [finding.name for finding in model.loading_report.new] if model.loading_report else []
        if new:
            raise ValueError(f"'{name}' was taught no task: {', '.join(new)} of its head are not in the checkpoint.")
        tokenizer = BertTokenizer.from_pretrained(
            name, padding_side="right"
        )  # on the left, words would stand elsewhere
        trained = cls(model.float().to(processes.device), tokenizer, task, processes=processes, max_length=length)
        trained.fast = fast
        return trained

    def evaluate(self, file: PathName, batch_size: int = 32) -> tuple[dict[str, float], Report]:
        """The loss and the scores on a labelled file, and a report on its examples."""
        examples = self.task.read(Path(file))
        encoded = self.task.encode(examples, self.tokenizer, self.max_length)
        kept, loss = self.outputs(encoded, batch_size)
        return {"loss": loss, **self.task.score(encoded, kept, loss)}, examples.report

    def answers(self, examples: Examples, batch_size: int = 32) -> list[dict[str, Any]]:
        """The model's answer to each example; no labels are needed."""
        if not examples.items:
            return []
        encoded = self.task.encode(examples, self.tokenizer, self.max_length)
        return self.task.answers(encoded, self.outputs(encoded, batch_size)[0])

    def examples(self, asked: Iterable[str | Sequence[str]], source: str = "the texts") -> Examples:
        """Examples of plain texts: each a text, or the texts that the task is asked with. Raises ValueError for others."""
        each = [(texts,) if isinstance(texts, str) else texts for texts in asked]
        items = [self.task.example(texts, f"text {n}", self.tokenizer) for n, texts in enumerate(each, start=1)]
        return Examples(items, Report(source, found=len(items)))

    def predict(self, *texts: str) -> dict[str, Any]:
        """The answer to a text, or to the texts that the task is asked with: the two of a pair; question and context; text and endings."""
        return self.predict_all([texts])[0]

    def predict_all(self, asked: Iterable[str | Sequence[str]], batch_size: int = 32) -> list[dict[str, Any]]:
        """The answers to many, each a text or the texts that the task is asked with; warns of those that were cut."""
        examples = self.examples(asked)
        answers = self.answers(examples, batch_size)
        if examples.report.changed:
            logger.warning("%s", examples.report)
        return answers
