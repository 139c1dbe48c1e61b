"""How good is a pre-trained model on text it has not seen?"""

from __future__ import annotations

import torch

from ..data.pretraining import PretrainingBatches
from .pretraining_loss import Counts, PretrainingLoss
from .world import World

NEVER_TRAINED = 1 << 40  # a step that no run reaches: the noise of evaluation is its own


def evaluate_pretraining(
    losses: PretrainingLoss,
    batches: PretrainingBatches,
    world: World,
    *,
    number: int = 60,
    rows: int = 64,
    length: int = 128,
    precision: torch.dtype = torch.float32,
) -> dict[str, float]:
    """Figures over `number` batches of `rows` pairs, the same ones every time:

    loss: the sum of the two; words_loss, words_accuracy: of hidden words, nats and share; next_loss, next_accuracy: of pairs.
    """
    was_training = losses.training
    losses.eval()
    total = torch.zeros(6, dtype=torch.float64)
    for index in range(number):
        batch = batches.batch(NEVER_TRAINED + index, index * rows, world.share(rows), length).to(world.device)
        counts = Counts.of(batch)
        with torch.no_grad(), torch.autocast(world.device.type, precision, enabled=precision != torch.float32):
            sums = losses(batch)
        total += torch.tensor([*(float(value) for value in sums), counts.words, counts.pairs], dtype=torch.float64)
    losses.train(was_training)
    words, following, words_right, following_right, all_words, all_pairs = world.sum(*total.tolist())
    figures = {
        "words_loss": words / all_words,
        "words_accuracy": words_right / all_words,
        "next_loss": following / all_pairs,
        "next_accuracy": following_right / all_pairs,
    }
    return {"loss": figures["words_loss"] + figures["next_loss"], **figures}
