"""`minibert generate`: text from a decoder, word by word."""

from typing import Any

import click

from ..terminal import echo
from .kinds import SEED, TEXT, Count
from .options import json_option, model_option, print_answer, require_word_head, warn_if_long

FAST = "Compute each new word by minibert.fast.one_token, or by the model's own forward; the words are the same."

TRAIN_ONE = "`minibert finetune clm` trains a decoder."


@click.command("generate", short_help="Continue a prompt, word by word.")
@click.argument("prompt", type=TEXT)
@click.option("--max-new-tokens", default=20, type=Count(1), help="Add at most N pieces.")
@click.option("--num-beams", default=1, type=Count(1), help="Search with N beams.")
@click.option("--sample", is_flag=True, help="Draw each word at random, by its probability.")
@click.option(
    "--temperature", default=1.0, metavar="X", help="With --sample: divide scores by X; above 1: more varied."
)
@click.option("--top-k", default=50, metavar="N", help="With --sample: draw from the N likeliest words only; 0: all.")
@click.option(
    "--top-p", default=1.0, metavar="X", help="With --sample: draw from the likeliest words, up to probability X."
)
@click.option("--no-repeat-ngram-size", default=0, type=Count(0), help="Never repeat a run of N pieces; 0: allow it.")
@click.option("--seed", type=SEED, help="With --sample: draw with random seed N, the same text each time.")
@click.option("--fast/--no-fast", default=True, help=FAST)
@model_option
@json_option
def generate(prompt: str, sample: bool, seed: int | None, model: str, as_json: bool, **search: Any) -> None:
    """Continue PROMPT with a model trained to read from left to right.

    `minibert finetune clm` trains such a model. Others, such as the bundled one, were trained to fill in blanks: their text
    makes little sense. Words appear as they are chosen, except in a beam search, which has its text only at the end.

    \b
    minibert generate "It was a dark and" --model my-decoder/model --sample --seed 1
    """
    import torch

    from .. import BertConfig, BertLMHeadModel, BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(model)
    decoder = BertLMHeadModel.from_pretrained(model, is_decoder=True)
    if not BertConfig.from_pretrained(model).is_decoder:
        echo(f"Warning: {model} was trained to fill in blanks, and its text makes little sense. {TRAIN_ONE}", err=True)
    require_word_head(decoder, model, decoder=True)

    context = click.get_current_context()
    for name in [] if sample else ["temperature", "top_k", "top_p", "seed"]:
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            echo(f"Warning: --{name.replace('_', '-')} changes nothing without --sample.", err=True)
    ids = tokenizer(prompt, return_tensors="pt", verbose=False)["input_ids"][:, :-1]  # without the [SEP] of an end
    warn_if_long(tokenizer, ids, "With the words to come the text has up to", more=search["max_new_tokens"])
    waiting = prompt  # to be printed before the first word, when all options have been checked

    def show(tokens: torch.Tensor) -> None:
        """Print the newest piece, tokens: (1,), with a space before a new word and none before the rest of one."""
        nonlocal waiting
        echo(waiting, nl=False)
        waiting, piece = "", tokenizer.convert_ids_to_tokens(int(tokens[0]))
        if piece not in tokenizer.all_special_tokens:
            echo(piece[2:] if piece.startswith("##") else f" {piece}", nl=False)

    streams = not as_json and search["num_beams"] == 1
    output = decoder.generate(
        ids,
        do_sample=sample,
        eos_token_id=tokenizer.sep_token_id,
        generator=torch.Generator().manual_seed(seed) if seed is not None else None,
        on_tokens=show if streams else None,
        **search,
    )[0]
    text = tokenizer.decode(output, skip_special_tokens=True)
    answer = {"prompt": prompt, "text": text, "ids": output.tolist(), "model": model}
    print_answer(answer, "" if streams else text, as_json)
