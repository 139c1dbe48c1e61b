"""`minibert eval`: how good is a model on text it has not seen?"""

from pathlib import Path
from typing import Any

import click

from ..terminal import echo
from .kinds import FILE, PREPARED, Count
from .options import answer_length_option, column_options, json_option, model_option, print_json

_LENGTH_HELP = "Cut texts to N pieces.  [default: with --data 128, else as in training]"


@click.command("eval", short_help="Evaluate a model on held-out text or a labelled file.")
@model_option
@click.option("--data", type=PREPARED, help="Evaluate on the held-out text that `minibert data prepare` made.")
@click.option("--file", type=FILE, help="Evaluate a fine-tuned model on this labelled file.")
@click.option("--batches", default=60, type=Count(1), help="Score N batches of --data.")
@click.option("--rows", default=64, type=Count(1), help="Put N pairs or examples in a batch.")
@click.option("--length", "max_length", type=Count(8), help=_LENGTH_HELP)
@answer_length_option
@column_options
@json_option
def evaluate(
    model: str, data: Path | None, file: Path | None, batches: int, rows: int, as_json: bool, **settings: Any
) -> None:
    """Measure a model on text or examples that it has not seen. With --data: loss and accuracy on hidden words and next
    sentences of the held-out text, with the same pairs and masks every time; the last layer is computed only where it is read.
    With --file: the loss and the scores of a fine-tuned model's task. Both are computed by minibert.fast: the same numbers up to rounding.

    \b
    minibert data prepare novels/ --out corpus
    minibert eval --data corpus
    minibert eval --data corpus --model my-bert/model
    minibert eval --model my-classifier/model --file test.csv
    """
    if (data is None) == (file is None):
        raise click.UsageError("Give either --data, for a pre-trained model, or --file, for a fine-tuned one.")
    given = [name.replace("_", "-") for name in settings if settings[name] is not None and name != "max_length"]
    if file is None and given:
        raise click.UsageError(f"--{given[0]} is for a --file of questions or examples.")
    from ..training.distributed import Processes
    from ..training.prediction import TrainedModel

    if file is not None:
        metrics, report = TrainedModel.open(model, Processes.alone(), fast=True, **settings).evaluate(file, rows)
        echo(str(report), err=as_json)
        width = max(map(len, metrics))
        lines = [f"{name.replace('_', ' '):{width}}  {value:.3f}" for name, value in metrics.items()]
    if data is not None:
        metrics, lines = _pretraining_metrics(model, data, batches, rows=rows, length=settings["max_length"] or 128)
    if as_json:
        print_json(metrics)
    else:
        echo("\n".join(lines))


def _pretraining_metrics(
    model: str, data: Path, batches: int, *, rows: int, length: int
) -> tuple[dict[str, float], list[str]]:
    from ..data.corpus import HELD_OUT, PreparedData
    from ..data.pretraining_batches import PretrainingBatches
    from ..heads.pretraining import BertForPreTraining
    from ..tokenization import BertTokenizer
    from ..training.distributed import Processes
    from ..training.pretraining_loss import PretrainingLoss, evaluate_pretraining

    prepared = PreparedData.open(data)
    tokenizer = BertTokenizer.from_pretrained(model)
    prepared.check_vocabulary(tokenizer)
    processes = Processes.alone()
    losses = PretrainingLoss(BertForPreTraining.from_pretrained(model).float()).to(processes.device)
    pairs = PretrainingBatches(prepared.corpus(HELD_OUT), tokenizer, seed=0)
    metrics = evaluate_pretraining(losses, pairs, processes, number=batches, rows=rows, length=length, fast=True)
    metrics["unigram_entropy"] = prepared.unigram_entropy
    return metrics, [
        f"hidden words    {metrics['words_loss']:.3f} nats   {metrics['words_accuracy']:.1%} right",
        f"next sentence   {metrics['next_loss']:.3f} nats   {metrics['next_accuracy']:.1%} right",
        f"counting words  {metrics['unigram_entropy']:.3f} nats",
    ]
