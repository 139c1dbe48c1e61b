"""`minibert fill-mask`: the likeliest words for each blank of a text."""

from typing import Any

import click

from ..terminal import display_width, pad
from ..visible import visible
from .kinds import TEXT, Count
from .options import json_option, model_option, print_answer, warn_if_long


@click.command("fill-mask")
@click.argument("text", type=TEXT)
@click.option("--top-k", "-k", default=5, type=Count(1), help="Show N words for each blank.")
@model_option
@json_option
def fill_mask(text: str, top_k: int, model: str, as_json: bool) -> None:
    """Fill in each [MASK] of TEXT: show the words to which the model gives the highest probability.

    \b
    minibert fill-mask "He shook his [MASK]."
    minibert fill-mask "The [MASK] sailed across the [MASK]." --top-k 3
    """
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


def predict_blanks(text: str, top_k: int, model_name: str) -> list[dict[str, Any]]:
    """For each [MASK] its position among the tokens and the `top_k` likeliest words with their probabilities.

    Raises ValueError for a text without a blank or a model without the masked-word head.
    """
    import torch

    from .. import BertForMaskedLM, BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(model_name)
    mask = tokenizer.mask_token
    inputs = tokenizer(text, return_tensors="pt")
    positions = (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero().flatten().tolist()
    if not positions:
        raise ValueError(f"The text has no blank. Write {mask} where a word is missing: 'He shook his {mask}.'")

    model = BertForMaskedLM.from_pretrained(model_name)
    if any(finding.name.startswith("cls.") for finding in model.loading_report.new):
        raise ValueError(f"{model_name} was not trained to predict words: it has no masked-word head.")
    with torch.no_grad():
        probabilities = model(**inputs).logits[0, positions].softmax(dim=-1)  # (blanks, vocab)
    warn_if_long(tokenizer, inputs["input_ids"])
    probabilities = probabilities[..., : len(tokenizer)]  # of a model that has more rows, the words there are
    best = probabilities.topk(min(top_k, probabilities.size(-1)))
    blanks = []
    for position, ids, values in zip(positions, best.indices.tolist(), best.values.tolist(), strict=True):
        found = zip(tokenizer.convert_ids_to_tokens(ids), ids, values, strict=True)
        predictions = [{"token": token, "id": token_id, "probability": value} for token, token_id, value in found]
        blanks.append({"position": position, "predictions": predictions})
    return blanks
