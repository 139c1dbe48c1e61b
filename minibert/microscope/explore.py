"""The attention page: one HTML file with the attention weights, queries, keys and the logit lens of a forward.

    weights        (heads, seq, seq) a layer, in 16-bit steps of 1/65535
    queries, keys  (heads, seq, d) a layer, in float16: score = q · k / √d
    distance       (heads, seq, seq) a layer, in float16: what relative positions add to the score
    logit lens     after each layer, the likeliest words at each position, through the tied decoder

The numbers travel inside the page as base64. Source of the logit lens: see `probes.py`. Of the other three views: Vig 2019.
No reference class: ours.
"""

import base64
import json
import math
from collections.abc import Sequence
from importlib import resources
from typing import Any

import torch
from torch import Tensor

from ..heads.prediction import BertWordPredictor
from ..model.pretrained import BertPreTrainedModel
from ..tokenization import BertTokenizer
from ..visible import visible_in_html
from .probes import heads_of, likeliest_words, run_text

LENS_WORDS = 5
LONGEST = 128  # pieces; with more, a page has more lines than anyone can tell apart


def attention_page(
    model: BertPreTrainedModel,
    tokenizer: BertTokenizer,
    texts: Sequence[str],
    title: str = "minibert",
    lang: str = "en",
) -> str:
    """One HTML document, complete in itself, that shows what the model does with each text.

    The words after each layer need a model that predicts words. lang: "zh" for a page in Chinese. Raises ValueError for a text of more
    than 128 pieces.
    """
    gathered = [gather(model, tokenizer, text) for text in texts]
    here = resources.files("minibert.microscope")
    words = json.loads(here.joinpath("page.zh.json").read_text(encoding="utf-8")) if lang == "zh" else {}
    template = here.joinpath("page.html").read_text(encoding="utf-8")
    data = visible_in_html({"title": title, "words": words, "texts": gathered})
    return template.replace("/*LANG*/", "zh-Hans" if lang == "zh" else "en").replace("/*DATA*/ null", data)


@torch.no_grad()
def gather(model: BertPreTrainedModel, tokenizer: BertTokenizer, text: str) -> dict[str, Any]:
    """All that the page needs of one text."""
    length = len(tokenizer(text, truncation=False)["input_ids"])
    if length > LONGEST:
        raise ValueError(f"The text has {length} pieces; the page shows at most {LONGEST}. Give a shorter one.")
    pieces, outputs = run_text(model, tokenizer, text)
    states = torch.stack(outputs.hidden_states)[:, 0]  # (layers + 1, seq, hidden), the embeddings first
    encoder_layers: Any = model.base_model.encoder.layer
    layers = []
    for heads, layer, below, weights in zip(
        heads_of(model.config), encoder_layers, states[:-1], outputs.attentions, strict=True
    ):
        attention = layer.attention.self
        query = attention.transpose_for_scores(attention.query(below[None]))  # (1, heads, seq, d)
        key = attention.transpose_for_scores(attention.key(below[None]))
        vectors = {"queries": query, "keys": key}
        if attention.position_embedding_type != "absolute":
            vectors["distance"] = sum(attention.relative_scores(query, key)) / math.sqrt(query.size(-1))
        numbers = {name: as_base64(values.to(torch.float16)) for name, values in vectors.items()}
        steps = (weights[0] * 65535).round().to(torch.int32).to(torch.uint16)
        layers.append({"heads": heads, "size": query.size(-1), "weights": as_base64(steps), **numbers})
    words = None
    if isinstance(model, BertWordPredictor):
        probabilities, ids = likeliest_words(
            model, states, among=len(tokenizer), count=LENS_WORDS
        )  # (layers + 1, seq, words)
        best = torch.stack([ids.double(), probabilities.double()], dim=-1).tolist()
        word = tokenizer.convert_ids_to_tokens
        words = [[[[word(int(i)), round(p, 4)] for i, p in at] for at in row] for row in best]
    return {"text": text, "pieces": pieces, "causal": model.config.is_decoder, "layers": layers, "lens": words}


def as_base64(values: Tensor) -> str:
    """The bytes of a tensor, little-endian, as base64."""
    return base64.b64encode(values.contiguous().numpy().tobytes()).decode("ascii")
