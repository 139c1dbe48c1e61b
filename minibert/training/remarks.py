"""What is good to know before a run begins: a training that cannot teach, scores that will say less than they seem to."""

from collections.abc import Iterator

from ..tasks import Encoded
from ..tasks.class_weights import classes_of


def remarks(train: Encoded, evaluation: Encoded, batch_size: int) -> Iterator[str]:
    """Sentences on the examples to train on and to evaluate on."""
    known = set(train.items)
    if shared := sum(each in known for each in evaluation.items):
        by_heart = "Their scores say what was learned by heart, not how well the model does on new ones."
        yield f"Also trained on: {shared:,} of the {len(evaluation.items):,} examples to evaluate on. {by_heart}"
    if len({each for row in train.rows for each in classes_of(row)}) == 1:
        yield "Everything to train on has one and the same label: there is nothing to tell apart."
    if all(row.get("start_positions") == 0 for row in train.rows):
        yield "No question to train on has an answer: the model will learn to give none."
    if len(train.rows) < batch_size:
        yield f"The rows to train on ({len(train.rows):,}) do not fill a batch of {batch_size:,}: an epoch is one step."
