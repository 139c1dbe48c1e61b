"""`minibert eval`: how good is a model on text it has not seen?"""

from __future__ import annotations

from pathlib import Path

import click

from .options import json_option, model_option, print_json


@click.command("eval", short_help="Measure a model on held-out text.")
@model_option
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="Text made ready by `minibert data prepare`."
)
@click.option("--batches", default=60, show_default=True, type=click.IntRange(1), help="How many batches.")
@click.option("--rows", default=64, show_default=True, type=click.IntRange(1), help="Pairs in a batch.")
@click.option("--length", default=128, show_default=True, type=click.IntRange(8), help="Positions of a pair.")
@json_option
def evaluate(model: str, data: Path, batches: int, rows: int, length: int, as_json: bool) -> None:
    """Loss and accuracy on hidden words and next sentences of the held-out part. The same pairs and masks every time.

    \b
    minibert data prepare novels/ --out corpus
    minibert eval --data corpus
    """
    import torch

    from ..data.corpus import HELD_OUT, PreparedData
    from ..data.pretraining import PretrainingBatches
    from ..heads.pretraining import BertForPreTraining
    from ..tokenization import BertTokenizer
    from ..training.evaluation import evaluate_pretraining
    from ..training.pretraining_loss import PretrainingLoss
    from ..training.world import World, best_device

    prepared = PreparedData.open(data)
    tokenizer = BertTokenizer.from_pretrained(model)
    prepared.check_vocabulary(tokenizer)
    network = BertForPreTraining.from_pretrained(model).float()
    world = World(0, 1, best_device())
    pairs = PretrainingBatches.of(prepared.corpus(HELD_OUT), tokenizer, seed=0)
    figures = evaluate_pretraining(
        PretrainingLoss(network).to(world.device),
        pairs,
        world,
        number=batches,
        rows=rows,
        length=length,
        precision=torch.float32,
    )
    figures["unigram_entropy"] = prepared.unigram_entropy
    if as_json:
        print_json(figures)
        return
    click.echo(f"hidden words    {figures['words_loss']:.3f} nats   {figures['words_accuracy']:.1%} right")
    click.echo(f"next sentence   {figures['next_loss']:.3f} nats   {figures['next_accuracy']:.1%} right")
    click.echo(f"counting words  {figures['unigram_entropy']:.3f} nats")
