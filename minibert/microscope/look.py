"""What there is to see inside a model, as plain numbers: the six pictures of `figures.py` draw what these functions return.

Source of the logit lens: nostalgebraist 2020, "interpreting GPT: the logit lens".
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..heads.prediction import BertWordPredictor
from ..model.pretrained import BertPreTrainedModel
from ..tokenization import BertTokenizer


@torch.no_grad()
def attention_maps(model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str) -> tuple[list[str], list[Tensor]]:
    """The pieces of a text, and of each layer the weights of all heads, (heads, seq, seq)."""
    inputs = tokenizer(text, return_tensors="pt")
    attentions = model.base_model(**inputs, output_attentions=True).attentions
    return pieces_of(tokenizer, inputs), [layer[0] for layer in attentions]


@torch.no_grad()
def residual_norms(model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str) -> tuple[list[str], Tensor]:
    """The pieces of a text, and the length of each one's vector after the embeddings and each layer: (layers + 1, seq)."""
    inputs = tokenizer(text, return_tensors="pt")
    states = model.base_model(**inputs, output_hidden_states=True).hidden_states
    return pieces_of(tokenizer, inputs), torch.stack(states)[:, 0].norm(dim=-1)


@torch.no_grad()
def lens(model: BertWordPredictor, tokenizer: BertTokenizer, text: str) -> tuple[list[str], list[list[str]], Tensor]:
    """The pieces, and after the embeddings and each layer the word that the head would say there, with its probability.

    Words: (layers + 1) rows of seq; probabilities: (layers + 1, seq). Raises ValueError for a model that predicts no words.
    """
    if not isinstance(model, BertWordPredictor):
        raise ValueError(f"{type(model).__name__} predicts no words. Open the checkpoint as BertForMaskedLM.")
    inputs = tokenizer(text, return_tensors="pt")
    states = model.base_model(**inputs, output_hidden_states=True).hidden_states
    best = model.cls.predictions(torch.stack(states)[:, 0]).softmax(dim=-1).max(dim=-1)
    words = [tokenizer.convert_ids_to_tokens(row) for row in best.indices.tolist()]
    return pieces_of(tokenizer, inputs), words, best.values


@torch.no_grad()
def position_similarity(model: BertPreTrainedModel) -> Tensor:
    """The cosine between the embeddings of each two positions: (positions, positions)."""
    table: Any = model.base_model.embeddings.position_embeddings.weight
    unit = table / table.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return unit @ unit.T


def parameter_values(model: torch.nn.Module) -> dict[str, Tensor]:
    """All numbers of the model by kind of parameter, such as "attention.self.query.weight", over all layers."""
    kinds: dict[str, list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        kinds.setdefault(kind_of(name), []).append(parameter.detach().flatten())
    return {kind: torch.cat(values) for kind, values in kinds.items()}


def gradient_flow(model: torch.nn.Module) -> dict[str, float]:
    """The root mean square of each parameter's gradient, in the order of the network; call after `backward()`.

    Raises ValueError where there are no gradients.
    """
    flow = {n: float(p.grad.pow(2).mean().sqrt()) for n, p in model.named_parameters() if p.grad is not None}
    if not flow:
        raise ValueError("There are no gradients yet: call backward() on a loss first.")
    return flow


def kind_of(name: str) -> str:
    """A parameter's name without the number of its layer and what stands before it."""
    parts = name.split(".")
    numbers = [i for i, part in enumerate(parts) if part.isdigit()]
    return ".".join(parts[numbers[-1] + 1 :] if numbers else parts[-3:])


def pieces_of(tokenizer: BertTokenizer, inputs: Any) -> list[str]:
    """The pieces of a single encoded text."""
    return tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist())
