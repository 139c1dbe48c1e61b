"""`minibert finetune`: train a pre-trained model for a task, from a file of examples."""

from typing import Any

import click

from ..terminal import echo
from .kinds import FILE, Count, Number
from .options import ANSWER_LENGTH_HELP, COLUMNS, column_options, in_options, in_order, model_option
from .pretrain import draw_curve, exit_if_stopped, training_options

_LABELS = click.Choice(["single", "multi", "number"])
_EVAL_HELP = "Evaluate on the examples of this file.  [default: a share of --train, held out]"
_SHARE_HELP = "Hold out this share of --train where there is no --eval."
_BY_EXAMPLES = "3; more of few examples, to take 100 steps"
_WARMUP_HELP = "Let the learning rate grow over this share of the steps; then it follows --schedule."
_FREEZE_HELP = "Do not train these: body, or parts of parameter names such as embeddings,encoder.layer.0-3."
_WEIGHTS_HELP = "Weight the classes in the loss: balanced (rare ones more); a number for each label; or NAME=NUMBER,… ."
_PATIENCE_HELP = "Stop after N evaluations without improvement; 0: never."
_LENGTH_HELP = "Cut texts to N pieces.  [default: 128, with questions 384, where the model has as many positions]"
_SELECT_HELP = "Choose the best model by this score; an unknown one lists all.  [default: the task's first]"
_FAST_HELP = "Do less work for the same equations; the last digits and the dropout masks then differ."

recipe_options = in_order(
    [
        model_option,
        click.option("--train", "train_file", required=True, type=FILE, help="Train on the examples of this file."),
        click.option("--eval", "evaluation_file", type=FILE, help=_EVAL_HELP),
        click.option("--eval-share", default=0.2, type=Number(0, 1, min_open=True, max_open=True), help=_SHARE_HELP),
        training_options(None, ("float32", "bfloat16"), every=0, seeded="the new head, batch order and dropout"),
        click.option("--epochs", type=Count(1), show_default=_BY_EXAMPLES, help="Train on every example N times."),
        click.option("--batch-size", default=16, type=Count(1), help="Put N examples in a batch."),
        click.option("--warmup", default=0.1, type=Number(0, 1), help=_WARMUP_HELP),
        click.option("--freeze", default="", show_default=False, metavar="PARTS", help=_FREEZE_HELP),
        click.option(
            "--weight-decay", default=0.01, type=Number(0), help="Apply a weight decay of X to matrices only."
        ),
        click.option("--max-length", type=Count(3), help=_LENGTH_HELP),
        click.option("--patience", default=0, type=Count(0), help=_PATIENCE_HELP),
        click.option("--select", metavar="SCORE", help=_SELECT_HELP),
        click.option("--fast", is_flag=True, help=_FAST_HELP),
    ]
)
class_weights_option = click.option("--class-weights", metavar="WEIGHTS", help=_WEIGHTS_HELP)


@click.group("finetune", short_help="Train a model for a task.")
def finetune() -> None:
    """Train a pre-trained model for a task, from a file of examples.

    Every run prints how many examples it used, ends with a table of its evaluations, and leaves in its folder the best model
    (model/), its log and its curve. Run the same command again to resume a run that was stopped. On Linux, memory that one step frees
    is used again by the next, and AdamW works in blocks: both change no bit.
    """


@finetune.command("classify", short_help="Label texts or pairs of texts, or rate them.")
@recipe_options
@class_weights_option
@click.option("--labels", default="single", type=_LABELS, help="Give one label, several (between |), or a number.")
@column_options
def classify(labels: str, **options: Any) -> None:
    """Label texts or pairs of texts, with one label, several or a number, from a .csv, .tsv or .jsonl table. Usual columns are found.

    \b
    minibert finetune classify --train train.csv --eval test.csv --out my-classifier
    minibert predict "A quiet place with good bread." --model my-classifier/model
    """
    from ..tasks.classification import MULTI, REGRESSION, SINGLE

    problem_type = {"single": SINGLE, "multi": MULTI, "number": REGRESSION}[labels]
    _run("classify", options, problem_type=problem_type)


@finetune.command("tag", short_help="Tag every word.")
@recipe_options
@class_weights_option
@click.option("--word", metavar="COLUMN", help="Column with the words, by name or number.  [default: the usual one]")
@click.option("--tag", metavar="COLUMN", help="Column with the tags, by name or number.  [default: the usual one]")
@click.option("--columns", metavar="A,B,…", help="Names for the columns of a file without a header: word,pos,tag.")
def tag(word: str | None, tag: str | None, columns: str | None, **options: Any) -> None:
    """Tag every word, from columns (CoNLL, .conllu, .csv) or JSON with words and tags.

    \b
    minibert finetune tag --train train.conll --eval test.conll --out my-tagger
    minibert predict "Ada Lovelace lived in London." --model my-tagger/model
    """
    _run("tag", options, word=word, tag=tag, columns=tuple(map(str.strip, columns.split(","))) if columns else ())


@finetune.command("qa", short_help="Answer questions from a text.")
@recipe_options
@click.option("--stride", default=128, type=Count(0), help="Let neighbouring windows of a long text share N pieces.")
@click.option("--max-answer-length", default=30, type=Count(1), help=ANSWER_LENGTH_HELP)
def qa(stride: int, max_answer_length: int, **options: Any) -> None:
    """Answer questions with a stretch of a text, from SQuAD's JSON, 1.1 or 2.0.

    \b
    minibert finetune qa --train train.json --eval dev.json --out my-reader
    minibert predict --question "Who came?" --context "One evening Ada Lovelace came." --model my-reader/model
    """
    _run("qa", options, stride=stride, max_answer_length=max_answer_length)


@finetune.command("choose", short_help="Choose the right one of several endings.")
@recipe_options
@column_options
def choose(**options: Any) -> None:
    """Choose the right one of several endings, from a table like SWAG's, HellaSwag's, RACE's or CommonsenseQA's.

    \b
    minibert finetune choose --train train.csv --eval val.csv --out my-chooser
    minibert predict "The cook lifts the lid." --choice "Steam rises." --choice "It barks." --model my-chooser/model
    """
    _run("choose", options)


@finetune.command("nsp", short_help="Tell whether a sentence follows another.")
@recipe_options
def nsp(**options: Any) -> None:
    """Tell whether a sentence follows another, from text with a sentence a line and an empty line between documents.

    \b
    minibert finetune nsp --train train.txt --eval test.txt --out my-model
    minibert predict "It rained." --second "The ground was wet." --model my-model/model
    """
    _run("nsp", options, seed=options["seed"])


@finetune.command("mlm", short_help="Adapt a model to your texts, by hidden words.")
@recipe_options
@click.option("--whole-words", is_flag=True, help="Hide whole words, not pieces.")
def mlm(whole_words: bool, **options: Any) -> None:
    """Adapt a model to your domain before another task: it fills in hidden words of plain text, passages with an empty line between.

    \b
    minibert finetune mlm --train law.txt --eval more-law.txt --out my-model
    minibert finetune classify --model my-model/model --train train.csv --eval test.csv --out my-classifier
    """
    _run("mlm", options, whole_words=whole_words)


@finetune.command("clm", short_help="Train a decoder for `minibert generate`.")
@recipe_options
def clm(**options: Any) -> None:
    """Train a decoder for `minibert generate`: it predicts the next word of plain text, passages with an empty line between.

    \b
    minibert finetune clm --train novel.txt --eval another.txt --lr 5e-4 --out my-decoder
    minibert generate "It was a dark and" --model my-decoder/model --sample --seed 1
    """
    _run("clm", options)


def _run(name: str, options: dict[str, Any], **fields: Any) -> None:
    from ..tasks import TASKS
    from ..training import FineTuningRecipe, finetune
    from ..training.distributed import join_processes

    def say(text: str) -> None:
        echo(in_options(text, click.get_current_context().command))

    fields |= {field: value for field in COLUMNS if (value := options.pop(field, None)) is not None}
    task = next(each for each in TASKS if each.name == name)(**fields)
    model, out = options.pop("model"), options["out"]
    run = {name: options.pop(name) for name in ("train_file", "evaluation_file", "out", "save_every")}
    with join_processes() as processes:
        run |= {"processes": processes, "say": say if processes.leads else lambda _text: None}
        _, best = finetune(task, model, recipe=FineTuningRecipe(**options), adamw="blocked", **run)
    if processes.leads and best["step"] is not None:
        draw_curve(out, metric="loss", name="loss")
    exit_if_stopped(best)
