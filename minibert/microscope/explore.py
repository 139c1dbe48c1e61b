"""What the attention page shows, gathered from one forward: attention, queries and keys, and what each layer would answer.

    weights      (layers, heads, seq, seq)      as `output_attentions` gives them
    queries      (layers, heads, seq, d)        score = q · k / √d
    keys         (layers, heads, seq, d)
    logit lens   after each layer, the likeliest words at each position, through the tied decoder

The numbers travel inside the page as base64: weights in 16-bit steps of 1/65535, queries and keys in float16.
Source of the logit lens: nostalgebraist 2020, "interpreting GPT: the logit lens". Of the three views: Vig 2019.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

import torch
from torch import Tensor

from ..heads.prediction import BertWordPredictor
from ..model.pretrained import BertPreTrainedModel
from ..tokenization import BertTokenizer

LENS_WORDS = 5
LONGEST = 128  # pieces; a page of more has more lines than anyone can look at


def attention_page(
    model: BertPreTrainedModel, tokenizer: BertTokenizer, texts: Sequence[str], title: str = "minibert"
) -> str:
    """One HTML document, complete in itself, that shows what the model does with each text.

    model: any of minibert's; the list of words after each layer needs one that predicts words.
    Raises ValueError for a text of more than 128 pieces.
    """
    gathered = [gather(model, tokenizer, text) for text in texts]
    template = resources.files("minibert.microscope").joinpath("page.html").read_text(encoding="utf-8")
    data = json.dumps({"title": title, "texts": gathered}, ensure_ascii=False).replace("<", "\\u003c")
    return template.replace("/*DATA*/ null", data)


@torch.no_grad()
def gather(model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str) -> dict[str, Any]:
    """All that the page needs of one text."""
    inputs = tokenizer(text, return_tensors="pt", truncation=False)
    ids = inputs["input_ids"]
    if ids.size(1) > LONGEST:
        raise ValueError(f"The text has {ids.size(1)} pieces; the page shows at most {LONGEST}. Give a shorter one.")
    was_training = model.training
    model.eval()
    body = model.base_model
    outputs = body(**inputs, output_attentions=True, output_hidden_states=True)
    model.train(was_training)
    states = torch.stack(outputs.hidden_states)[:, 0]  # (layers + 1, seq, hidden)
    layers: Any = body.encoder.layer
    queries, keys = [], []
    for layer, below in zip(layers, states[:-1], strict=True):
        attention = layer.attention.self
        queries.append(attention.transpose_for_scores(attention.query(below[None]))[0])  # (heads, seq, d)
        keys.append(attention.transpose_for_scores(attention.key(below[None]))[0])
    return {
        "text": text,
        "pieces": tokenizer.convert_ids_to_tokens(ids[0].tolist()),
        "layers": [
            {
                "heads": weights.size(1),
                "size": query.size(2),
                "weights": packed((weights[0] * 65535).round().to(torch.int32).to(torch.uint16)),
                "queries": packed(query.to(torch.float16)),
                "keys": packed(key.to(torch.float16)),
            }
            for weights, query, key in zip(outputs.attentions, queries, keys, strict=True)
        ],
        "lens": logit_lens(model, tokenizer, states),
    }


def logit_lens(model: BertPreTrainedModel, tokenizer: BertTokenizer, states: Tensor) -> list[list[Any]] | None:
    """For each layer and position the likeliest words with their probabilities; None for a model that predicts none.

    states: (layers + 1, seq, hidden), the embeddings first. Each is read by the head as if it were the last layer's.
    """
    if not isinstance(model, BertWordPredictor):
        return None
    best = model.cls.predictions(states).softmax(dim=-1).topk(LENS_WORDS)  # (layers + 1, seq, words)
    return [
        [
            [[tokenizer.convert_ids_to_tokens(i), round(p, 4)] for i, p in zip(ids, probabilities, strict=True)]
            for ids, probabilities in zip(layer_ids, layer_probabilities, strict=True)
        ]
        for layer_ids, layer_probabilities in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def packed(values: Tensor) -> str:
    """The bytes of a tensor, little-endian, as base64."""
    return base64.b64encode(values.contiguous().numpy().tobytes()).decode("ascii")
