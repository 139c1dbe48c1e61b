"""What is good to know before a run begins: a training that cannot teach, scores that will say less than they seem to."""

from collections.abc import Iterator

from ..tasks import Encoded
from ..tasks.class_weights import classes_of
from .finetuning_recipe import FEW_STEPS, FineTuningRecipe


def remarks(train: Encoded, evaluation: Encoded, recipe: FineTuningRecipe) -> Iterator[str]:
    """Sentences on the examples to train on and to evaluate on."""
    known = set(train.items)
    if shared := sum(each in known for each in evaluation.items):
        by_heart = "Their scores say what was learned by heart, not how well the model does on new ones."
        yield f"Also trained on: {shared:,} of the {len(evaluation.items):,} examples to evaluate on. {by_heart}"
    if len({each for row in train.rows for each in classes_of(row)}) == 1:
        yield "Everything to train on has one and the same label: there is nothing to tell apart."
    if all(row.get("start_positions") == 0 for row in train.rows):
        yield "No question to train on has an answer: the model will learn to give none."
    batches = -(-len(train.rows) // recipe.batch_size)
    if len(train.rows) < recipe.batch_size:
        yield f"The rows to train on ({len(train.rows):,}) do not fill a batch of {recipe.batch_size:,}: an epoch is one step."
    if (steps := batches * (recipe.epochs or 0)) < FEW_STEPS // 2:
        few = f"The whole run is {steps} {'step' if steps == 1 else 'steps'}, in which a new head learns little"
        yield f"{few}: choose more epochs, or smaller batches."
