"""Write a BERT that runs while you type: one HTML file with the weights, the network, the tokenizer and the views inside.

    page.html    the frame, with a place for each of the rest      page.css     how it looks
    bert.mjs     the network                                      wordpiece.mjs  text → ids
    worker.mjs   runs the network beside the page                 the others     what a person sees

There is no build step: the modules are put behind each other, without their imports. The weights are float16 in base64. A
Content-Security-Policy lets nothing run or load but what stands in the file. No reference class: ours.
"""

import base64
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib import resources
from itertools import groupby
from typing import Any
from unicodedata import category

import torch
from torch import nn

from ..config import BertConfig
from ..heads.multiple_choice import BertForMultipleChoice
from ..heads.prediction import BertWordPredictor
from ..heads.question_answering import BertForQuestionAnswering
from ..heads.token_classification import BertForTokenClassification
from ..microscope.probes import heads_of
from ..model.pretrained import BertPreTrainedModel
from ..tasks import QuestionAnswering
from ..tokenization import BertTokenizer
from ..tokenization.vocabulary import AddedToken
from ..tokenization.words import CHINESE_BLOCKS, is_punctuation
from .stages import stages_of

LARGEST = 60_000_000  # bytes of weights; a browser would take longer than the three seconds that somebody waits
TOURED = "novels-4l-256h"
LONGEST = 128  # pieces; with more, a page has more lines than anyone can tell apart
BESIDE = ("bert.mjs", "worker.mjs")
PAGE = (
    "wordpiece.mjs",
    "words.mjs",
    "make.mjs",
    "state.mjs",
    "panel.mjs",
    "experiments.mjs",
    "views.mjs",
    "steps.mjs",
    "tour.mjs",
    "app.mjs",
)
LOOSE = re.compile(r"^(?:import [^;]*;\n|export (?=(?:async )?(?:const|function|class)))", re.MULTILINE)
KINDS = {"control": ("Cc", "Cf", "Cs", "Co"), "unassigned": ("Cn",), "space": ("Zs",), "mark": ("Mn",)}


def playground_page(
    model: BertPreTrainedModel, tokenizer: BertTokenizer, title: str, texts: Sequence[str] = (), beside: bool = False
) -> str:
    """One HTML document, complete in itself, in which this model answers while somebody types.

    texts: one, or a pair, to begin with; beside: each by itself, side by side. Raises ValueError for a model whose network the page
    has not, or with more than 60 MB of weights.
    """
    numbers, layout = weights_of(model)
    data = {
        "title": title,
        "texts": [[text, ""] for text in texts] if beside else [[*texts, "", ""][:2]],
        "tour": title == TOURED,  # it tells what this model does
        "tokens": tokens_of(tokenizer, len(model.get_input_embeddings().weight)),
        "network": network_of(model),
        "weights": layout,
        "stages": stages_of(model),
    }
    script, style = joined(PAGE), read("page.css")
    parts = {
        "/*STYLE*/": style,
        "/*DATA*/": json.dumps(data).replace("<", "\\u003c"),
        "/*WEIGHTS*/": base64.b64encode(numbers).decode("ascii"),
        "/*WORKER*/": joined(BESIDE),
        "/*SCRIPT*/": script,
        "/*POLICY*/": policy(script, style),
    }
    return re.sub(r"/\*[A-Z]+\*/", lambda place: parts[place[0]], read("page.html"))


def read(name: str) -> str:
    """A file that lies beside this one."""
    return resources.files("minibert.playground").joinpath(name).read_text(encoding="utf-8")


def joined(names: tuple[str, ...]) -> str:
    """Modules behind each other as one script: what one exports the next ones see, without an import."""
    return "\n".join(LOOSE.sub("", read(name)) for name in names)


def policy(script: str, style: str) -> str:
    """What the page may do: run its own script and a worker made from its own text, look as its style says, and load nothing."""
    own = {
        kind: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for kind, text in (("script", script), ("style", style))
    }
    return (
        f"default-src 'none'; script-src 'sha256-{own['script']}'; style-src 'sha256-{own['style']}'; worker-src blob:; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def network_of(model: BertPreTrainedModel) -> dict[str, Any]:
    """The sizes and settings that the network in bert.mjs goes by. Raises ValueError where it would compute something else."""
    config: BertConfig = model.config
    if config.is_decoder:
        raise ValueError("The playground shows encoders, which read both ways, and config.is_decoder is true.")
    if not isinstance(config.hidden_act, str):
        raise ValueError("The playground knows activations by their names, and this config has a function of its own.")
    last = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)][-1]
    kind = (
        "words" if isinstance(model, BertWordPredictor)
        else "tags" if isinstance(model, BertForTokenClassification)
        else "span" if isinstance(model, BertForQuestionAnswering)
        else "none" if model.base_model is model
        else "labels"
    )  # fmt: skip
    names = config.id2label
    labels = [str(names.get(index, index)) for index in range(len(names))]
    if last.endswith("seq_relationship"):
        labels = ["follows", "does not follow"]
    if isinstance(model, BertForMultipleChoice):
        labels = ["score"]
    several = config.problem_type == "multi_label_classification"
    answering = QuestionAnswering.of_config(config) if kind == "span" else QuestionAnswering()
    return {
        "layers": config.num_hidden_layers,
        "heads": heads_of(config),
        "headSize": config.hidden_size // config.num_attention_heads,
        "eps": config.layer_norm_eps,
        "activation": config.hidden_act,
        "positions": config.position_embedding_type,
        "classifier": last,
        "kind": kind,
        "labels": labels,
        "share": "sigmoid" if several else "number" if len(labels) == 1 else "softmax",
        "maximum": min(config.max_position_embeddings, LONGEST),
        "segments": config.type_vocab_size,
        "architecture": type(model).__name__,
        "longestAnswer": answering.max_answer_length,
        "noAnswer": answering.no_answer,
    }


def weights_of(model: BertPreTrainedModel) -> tuple[bytes, dict[str, list[int]]]:
    """All parameters in float16, and of each by name: where it begins (in numbers), its rows and its columns; a tied one once.

    Raises ValueError where they are too large for a page, or one of them is beyond what float16 holds.
    """
    prefix = "bert." if model.base_model is model else ""
    stored, layout, places = list[bytes](), dict[str, list[int]](), dict[int, str]()
    size = 0
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if name.endswith("predictions.decoder.bias") or parameter.data_ptr() in places:
            continue
        places[parameter.data_ptr()] = name
        half = parameter.detach().to("cpu", torch.float16).contiguous()
        if not half.isfinite().all():
            raise ValueError(f"{name} has numbers beyond 65504, which the float16 of the page cannot hold.")
        layout[prefix + name] = [size, half.size(0) if half.dim() == 2 else 1, half.size(-1)]
        size += half.numel()
        stored.append(half.numpy().tobytes())
    if 2 * size > LARGEST:
        found, most = 2 * size / 1e6, LARGEST // 10**6
        raise ValueError(
            f"The model has {found:.0f} MB of weights in float16. A page that opens quickly holds {most} MB."
        )
    return b"".join(stored), layout


def tokens_of(tokenizer: BertTokenizer, rows: int) -> dict[str, Any]:
    """What wordpiece.mjs needs of a tokenizer, for a model of so many word embeddings. Raises ValueError without [CLS] or [SEP]."""
    if tokenizer.cls_token is None or tokenizer.sep_token is None:
        raise ValueError("BERT's input begins with cls_token and ends with sep_token: set both on the tokenizer.")
    steps = tokenizer.steps()
    basic, word_piece = steps.basic, tokenizer.wordpiece_tokenizer
    by_id = {**tokenizer.ids_to_tokens, **tokenizer.added_tokens_decoder}
    if by_id and max(by_id) >= rows:
        more = max(by_id) + 1
        raise ValueError(
            f"The tokenizer has ids up to {more - 1}, and the model only {rows} words. They do not belong together."
        )
    of_words = basic and {
        "lower": basic.do_lower_case,
        "accents": basic.do_lower_case if basic.strip_accents is None else basic.strip_accents,
        "chinese": basic.tokenize_chinese_chars,
        "clean": basic.clean_text,
        "own": sorted(basic.never_split),
    }
    tokens = [token for token in tokenizer.all_special_tokens_extended if isinstance(token, AddedToken)]
    return {
        "pieces": [by_id.get(index) for index in range(rows)],
        "unknown": word_piece.unk_token,
        "longest": word_piece.max_input_chars_per_word,
        "start": tokenizer.cls_token,
        "separator": tokenizer.sep_token,
        "mask": tokenizer.mask_token if tokenizer.mask_token in tokenizer.get_vocab() else None,
        "basic": of_words,
        "cutOut": [token for token in tokenizer.looked_for if token],
        "tokens": sorted(steps.whole),
        "keepCase": sorted(steps.order, key=steps.order.__getitem__),
        "strips": {str(token): [token.lstrip, token.rstrip] for token in tokens},
        "neverSplit": sorted(steps.special),
        "added": list(tokenizer.added_tokens_encoder),
        "unicode": unicode_ranges(),
        "chinese": CHINESE_BLOCKS,
    }


@cache
def unicode_ranges() -> dict[str, list[int]]:
    """The characters that words.py tells apart, as this Python's Unicode has them: first, last, first, last, …"""

    def kind_of(code: int) -> str:
        found = category(chr(code))
        return next((kind for kind, ours in KINDS.items() if found in ours), "") or (
            "punctuation" if is_punctuation(chr(code)) else ""
        )

    ranges: dict[str, list[int]] = {kind: [] for kind in (*KINDS, "punctuation")}
    for kind, group in groupby(range(sys.maxunicode + 1), kind_of):
        codes = list(group)
        if kind:
            ranges[kind] += codes[0], codes[-1]
    return ranges
