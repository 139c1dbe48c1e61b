"""A fine-tuned model at work: measured on a labelled file, or asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...config import BertConfig
from ...data.tasks import Report
from ...model import BertPreTrainedModel
from ...tokenization import BertTokenizer
from ..world import World
from .kind import Examples, TaskKind, saved_settings
from .kinds import kind_of
from .outputs import outputs_of
from .recipe import FineTuningRecipe


@dataclass(frozen=True)
class TrainedModel:
    """A model with what its config tells of its task. max_length: pieces of a row."""

    model: BertPreTrainedModel
    tokenizer: BertTokenizer
    kind: TaskKind
    max_length: int
    world: World

    @classmethod
    def open(cls, name: str, world: World, max_length: int | None = None) -> TrainedModel:
        """Open a checkpoint: a folder, a bundled name or a hub id. max_length: None for the one it was trained with.

        Raises ValueError for a model that was taught no task.
        """
        config = BertConfig.from_pretrained(name)
        kind = kind_of(config, name)
        wanted = max_length if max_length is not None else saved_settings(config).get("max_length")
        length = FineTuningRecipe(max_length=wanted).length(kind.usual_length, config.max_position_embeddings)
        model: BertPreTrainedModel = kind.model_class.from_pretrained(name)
        new = [finding.name for finding in model.loading_report.new] if model.loading_report else []
        if new:
            raise ValueError(f"'{name}' was taught no task: {', '.join(new)} of its head are not in the checkpoint.")
        return cls(model.float().to(world.device), BertTokenizer.from_pretrained(name), kind, length, world)

    def evaluate(self, file: Path, batch_size: int = 32) -> tuple[dict[str, float], Report]:
        """The loss and the scores on a labelled file, and what became of its examples."""
        examples = self.kind.read(file)
        encoded = self.kind.encode(examples, self.tokenizer, self.max_length)
        outputs = outputs_of(self.model, encoded, self.kind, self.tokenizer, self.world, batch_size=batch_size)
        scores = self.kind.score(encoded, outputs.kept, outputs.loss)
        return {"loss": outputs.loss, **scores}, examples.report

    def answers(self, examples: Examples, batch_size: int = 32) -> list[dict[str, Any]]:
        """What the model says to each example; no labels are needed."""
        encoded = self.kind.encode(examples, self.tokenizer, self.max_length)
        outputs = outputs_of(self.model, encoded, self.kind, self.tokenizer, self.world, batch_size=batch_size)
        return self.kind.answers(encoded, outputs.kept)
