"""The numbers inside a model, which `plots.py` and `explore.py` draw. No reference class: ours.

Source of the logit lens: nostalgebraist 2020, "interpreting GPT: the logit lens".
"""

import re
from typing import Any

import torch
from torch import Tensor, nn

from ..config import BertConfig
from ..heads.prediction import BertWordPredictor
from ..model.modes import evaluation_mode
from ..model.pretrained import BertPreTrainedModel
from ..tokenization import BertTokenizer


@torch.no_grad()
def run_text(model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str) -> tuple[list[str], Any]:
    """The pieces of a text, and the body's output with all hidden states and attention weights; dropout is off."""
    inputs = tokenizer(text, return_tensors="pt")
    with evaluation_mode(model):
        outputs = model.base_model(**inputs, output_attentions=True, output_hidden_states=True, return_dict=True)
    return tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist()), outputs


def attention_maps(
    model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str
) -> tuple[list[str], list[dict[int, Tensor]]]:
    """The pieces of a text, and of each layer the attention weights of each head by its number, (seq, seq)."""
    pieces, outputs = run_text(model, tokenizer, text)
    layers = zip(heads_of(model.config), outputs.attentions, strict=True)
    return pieces, [dict(zip(heads, maps[0], strict=True)) for heads, maps in layers]


def heads_of(config: BertConfig) -> list[list[int]]:
    """Of each layer the heads that are not pruned, by the numbers that they had before, as `prune_heads` takes them."""
    pruned, heads = config.pruned_heads, range(config.num_attention_heads)
    return [[head for head in heads if head not in pruned.get(i, ())] for i in range(config.num_hidden_layers)]


def residual_norms(model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str) -> tuple[list[str], Tensor]:
    """The pieces of a text, and the length of each one's vector after the embeddings and each layer: (layers + 1, seq)."""
    pieces, outputs = run_text(model, tokenizer, text)
    return pieces, torch.stack(outputs.hidden_states)[:, 0].norm(dim=-1)


def lens(model: BertWordPredictor, tokenizer: BertTokenizer, text: str) -> tuple[list[str], list[list[str]], Tensor]:
    """The pieces, and after the embeddings and each layer the word that the head predicts there, with its probability.

    Words: (layers + 1) rows of seq; probabilities: (layers + 1, seq). Raises ValueError for a model that predicts no words.
    """
    if not isinstance(model, BertWordPredictor):
        raise ValueError(f"{type(model).__name__} predicts no words. Open the checkpoint as BertForMaskedLM.")
    pieces, outputs = run_text(model, tokenizer, text)
    probabilities, ids = likeliest_words(model, torch.stack(outputs.hidden_states)[:, 0], among=len(tokenizer), count=1)
    return pieces, [tokenizer.convert_ids_to_tokens(row) for row in ids[..., 0].tolist()], probabilities[..., 0]


@torch.no_grad()
def likeliest_words(model: BertWordPredictor, states: Tensor, *, among: int, count: int) -> tuple[Tensor, Tensor]:
    """Read hidden states (…, hidden) as if they were the last layer's: probabilities and ids of words, (…, count) each.

    among: the first so many ids, which a tokenizer has; a model's rows may be more, filled up to a round number.
    """
    probabilities = model.cls.predictions(states).softmax(dim=-1)[..., :among]
    best = probabilities.topk(min(count, probabilities.size(-1)))
    return best.values, best.indices


@torch.no_grad()
def position_similarity(model: BertPreTrainedModel) -> Tensor:
    """The cosine between the embeddings of each two positions: (positions, positions)."""
    table: Any = model.base_model.embeddings.position_embeddings.weight
    unit = torch.nn.functional.normalize(table, dim=-1)
    return unit @ unit.T


def parameter_values(model: nn.Module) -> dict[str, Tensor]:
    """All numbers of the model by kind of parameter, such as "attention.self.query.weight", over all layers."""
    kinds: dict[str, list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        kinds.setdefault(kind_of(name), []).append(parameter.detach().flatten())
    return {kind: torch.cat(values) for kind, values in kinds.items()}


def kind_of(name: str) -> str:
    """A parameter's name after the number of its layer; outside of layers, its last three words."""
    own = re.split(r"(?:^|\.)\d+\.", name)[-1]
    return own if own != name else ".".join(name.split(".")[-3:])


def gradient_flow(model: nn.Module) -> dict[str, float]:
    """The root mean square of each parameter's gradient, in the network's order. Raises ValueError before `backward()`."""
    flow = {n: float(p.grad.pow(2).mean().sqrt()) for n, p in model.named_parameters() if p.grad is not None}
    if not flow:
        raise ValueError("There are no gradients yet: call backward() on a loss first.")
    return flow


def text_gradients(model: BertWordPredictor, tokenizer: BertTokenizer, text: str) -> dict[str, float]:
    """The gradient flow where the loss is that of predicting every token of a text; the gradients stay in the model."""
    inputs = tokenizer(text, return_tensors="pt")
    log_probabilities = model(**inputs)[0].log_softmax(dim=-1)  # (1, seq, vocab)
    log_probabilities.gather(-1, inputs["input_ids"][..., None]).mean().neg().backward()
    return gradient_flow(model)
