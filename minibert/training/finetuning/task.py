"""Fine-tuning as a task of the training loop: one call of the model a batch, and the head's own loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data.tasks import BatchOrder, collate
from ...data.tasks.collation import IGNORED
from ...model import BertPreTrainedModel
from ...tokenization import BertTokenizer
from ..fast_dropout import fast_dropout
from ..last_layer import can_look_at_places, last_layer_at, places_to_look
from ..loop import NotFiniteError
from ..run_log import RunLog
from ..word_gradient import WordGradient
from ..world import World
from .kind import Encoded, TaskKind
from .outputs import outputs_of
from .recipe import FineTuningRecipe


class FineTuning:
    """The batches, losses and figures of a kind of task (see `loop.Task`)."""

    sharded = False

    def __init__(
        self,
        model: BertPreTrainedModel,
        tokenizer: BertTokenizer,
        kind: TaskKind,
        train: Encoded,
        evaluation: Encoded,
        recipe: FineTuningRecipe,
        world: World,
    ):
        self.model = model
        self.tokenizer = tokenizer
        self.kind = kind
        self.decisive = kind.decisive
        self.train = train
        self.evaluation = evaluation
        self.recipe = recipe
        self.world = world
        self.module = world.wrap(model)
        self.precision = getattr(torch, recipe.precision)
        self.word_gradient = WordGradient(model.base_model.embeddings.word_embeddings)
        self.order = BatchOrder(train.lengths, recipe.batch_size, recipe.seed, group_by_length=recipe.group_by_length)

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self.recipe.epochs * self.order.batches_per_epoch

    def batch(self, step: int) -> tuple[dict[str, Tensor], float]:
        """This process's part of a step's batch, and its share of the labels that the whole batch has. Steps count from 1."""
        numbers = self.order.batch(step - 1)
        mine = [numbers[index] for index in self.world.share(len(numbers))]
        # In a last batch smaller than the company some have no row: they compute one, for the others wait, and count it for nothing.
        rows = [self.train.row(number, (self.recipe.seed, step, number)) for number in mine or numbers[:1]]
        batch = collate(rows, self.tokenizer)
        weight = self.kind.weight(batch) if mine else 0
        [total] = self.world.sum(weight)
        return {name: column.to(self.world.device) for name, column in batch.items()}, weight / total

    def backward(self, step: int) -> dict[str, float]:
        """The gradients of a step's batch."""
        batch, share = self.batch(step)
        places = self.places(batch)
        with self.less_work(places):  # in backward too, where gradient checkpointing runs layers once more
            with torch.autocast(self.world.device.type, self.precision, enabled=self.precision != torch.float32):
                loss = self.module(**batch).loss if places is None else self.loss_at(places, batch)
            # Gradients are averaged over the processes, and the loss is to be their mean by labels. Alone both factors are 1.
            (loss * (share * self.world.size)).backward()
        [whole] = self.world.sum(float(loss.detach()) * share)
        return {"loss": whole}

    def places(self, batch: dict[str, Tensor]) -> Tensor | None:
        """The labelled positions, (batch, places), where a fast recipe can compute the loss from them alone."""
        if not self.recipe.fast or self.kind.reads != "labelled positions":
            return None
        return places_to_look(batch["labels"])[0] if can_look_at_places(self.model.base_model) else None

    @contextmanager
    def less_work(self, places: Tensor | None) -> Iterator[None]:
        """Within, the forward and backward of a fast recipe leave out what they can."""
        with ExitStack() as ways:
            if self.recipe.fast:
                ways.enter_context(fast_dropout(self.model))
                if self.world.size == 1:  # several processes average whole gradients
                    ways.enter_context(self.word_gradient.kept())
                if places is not None or self.kind.reads == "[CLS]":
                    ways.enter_context(last_layer_at(self.model.base_model, places))
            yield

    def loss_at(self, places: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """The head's loss, of a body that gives its last hidden states at `places` alone."""
        inputs = {name: column for name, column in batch.items() if name != "labels"}
        logits = self.module(**inputs).logits  # (batch, places, classes)
        labels = batch["labels"].gather(1, places)
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)

    def evaluate(self) -> dict[str, float]:
        """The loss and the scores on the evaluation examples. Raises NotFiniteError where there is no such loss."""
        outputs = outputs_of(
            self.model,
            self.evaluation,
            self.kind,
            self.tokenizer,
            self.world,
            batch_size=2 * self.recipe.batch_size,
            precision=self.precision,
        )
        if not math.isfinite(outputs.loss):
            raise NotFiniteError(
                f"The loss on the evaluation examples is {outputs.loss}. Try a lower learning rate, a longer warm-up, or float32."
            )
        return {"loss": outputs.loss, **self.kind.score(self.evaluation, outputs.kept, outputs.loss)}

    def describe(self, figures: dict[str, float]) -> str:
        """In a few words."""
        return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())

    def notice(self, step: int, figures: dict[str, float], log: RunLog) -> None:
        """Nothing but the losses is worth saying."""

    def weights(self) -> dict[str, Tensor]:
        """The model's state dict."""
        return self.model.state_dict()

    def save_model(self, folder: Path, weights: dict[str, Tensor]) -> None:
        """The checkpoint and its tokenizer."""
        self.model.save_pretrained(folder, state_dict=weights)
        self.tokenizer.save_pretrained(folder)

    def state(self) -> dict[str, Any]:
        """The parameters are all there is to remember: batches come from the seed and the step."""
        return {}

    def load(self, folder: Path, state: dict[str, Any]) -> None:  # noqa: ARG002
        """Take up the saved weights."""
        self.model.load_state_dict(type(self.model).from_pretrained(folder).state_dict())
