"""`minibert fill-mask`: the likeliest words for each blank of a text, or of every line of a file."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from ..terminal import display_width, echo, pad, table
from ..visible import visible
from .kinds import TEXT, TEXT_FILE, Count
from .options import json_option, model_option, print_answer, print_json, require_word_head, warn_if_long

Blank = dict[str, Any]  # position: among the tokens; predictions: each a token, its id and probability


@click.command("fill-mask")
@click.argument("text", type=TEXT, required=False)
@click.option("--file", type=TEXT_FILE, help="Fill in a whole file, a text a line.")
@click.option("--top-k", "-k", default=5, type=Count(1), help="Show N words for each blank.")
@click.option("--batch-size", default=32, type=Count(1), help="Read N lines of a --file at a time.")
@model_option
@json_option
def fill_mask(text: str | None, file: Path | None, top_k: int, batch_size: int, model: str, as_json: bool) -> None:
    """Fill in each [MASK] of TEXT: show the words to which the model gives the highest probability.

    With --file, padding is skipped and the faster of PyTorch's two matrix libraries multiplies: the same numbers up to rounding.

    \b
    minibert fill-mask "He shook his [MASK]."
    minibert fill-mask "The [MASK] sailed across the [MASK]." --top-k 3
    minibert fill-mask --file sentences.txt --json
    """
    if (text is None) == (file is None):
        raise click.UsageError("Give a TEXT with a [MASK] in it, or a --file of them, not both.")
    if text is None:
        fill_file(str(file), top_k=top_k, batch_size=batch_size, model=model, as_json=as_json)
        return
    blanks = predict_blanks(text, top_k, model)
    lines = []
    for number, blank in enumerate(blanks, start=1):
        if len(blanks) > 1:
            lines.append(click.style(f"blank {number} of {len(blanks)}", bold=True))
        width = max(display_width(visible(prediction["token"])) for prediction in blank["predictions"])
        for prediction in blank["predictions"]:
            bar = "█" * round(40 * prediction["probability"])
            line = f"  {pad(visible(prediction['token']), width)}  {prediction['probability']:6.1%}"
            lines.append(line + click.style(f"  {bar}", fg="cyan") if bar else line)
    print_answer({"text": text, "model": model, "blanks": blanks}, "\n".join(lines), as_json)


def fill_file(file: str, *, top_k: int, batch_size: int, model: str, as_json: bool) -> None:
    """Print the words for every line of a file that is not empty. Raises ValueError, naming the line, for one without a blank."""
    from ..tasks.task_files import read_lines

    located = [(where, line.strip()) for where, line in read_lines(file) if line.strip()]
    answers = predict_all(located, top_k, model, batch_size=batch_size, fast=True)
    if as_json:
        found = zip(located, answers, strict=True)
        print_json({"model": model, "answers": [{"text": text, "blanks": blanks} for (_, text), blanks in found]})
        return
    rows = []
    for (_, text), blanks in zip(located, answers, strict=True):
        words = [(str(n), each) for n, blank in enumerate(blanks, start=1) for each in blank["predictions"]]
        for first, (number, each) in enumerate(words):
            rows.append(("" if first else text, number, each["token"], f"{each['probability']:.1%}"))
    echo(table(("text", "blank", "word", "probability"), rows, right=[1, 3]))


def predict_blanks(text: str, top_k: int, model_name: str) -> list[Blank]:
    """For each [MASK] its position among the tokens and the `top_k` likeliest words with their probabilities.

    Raises ValueError for a text without a blank or a model without the masked-word head.
    """
    [blanks] = predict_all([("The text", text)], top_k, model_name)
    return blanks


def predict_all(
    located: Sequence[tuple[str, str]], top_k: int, model_name: str, *, batch_size: int = 1, fast: bool = False
) -> list[list[Blank]]:
    """The blanks of several texts. located: for each where it stands, for errors, and itself. fast: the same numbers in less time."""
    import torch

    from .. import BertForMaskedLM, BertTokenizer
    from ..fast.inference import in_less_time
    from ..tasks import evaluation_batches

    tokenizer = BertTokenizer.from_pretrained(model_name)
    mask, mask_id = tokenizer.mask_token, tokenizer.mask_token_id
    rows = [tokenizer(text, verbose=False) for _, text in located]
    without = [where for (where, _), row in zip(located, rows, strict=True) if mask_id not in row["input_ids"]]
    if without:
        raise ValueError(f"{without[0]} has no blank. Write {mask} where a word is missing: 'He shook his {mask}.'")
    model = BertForMaskedLM.from_pretrained(model_name)
    require_word_head(model, model_name)
    known = model.config.max_position_embeddings
    for (where, _), row in zip(located, rows, strict=True):
        if (length := len(row["input_ids"])) > known:
            raise ValueError(f"{where} has {length} tokens, but this model knows {known} positions: shorten the text.")

    answers: list[list[Blank]] = [[] for _ in rows]
    for numbers in evaluation_batches([len(row["input_ids"]) for row in rows], batch_size):
        batch = tokenizer.pad([rows[number] for number in numbers], return_tensors="pt")
        hidden = batch["input_ids"] == mask_id
        with torch.no_grad(), in_less_time(model, batch) if fast else nullcontext():
            hidden_states = model.bert(**batch)[0]  # (batch, seq, hidden)
            probabilities = model.cls(hidden_states[hidden]).softmax(dim=-1)  # (blanks, vocab)
        probabilities = probabilities[:, : len(tokenizer)]  # of a model that has more rows, the words there are
        if not probabilities.isfinite().all():
            raise ValueError(f"The numbers of {model_name} overflow: `minibert trace --numbers` shows at which stage.")
        best = probabilities.topk(min(top_k, probabilities.size(-1)))
        found = iter(zip(best.indices.tolist(), best.values.tolist(), strict=True))
        for number in numbers:
            for position in (place for place, each in enumerate(rows[number]["input_ids"]) if each == mask_id):
                ids, values = next(found)
                words = zip(tokenizer.convert_ids_to_tokens(ids), ids, values, strict=True)
                predictions = [{"token": token, "id": word, "probability": share} for token, word, share in words]
                answers[number].append({"position": position, "predictions": predictions})
    longest, (where, _) = max(zip(rows, located, strict=True), key=lambda each: len(each[0]["input_ids"]))
    warn_if_long(tokenizer, torch.tensor([longest["input_ids"]]), has=f"{where} has")
    return answers
