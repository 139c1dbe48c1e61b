"""How to fine-tune: the numbers of BERT's paper (appendix A.3) by default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FineTuningRecipe:
    """Everything here shapes the numbers, so a run cannot be resumed with another recipe.

    epochs: times every example is shown. warmup: share of the steps in which the learning rate grows to `lr`; then it falls to 0 in
    a line. max_length: pieces of a row, None for what is usual with the task. patience: evaluations without a better one
    after which training stops, 0 for never. evaluate_every: steps, 0 for once an epoch. group_by_length: batches of texts of about one
    length. precision: "float32" or "bfloat16" (autocast). attention: "eager" gives the reference's bits; "sdpa" and "packed" are
    faster with long rows. fast: the same equations with less work, with other last digits and other dropout masks: AdamW in one
    pass, masks drawn four values at a time, the word embeddings' gradient in memory that stays, and a last layer that computes nothing
    but what the loss reads.
    """

    epochs: int = 3
    batch_size: int = 16
    lr: float = 5e-5
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    max_length: int | None = None
    patience: int = 0
    evaluate_every: int = 0
    group_by_length: bool = True
    precision: str = "float32"
    attention: str = "eager"
    fast: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("patience", 0), ("evaluate_every", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least {least}.")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup is {self.warmup}; it is a share of the steps, from 0 to 1.")
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision is {self.precision!r}; choose float32 or bfloat16.")

    def length(self, usual: int, positions: int) -> int:
        """Pieces of a row for a model of so many positions. Raises ValueError where it has too few."""
        if self.max_length is None:
            return min(usual, positions)
        if not 3 <= self.max_length <= positions:
            raise ValueError(
                f"max_length is {self.max_length}; the model has {positions} positions, so choose 3 to {positions}."
            )
        return self.max_length
