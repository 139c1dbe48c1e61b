"""`minibert predict`: ask a fine-tuned model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ..terminal import echo, table
from .kinds import FILE, TEXT, Count, standard_input
from .options import COLUMNS, answer_length_option, column_options, json_option, print_json

if TYPE_CHECKING:
    from ..tasks import Examples
    from ..training.prediction import TrainedModel

WIDEST = 60
NUMBERS = ("value", "probability", "score", "characters")  # columns aligned to the right
Answer = dict[str, Any]
# What a model of each task is asked with: the arguments, and how to give them
_HOW = {
    "classify": (("texts", "second"), "TEXT (with --second for a pair), or --file"),
    "tag": (("texts",), "TEXT, or --file"),
    "qa": (("question", "context"), "--question and --context, or --file"),
    "choose": (("texts", "choices"), "TEXT with two or more --choice, or --file"),
    "nsp": (("texts", "second"), "TEXT and --second, or --file"),
}


@click.command("predict", short_help="Ask a fine-tuned model.")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--model",
    required=True,
    metavar="NAME",
    help="Ask this fine-tuned model: a folder, or a name on the Hugging Face hub.",
)
@click.option("--second", type=TEXT, help="Ask about a pair: TEXT and this one.")
@click.option("--question", type=TEXT, help="Ask this question about --context.")
@click.option("--context", type=TEXT, help="Take the answer from this text.")
@click.option("--choice", "choices", multiple=True, type=TEXT, help="Offer this ending of TEXT; give two or more.")
@click.option(
    "--file",
    type=FILE,
    help="Ask about a whole file: a table as for training, labels not needed; or .txt, for models of single texts, a text a line.",
)
@click.option("--top-k", "-k", default=3, type=Count(1), help="Show the N likeliest labels or answers.")
@click.option("--max-length", type=Count(3), help="Cut texts to N pieces.  [default: as in training]")
@click.option("--batch-size", default=32, type=Count(1), help="Compute N examples at a time.")
@answer_length_option
@column_options
@json_option
def predict(model: str, top_k: int, batch_size: int, as_json: bool, **asked: Any) -> None:
    """Ask a fine-tuned model about TEXTs, a question or a file. The task is read from the model's config. "-" as TEXT stands for the
    lines of standard input, a text each. Computed by minibert.fast: the same numbers up to rounding.

    \b
    minibert predict "The soup was cold." --model my-classifier/model
    minibert predict "It rained." --second "The ground is wet." --model my-pairs/model
    minibert predict "Ada Lovelace lived in London." --model my-tagger/model
    minibert predict --question "Who came?" --context "One evening Ada Lovelace came." --model my-reader/model
    minibert predict "The cook lifts the lid." --choice "Steam rises." --choice "It barks." --model my-chooser/model
    """
    from ..training.distributed import Processes
    from ..training.prediction import TrainedModel

    settings = {name: asked.pop(name) for name in ("max_length", "max_answer_length", *COLUMNS)}
    if not asked["file"] and (given := [name for name in COLUMNS if settings[name] is not None]):
        raise ValueError(f"--{given[0].replace('_', '-')} is for a --file: leave it out.")
    if "-" in asked["texts"]:
        lines = filter(str.strip, standard_input().replace("\r\n", "\n").split("\n"))  # a form feed ends none
        asked["texts"] = tuple(each for text in asked["texts"] for each in (lines if text == "-" else [text]))
    trained = TrainedModel.open(model, Processes.alone(), fast=True, **settings)
    examples = _examples(trained, {name: value for name, value in asked.items() if value not in (None, ())})
    answers = trained.answers(examples, batch_size)
    if (report := examples.report).changed or report.left_out or asked["file"]:
        echo(str(report), err=True)  # so that standard output holds the answers only
    if asked["file"]:
        answers = [{"location": each.location, **answer} for each, answer in zip(examples.items, answers, strict=True)]
    if as_json:
        found = {"model": model, "task": trained.task.name, "answers": answers}
        print_json({**found, "left_out": report.left_out})  # the locations of what has no answer, by reason
    else:
        echo(answer_table(answers, top_k))


def _examples(trained: "TrainedModel", given: dict[str, Any]) -> "Examples":
    """Examples without labels, of the command's arguments. Raises ValueError where they do not fit the task."""
    from ..tasks.task_files import Examples, read_lines

    task, file = trained.task, given.pop("file", None)
    if task.name not in _HOW:
        raise ValueError(f"This model {task.does}: {task.asked}.")
    if file and given:
        raise ValueError("--file brings all there is to ask: leave out TEXT and the other options.")
    if file and (file.suffix.lower() != ".txt" or task.name not in ("classify", "tag")):
        return task.read(file, labelled=False)
    if file:
        lines = [(location, line.strip()) for location, line in read_lines(file) if line.strip()]
        ends = [line.split()[1:][-1:] for _, line in lines]
        if task.name == "tag" and lines and all(end and end[0] in task.labels.names for end in ends):
            tags = "every line ends in a tag of this model"
            raise ValueError(
                f"'{file}' is read as a text a line, but {tags}: name it .conll if it holds a word a line."
            )
        items, report = trained.examples([line for _, line in lines], str(file))
        found = zip(items, lines, strict=True)
        return Examples([replace(item, location=location) for item, (location, _) in found], report)
    options, how = _HOW[task.name]
    texts = [*given.get("texts", ()), *(given[name] for name in options if isinstance(given.get(name), str))]
    texts += given.get("choices", ())
    asked = [texts] if given.keys() - {"texts"} else [[text] for text in texts]
    fits = all(len(each) in task.number_of_texts for each in asked)
    if not fits or options[0] not in given or given.keys() - {*options}:
        raise ValueError(f"This model {task.does}: give {how}.")
    return trained.examples(asked, "the command line")


def answer_table(answers: Sequence[Answer], top_k: int) -> str:
    """A table of all answers, of each at most `top_k` lines; entities and words all. What was asked is printed once."""
    rows, columns = [], tuple[str, ...]()
    for answer in answers:
        columns, asked, lines = _layout(answer)
        shown = lines if "words" in answer else lines[:top_k]
        rows += [("" if number else _short(asked), *line) for number, line in enumerate(shown)]
    return table(columns, rows, right=[i for i, name in enumerate(columns) if name in NUMBERS])


def _layout(answer: Answer) -> tuple[tuple[str, ...], str, list[tuple[str, ...]]]:
    """The columns of an answer's table, what was asked, and the lines that answer it, by the answer's keys."""
    text = " │ ".join(answer[name] for name in ("text", "text_pair") if name in answer)
    found: list[tuple[str, ...]] = []
    match answer:
        case {"value": value}:
            return ("text", "value"), text, [(f"{value:.3f}",)]
        case {"entities": entities}:
            found = [(each["text"], each["type"], _share(each["probability"])) for each in entities]
            return ("text", "entity", "type", "probability"), text, found or [("none", "", "")]
        case {"words": words, "tags": tags, "probabilities": shares}:
            found = list(zip(words, tags, map(_share, shares), strict=True))
            return ("text", "word", "tag", "probability"), text, found
        case {"question": question, "candidates": candidates}:
            for each in candidates:
                characters = f"{each['start']}–{each['end']}" if each["text"] else ""
                scores = (_share(each["probability"]), f"{each['score']:.2f}")
                found.append((_short(each["text"]) or "no answer", *scores, characters))
            return ("question", "answer", "probability", "score", "characters"), question, found
        case {"context": context, "beginning": beginning, "endings": endings}:
            ordered = sorted(endings, key=lambda each: -each["probability"])
            found = [(_short(each["text"]), _share(each["probability"])) for each in ordered]
            return ("text", "ending", "probability"), f"{context} {beginning}", found
        case {"probabilities": shares}:
            given = answer.get("labels", ())  # of several
            found = [(name, _share(share), "given" if name in given else "") for name, share in shares.items()]
            return ("text", "label", "probability", ""), text, found
        case _:
            found = [(_short(answer["text_pair"]), _share(answer["probability"]))]
            return ("text", "next?", "probability"), answer["text"], found


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"


def _share(probability: float) -> str:
    return f"{probability:.1%}"
