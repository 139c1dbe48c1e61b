"""What a fine-tuning run chooses, and what is usual where it does not."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from .recipe import TrainingRecipe, check_at_least, check_whole

USUAL_EPOCHS = 3  # appendix A.3 of BERT's paper
FEW_STEPS = 100  # in which a new head learns little


@dataclass(frozen=True, kw_only=True)
class FineTuningRecipe(TrainingRecipe):
    """How to fine-tune: the numbers of BERT's paper (appendix A.3) by default.

    lr, epochs: None for what is usual for the model's width and the number of examples, `usual_lr` and `usual_epochs`. epochs: times every
    example is shown. warmup: share of the steps in which the learning rate grows to `lr`. freeze: parts that are not trained, as `freeze`
    takes them. class_weights: as the function takes them, None for 1 each. max_length: pieces of a row, None for what is usual with the
    task. patience: evaluations without a better one after which training stops, 0 for never. evaluate_every: steps, 0 for once an epoch,
    of more than 20 epochs for 20 times. group_by_length: batches of texts of about one length. select: the score by which the best
    evaluation is chosen, None for the task's first. eval_share: how much of the training examples is held out where there is no file to
    evaluate on. fast: with `minibert.fast.training_steps`, and AdamW in one pass; last digits and dropout masks are not the reference's.
    """

    epochs: int | None = None
    batch_size: int = 16
    lr: float | None = None
    warmup: float = 0.1
    freeze: str | tuple[str, ...] | None = ""
    class_weights: str | tuple[float, ...] | None = None
    max_length: int | None = None
    patience: int = 0
    evaluate_every: int = 0
    group_by_length: bool = True
    select: str | None = None
    eval_share: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        optional = {"epochs": self.epochs, "max_length": self.max_length}
        check_whole(1, batch_size=self.batch_size, **{name: n for name, n in optional.items() if n is not None})
        check_whole(0, patience=self.patience, evaluate_every=self.evaluate_every)
        if not isinstance(self.freeze, str):
            object.__setattr__(self, "freeze", ",".join(self.freeze or ()))
        check_at_least(0, warmup=self.warmup, eval_share=self.eval_share)
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup is {self.warmup}; it is a share of the steps, from 0 to 1.")
        if not 0 < self.eval_share < 1:
            raise ValueError(f"eval_share is {self.eval_share}; it is a share of the examples, between 0 and 1.")

    def completed(self, hidden_size: int, examples: int, say: Callable[[str], None]) -> "FineTuningRecipe":
        """This recipe with a learning rate and epochs for a model of this width and so many examples, where it has none; says which."""
        lr = usual_lr(hidden_size) if self.lr is None else self.lr
        epochs = usual_epochs(examples, self.batch_size) if self.epochs is None else self.epochs
        if self.lr is None:
            say(f"Learning rate: {lr:g}, as usual for the model's width; choose another with lr=….")
        if self.epochs is None:
            why = "as usual" if epochs == USUAL_EPOCHS else f"because {examples:,} examples are few"
            say(f"Epochs: {epochs}, {why}; choose another number with epochs=….")
        return replace(self, lr=lr, epochs=epochs)


def usual_lr(hidden_size: int) -> float:
    """A learning rate for a model of this width, to one digit: 5e-5 for BERT-base (appendix A.3), up to 1e-3 the narrower it is.

    The exponent is from trials with the bundled model, of width 256, which learns questions' kinds (TREC) best at about 3e-4.
    """
    return min(1e-3, float(f"{5e-5 * (768 / hidden_size) ** 1.6:.0e}"))


def usual_epochs(examples: int, batch_size: int) -> int:
    """3, or as many as come to `FEW_STEPS`: of 50 examples, in batches of 16, 25."""
    return max(USUAL_EPOCHS, -(-FEW_STEPS // -(-examples // batch_size)))
