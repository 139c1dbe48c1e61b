"""`minibert attention`: the attention weights of one head."""

import click

from ..terminal import heatmap
from ..visible import visible
from .kinds import TEXT, Count
from .options import json_option, model_option, print_answer, warn_if_long


@click.command("attention")
@click.argument("text", type=TEXT)
@click.option("--layer", default=0, type=Count(0), help="Show a head of layer N, counted from 0.")
@click.option("--head", default=0, type=Count(0), help="Show head N of the layer, counted from 0.")
@model_option
@json_option
def attention(text: str, layer: int, head: int, model: str, as_json: bool) -> None:
    """Show the attention weights of one head over TEXT: each row is a query, and the darker a cell, the larger the weight.

    \b
    minibert attention "He shook his [MASK]." --layer 3 --head 1
    """
    import torch

    from .. import BertModel, BertTokenizer
    from ..microscope.probes import heads_of

    tokenizer = BertTokenizer.from_pretrained(model)
    network = BertModel.from_pretrained(model)
    layers, heads = network.config.num_hidden_layers, network.config.num_attention_heads
    if layer >= layers or head >= heads:
        raise click.UsageError(f"{model} has layers 0 to {layers - 1} and heads 0 to {heads - 1}.")
    left = heads_of(network.config)[layer]
    if head not in left:
        raise click.UsageError(f"Head {head} of layer {layer} was pruned; {', '.join(map(str, left))} are left.")
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        attentions = network(**inputs, output_attentions=True, return_dict=True).attentions
    weights = attentions[layer][0, left.index(head)]  # (seq, seq)
    warn_if_long(tokenizer, inputs["input_ids"])
    pieces = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist())
    answer = {"tokens": pieces, "layer": layer, "head": head, "attention": weights.tolist()}
    title = f"layer {layer}, head {head} of {visible(model)}: each row attends to the columns"
    print_answer(answer, f"{title}\n{heatmap(pieces, weights.tolist())}", as_json)
