"""`minibert finetune`: train a pre-trained model for a task, from a file of examples."""

from pathlib import Path
from typing import Any

import click

from .options import ANSWER_LENGTH_HELP, COLUMNS, column_options, in_order, model_option
from .pretrain import exit_if_stopped, finish, training_options

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_POSITIVE, _NOT_NEGATIVE, _SHARE = click.IntRange(1), click.IntRange(0), click.FloatRange(0, 1)
_LABELS = click.Choice(["single", "multi", "number"])
_WARMUP_HELP = "The share of the steps in which the learning rate grows."
_FREEZE_HELP = "Do not train these: body, or parts of parameter names such as embeddings,encoder.layer.0-3."
_WEIGHTS_HELP = "Let rare classes weigh more in the loss: balanced; a number for each label; or NAME=NUMBER,… ."
_PATIENCE_HELP = "Stop after N evaluations without a better one; 0 never stops."
_LENGTH_HELP = "Cut texts to N pieces.  [default: 128, with questions 384, where the model has as many positions]"
_SELECT_HELP = "Choose the best model by this score.  [default: the task's first; an unknown one lists them]"
_FAST_HELP = "Do less work for the same equations; the last digits and the dropout masks then differ."

recipe_options = in_order(
    [
        model_option,
        click.option("--train", "train_file", required=True, type=_FILE, help="The examples to train on."),
        click.option("--eval", "evaluation_file", required=True, type=_FILE, help="The examples to evaluate on."),
        training_options(None, ("float32", "bfloat16"), every=0, seeded="the new head, the batches and dropout"),
        click.option("--epochs", default=3, type=_POSITIVE, help="Train on every example N times."),
        click.option("--batch-size", default=16, type=_POSITIVE, help="Put N examples in a batch."),
        click.option("--warmup", default=0.1, type=_SHARE, help=_WARMUP_HELP),
        click.option("--freeze", default="", metavar="PARTS", help=_FREEZE_HELP),
        click.option("--weight-decay", default=0.01, type=click.FloatRange(0), help="The decay of all matrices."),
        click.option("--max-length", type=click.IntRange(3), help=_LENGTH_HELP),
        click.option("--patience", default=0, type=_NOT_NEGATIVE, help=_PATIENCE_HELP),
        click.option("--select", metavar="SCORE", help=_SELECT_HELP),
        click.option("--fast", is_flag=True, help=_FAST_HELP),
    ]
)
class_weights_option = click.option("--class-weights", metavar="WEIGHTS", help=_WEIGHTS_HELP)


@click.group("finetune", short_help="Train a model for a task.")
def finetune() -> None:
    """Train a pre-trained model for a task, from a file of examples.

    Every run prints how many examples it used, ends with a table of its evaluations, and leaves in its folder the best model
    (model/), its log and its curve. The same command goes on where it was stopped. On Linux memory that a step frees is kept for the
    next, and AdamW works in blocks: both change no bit.
    """


@finetune.command("classify", short_help="A label for a text or a pair.")
@recipe_options
@class_weights_option
@click.option("--labels", default="single", type=_LABELS, help="One label, several (names between |), or a number.")
@column_options
def classify(labels: str, **options: Any) -> None:
    """One label, several labels or a number for a text or a pair, from a .csv, .tsv or .jsonl table. Usual columns are found.

    \b
    minibert finetune classify --train train.csv --eval test.csv --out my-classifier
    minibert predict "A quiet place with good bread." --model my-classifier/model
    """
    from ..tasks.classification import MULTI, REGRESSION, SINGLE

    problem_type = {"single": SINGLE, "multi": MULTI, "number": REGRESSION}[labels]
    _run("classify", options, problem_type=problem_type)


@finetune.command("tag", short_help="A tag for every word.")
@recipe_options
@class_weights_option
@click.option(
    "--word", metavar="COLUMN", help="The words' column: its name, or its number from 1.  [default: as usual]"
)
@click.option("--tag", metavar="COLUMN", help="The tags' column: its name, or its number.  [default: as usual]")
@click.option("--columns", default="", metavar="NAMES", help="All columns of a file without a header: word,pos,tag.")
def tag(word: str | None, tag: str | None, columns: str, **options: Any) -> None:
    """A tag for every word, from columns (CoNLL, .conllu, .csv) or JSON with words and tags.

    \b
    minibert finetune tag --train train.conll --eval test.conll --out my-tagger
    """
    _run("tag", options, word=word, tag=tag, columns=tuple(map(str.strip, columns.split(","))) if columns else ())


@finetune.command("qa", short_help="Answers that stand in a text.")
@recipe_options
@click.option("--stride", default=128, type=_NOT_NEGATIVE, help="Let two windows of a long text share N pieces.")
@click.option("--max-answer-length", default=30, type=_POSITIVE, help=ANSWER_LENGTH_HELP)
def qa(stride: int, max_answer_length: int, **options: Any) -> None:
    """Answers that stand in a text, from SQuAD's JSON, 1.1 or 2.0.

    \b
    minibert finetune qa --train train.json --eval dev.json --out my-reader
    minibert predict --question "Who came?" --context "One evening a stranger came." --model my-reader/model
    """
    _run("qa", options, stride=stride, max_answer_length=max_answer_length)


@finetune.command("choose", short_help="The right one of several endings.")
@recipe_options
@column_options
def choose(**options: Any) -> None:
    """The right one of several endings, from a table like SWAG's, HellaSwag's, RACE's or CommonsenseQA's.

    \b
    minibert finetune choose --train train.csv --eval val.csv --out my-chooser
    """
    _run("choose", options)


@finetune.command("nsp", short_help="Whether a sentence follows another.")
@recipe_options
def nsp(**options: Any) -> None:
    """Whether a sentence follows another, from text with a sentence a line and an empty line between documents.

    \b
    minibert finetune nsp --train train.txt --eval test.txt --out my-model
    """
    _run("nsp", options, seed=options["seed"])


@finetune.command("mlm", short_help="Hidden words of your own texts.")
@recipe_options
@click.option("--whole-words", is_flag=True, help="Hide whole words, not pieces.")
def mlm(whole_words: bool, **options: Any) -> None:
    """Hidden words of plain text, passages with an empty line between: for a model to know your texts before another task.

    \b
    minibert finetune mlm --train law.txt --eval more-law.txt --out my-model
    minibert finetune classify --model my-model/model --train train.csv --eval test.csv --out my-classifier
    """
    _run("mlm", options, whole_words=whole_words)


@finetune.command("clm", short_help="The next word: a decoder for `minibert generate`.")
@recipe_options
def clm(**options: Any) -> None:
    """The next word of plain text, passages with an empty line between: a decoder that `minibert generate` continues texts with.

    \b
    minibert finetune clm --train novel.txt --eval another.txt --lr 5e-4 --out my-decoder
    minibert generate "It was a dark and" --model my-decoder/model --sample --seed 1
    """
    _run("clm", options)


def _run(name: str, options: dict[str, Any], **fields: Any) -> None:
    from ..config import BertConfig
    from ..fast.training import keep_freed_memory
    from ..tasks import TASKS
    from ..training.distributed import join_processes
    from ..training.finetuning import FineTuningRecipe, finetune, usual_lr
    from ..training.run_files import read_log, results_table

    keep_freed_memory()
    fields |= {field: value for field in COLUMNS if (value := options.pop(field, None)) is not None}
    task = next(each for each in TASKS if each.name == name)(**fields)
    model, out = options.pop("model"), options["out"]
    run = {name: options.pop(name) for name in ("train_file", "evaluation_file", "out", "save_every")}
    by_width = options["lr"] is None
    if by_width:
        options["lr"] = usual_lr(BertConfig.from_pretrained(model).hidden_size)
    with join_processes() as processes:
        if by_width and processes.leads:
            click.echo(f"Learning rate: {options['lr']:g}, as usual for the model's width; --lr changes it.")
        run |= {"processes": processes, "say": click.echo if processes.leads else lambda _text: None}
        _, best = finetune(task, model, recipe=FineTuningRecipe(**options), adamw="blocked", **run)
    if processes.leads and best["step"] is not None:
        click.echo(results_table(read_log(out / "log.jsonl"), int(best["step"])))
        finish(out, int(best["step"]), metric="loss", name="loss")
    exit_if_stopped(best)
