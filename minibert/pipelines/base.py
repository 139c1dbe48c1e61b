"""What every pipeline does: texts → rows of ids → the model → scores → dictionaries.

A task's file says how its input becomes rows (`preprocess`) and what the model's scores mean (`postprocess`). Everything else is
here: settings, lists and iterators, batches, devices.
Reference: `transformers/pipelines/base.py`, 4.12.5.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import islice
from numbers import Integral
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, IterableDataset

from ..model import BertPreTrainedModel
from ..model.modes import evaluation_mode
from ..outputs import ModelOutput
from ..tokenization import BertTokenizer

Row = dict[str, list[int]]
COLUMNS = {"input_ids", "token_type_ids", "attention_mask"}  # what the model reads of a row


class PipelineException(ValueError):  # noqa: N818  # the reference's name
    """An input that a pipeline cannot answer."""


@dataclass(frozen=True)
class Settings:
    """What a pipeline, or one call of it, may be asked for by name. batch_size: rows in one forward pass, padded to the longest.

    num_workers: changes nothing here; texts are encoded in this process.
    """

    batch_size: int = 1
    num_workers: int = 0

    def __post_init__(self) -> None:
        for name in ("batch_size", "top_k", "max_answer_len", "max_question_len", "max_seq_len", "doc_stride"):
            value = getattr(self, name, None)
            if value is not None and (isinstance(value, bool) or not isinstance(value, Integral) or value < 1):
                raise ValueError(f"{name} parameter should be a whole number >= 1 (got {value!r})")


class Prepared(NamedTuple):
    """One input: its rows, and what `postprocess` wants to know of it."""

    rows: list[Row]
    source: Any = None


AnySettings = TypeVar("AnySettings", bound=Settings)


class Pipeline(ABC, Generic[AnySettings]):
    """A model and its tokenizer, called with texts.

    model, tokenizer: objects; `minibert.pipeline` opens them by name. framework: "pt". device: −1 or "cpu", the number of a GPU, or
    any name of torch's. settings: what `settings_class` has, for every call that does not say otherwise.
    Raises ValueError for a model that lacks the head, TypeError for a setting that the task has not.
    """

    settings_class: ClassVar[type[Any]]
    opens: ClassVar[type[Any]]  # the Auto class of its models
    per_token = True  # whether scores are (batch, seq, …)

    def __init__(
        self,
        model: BertPreTrainedModel,
        tokenizer: BertTokenizer,
        *,
        framework: str | None = "pt",
        task: str = "",
        device: int | str | torch.device = -1,
        **settings: Any,
    ):
        if framework not in ("pt", None):
            raise ValueError(f"framework={framework!r} is not there: minibert is PyTorch only, framework='pt'.")
        self.task = task or type(self).__name__
        if not isinstance(model, self.model_classes()):
            wanted = " or ".join(each.__name__ for each in self.model_classes())
            raise ValueError(f"The model is a {type(model).__name__}. {self.task} needs a {wanted}.")
        if isinstance(device, int):
            device = "cpu" if device < 0 else f"cuda:{device}"
        self.device = torch.device(device)
        self.model, self.tokenizer, self.framework = model.to(self.device), tokenizer, "pt"
        self.settings: AnySettings = self.settings_class()
        self.settings = self.chosen(settings)

    @classmethod
    def model_classes(cls) -> tuple[type[BertPreTrainedModel], ...]:
        return tuple(cls.opens.classes.values())

    def chosen(self, given: Mapping[str, Any]) -> AnySettings:
        """The settings with those of one call. `topk` is an old name of `top_k`. None is the same as not given."""
        given = {"top_k" if name == "topk" else name: value for name, value in given.items() if value is not None}
        known = [each.name for each in fields(self.settings)]
        if unknown := [name for name in given if name not in known]:
            raise TypeError(f"{self.task} has no setting {', '.join(unknown)}. It has: {', '.join(known)}.")
        return replace(self.settings, **given)

    def __call__(self, inputs: Any, **given: Any) -> Any:
        """The answer to one input; a list of answers to a list; an iterator over those to a generator or a `Dataset`."""
        settings = self.chosen(given)
        if isinstance(inputs, list):
            if not inputs:
                raise ValueError("At least one input is required: the list is empty.")
            return list(self._answers(inputs, settings))
        if isinstance(inputs, Dataset) and not isinstance(inputs, IterableDataset):
            return self._answers((inputs[index] for index in range(len(inputs))), settings)  # type: ignore[arg-type]
        if isinstance(inputs, (Iterator, IterableDataset)):
            return self._answers(inputs, settings)
        return next(self._answers([inputs], settings))

    def save_pretrained(self, save_directory: str) -> None:
        """Save model and tokenizer in a folder that `pipeline(task, model=folder)` opens."""
        self.model.save_pretrained(save_directory)
        self.tokenizer.save_pretrained(save_directory)

    @abstractmethod
    def preprocess(self, inputs: Any, settings: AnySettings) -> Prepared:
        """An input as rows for the model. Raises ValueError for what is no input."""

    def scores(self, outputs: ModelOutput) -> Tensor:
        """What the task reads of the outputs, as a rule the first: (batch, seq, …), or (batch, …) unless `per_token`."""
        return outputs[0]

    @abstractmethod
    def postprocess(self, prepared: Prepared, scores: list[Tensor], settings: AnySettings) -> Any:
        """The answer, of plain Python values. scores: for each row (seq, …), on the CPU, in float32, without padding."""

    def _answers(self, inputs: Iterable[Any], settings: AnySettings) -> Iterator[Any]:
        waiting, count = iter(inputs), 0
        while chunk := list(islice(waiting, settings.batch_size)):
            try:
                prepared = [self.preprocess(each, settings) for each in chunk]
                scores = iter(self.forward([row for each in prepared for row in each.rows], settings.batch_size))
            except (ValueError, TypeError) as error:
                which = f"{count} to {count + len(chunk) - 1}" if len(chunk) > 1 else f"{count}"
                error.add_note(f"This was input {which} of the call, counted from 0.")
                raise
            for each in prepared:
                yield self.postprocess(each, list(islice(scores, len(each.rows))), settings)
            count += len(chunk)

    def forward(self, rows: list[Row], batch_size: int) -> list[Tensor]:
        """The scores of each row. The model runs in evaluation mode, whichever mode each of its modules is in."""
        found: list[Tensor] = []
        with evaluation_mode(self.model):
            for start in range(0, len(rows), batch_size):
                part = rows[start : start + batch_size]
                # Padded on the right, whatever the tokenizer does: on the left it would move every word to other positions.
                fill = {"input_ids": self.tokenizer.pad_token_id or 0}
                batch = {
                    name: pad_sequence([torch.tensor(row[name], device="cpu") for row in part], True, fill.get(name, 0))
                    for name in part[0].keys() & COLUMNS
                }
                on_device = {name: column.to(self.device) for name, column in batch.items()}
                with torch.inference_mode():
                    scores = self.scores(self.model(**on_device, return_dict=True)).float().cpu()
                masks = batch["attention_mask"].bool()
                found += [one[mask] if self.per_token else one for one, mask in zip(scores, masks, strict=True)]
        return found
