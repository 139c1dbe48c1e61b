"""A model's outputs for rows: what scores and answers are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from ...data.tasks import collate, evaluation_batches
from ...model import BertPreTrainedModel
from ...tokenization import BertTokenizer
from ..world import World
from .kind import Encoded, TaskKind


@dataclass(frozen=True)
class Outputs:
    """Of each row, in order, what the kind keeps; and the mean loss, NaN where there are no labels."""

    kept: list[Any]
    loss: float


def outputs_of(
    model: BertPreTrainedModel,
    encoded: Encoded,
    kind: TaskKind,
    tokenizer: BertTokenizer,
    world: World,
    *,
    batch_size: int = 32,
    precision: torch.dtype = torch.float32,
) -> Outputs:
    """Run the model over rows, those of a length together. Several processes share the batches, and all get all outputs."""
    batches = evaluation_batches(encoded.lengths, batch_size)[world.rank :: world.size]
    was_training = model.training
    model.eval()
    found: list[tuple[int, Any]] = []
    losses, weights = [0.0], [0]
    for numbers in batches:
        batch = collate([encoded.rows[number] for number in numbers], tokenizer)
        on_device = {name: column.to(world.device) for name, column in batch.items()}
        with (
            torch.inference_mode(),
            torch.autocast(world.device.type, precision, enabled=precision != torch.float32),
        ):
            outputs = model(**on_device)
        if outputs.loss is not None and kind.weight(batch):  # of no label at all the mean is NaN
            losses.append(float(outputs.loss) * kind.weight(batch))
            weights.append(kind.weight(batch))
        found += zip(numbers, kind.keep(outputs, on_device), strict=True)
    model.train(was_training)
    kept = dict(pair for part in world.gather(found) for pair in part)
    loss, weight = world.sum(math.fsum(losses), sum(weights))
    return Outputs([kept[number] for number in range(len(encoded.rows))], loss / weight if weight else math.nan)
