"""`minibert predict`: ask a fine-tuned model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..terminal import table
from .options import COLUMNS, FILE, answer_length_option, column_options, json_option, print_json

if TYPE_CHECKING:
    from ..tasks import Examples
    from ..tokenization.wordpiece import TextTokenizer
    from ..training.prediction import TrainedModel

WIDEST = 60
NUMBERS = ("value", "probability", "score", "characters")  # columns aligned to the right
Answer = dict[str, Any]
_HOW = {
    "classify": "TEXT (with --second for a pair), or --file",
    "tag": "TEXT, or --file",
    "qa": "--question and --context, or --file",
    "choose": "TEXT with two or more --choice, or --file",
    "nsp": "TEXT and --second, or --file",
}


@click.command("predict", short_help="Ask a fine-tuned model.")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--model", required=True, metavar="NAME", help="A fine-tuned model: a folder, or a name on the hub.")
@click.option("--second", metavar="TEXT", help="The second text of a pair, for a model of pairs.")
@click.option("--question", metavar="TEXT", help="A question to answer from --context.")
@click.option("--context", metavar="TEXT", help="The text that the answer is taken from.")
@click.option("--choice", "choices", multiple=True, metavar="TEXT", help="A possible ending of TEXT; give two or more.")
@click.option("--file", type=FILE, help="A whole file: as for training, labels not needed; or .txt, a text a line.")
@click.option("--top-k", "-k", default=3, type=click.IntRange(1), help="Show the N likeliest labels or answers.")
@click.option("--max-length", type=click.IntRange(3), help="Cut texts to N pieces.  [default: as in training]")
@click.option("--batch-size", default=32, type=click.IntRange(1), help="Compute N examples at a time.")
@answer_length_option
@column_options
@json_option
def predict(model: str, top_k: int, batch_size: int, as_json: bool, **asked: Any) -> None:
    """A fine-tuned model's answers to TEXTs, a question or a file. Its task is read from its config.

    \b
    minibert predict "The soup was cold." --model my-classifier/model
    minibert predict "It rained." --second "The ground is wet." --model my-pairs/model
    minibert predict "Ada Lovelace lived in London." --model my-tagger/model
    minibert predict --question "Who came?" --context "One evening a stranger came." --model my-reader/model
    minibert predict "The cook lifts the lid." --choice "Steam rises." --choice "It barks." --model my-chooser/model
    """
    from ..training.distributed import Processes
    from ..training.prediction import TrainedModel

    settings = {name: asked.pop(name) for name in ("max_length", "max_answer_length", *COLUMNS)}
    if not asked["file"] and (given := [name for name in COLUMNS if settings[name] is not None]):
        raise ValueError(f"--{given[0].replace('_', '-')} is for a --file: leave it out.")
    trained = TrainedModel.open(model, Processes.alone(), **settings)
    examples = _examples(trained, asked)
    answers = trained.answers(examples, batch_size)
    if (report := examples.report).changed or report.left_out or asked["file"]:
        click.echo(str(report), err=True)  # so that standard output holds the answers only
    if as_json:
        print_json({"model": model, "task": trained.task.name, "answers": answers})
    else:
        click.echo(answer_table(answers, top_k))


def _examples(trained: "TrainedModel", asked: dict[str, Any]) -> "Examples":
    """Examples without labels, of the command's arguments. Raises ValueError where they do not fit the task."""
    from ..tasks import Examples, Report
    from ..tasks.task_files import read_lines

    task = trained.task
    if task.name not in _HOW:
        does, command = {"mlm": ("fills in hidden words", "fill-mask"), "clm": ("continues texts", "generate")}[
            task.name
        ]
        raise ValueError(f"This model {does}. Ask it with: minibert {command} TEXT --model NAME.")
    given, source = {name: value for name, value in asked.items() if value not in (None, ())}, "the command line"
    if file := given.pop("file", None):
        if given:
            raise ValueError("--file brings all there is to ask: leave out TEXT and the other options.")
        if file.suffix.lower() != ".txt" or task.name not in ("classify", "tag"):
            return task.read(file, labelled=False)
        lines = (line.strip() for _, line in read_lines(file))
        given, source = {"texts": list(filter(None, lines))}, str(file)
    items = _items(task.name, given, trained.tokenizer.steps())
    pair = getattr(task, "text_pair", None)  # None: not known
    if task.name == "classify" and pair is not None and bool(pair) != ("second" in given):
        taught = f"pairs, with {pair}: give --second" if pair else "single texts: leave out --second"
        raise ValueError(f"This model was taught {taught}.")
    return Examples(items, Report(source, found=len(items)))


def _items(task: str, given: dict[str, Any], steps: "TextTokenizer") -> list[Any]:
    from ..tasks import ChoiceExample, Question, TaggedSentence, TextExample

    texts, choices = given.get("texts", ()), given.get("choices", ())
    options = [given[name] for name in ("second", "question", "context") if name in given]
    if not all(text.strip() for text in (*texts, *choices, *options)):
        raise ValueError("A text is empty: the model needs at least a word.")
    numbered = [(text, f"text {number}") for number, text in enumerate(texts, start=1)]
    match task, sorted(given):
        case "qa", ["context", "question"]:
            return [Question("0", given["question"].strip(), given["context"], location="the question")]
        case "choose", ["choices", "texts"] if len(texts) == 1 and len(choices) > 1:
            return [ChoiceExample(texts[0], "", choices, location="the text")]
        case "classify" | "nsp", ["second", "texts"] if len(texts) == 1:
            return [TextExample(texts[0], given["second"], location="the pair")]
        case "classify", ["texts"]:
            return [TextExample(text, location=location) for text, location in numbered]
        case "tag", ["texts"]:
            return [TaggedSentence.of_text(text, location, steps) for text, location in numbered]
    raise ValueError(f"This model was taught to {task}: give {_HOW[task]}.")


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
        case {"labels": given, "probabilities": shares}:
            found = [(name, _share(share), "given" if name in given else "") for name, share in shares.items()]
            return ("text", "label", "probability", ""), text, found
        case {"probabilities": shares}:
            return ("text", "label", "probability"), text, [(name, _share(share)) for name, share in shares.items()]
        case _:
            found = [(_short(answer["text_pair"]), _share(answer["probability"]))]
            return ("text", "next?", "probability"), answer["text"], found


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"


def _share(probability: float) -> str:
    return f"{probability:.1%}"
