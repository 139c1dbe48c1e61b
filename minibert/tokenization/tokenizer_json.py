"""tokenizer.json, the one file of today's tokenizers: vocabulary and settings in it, or refused by name. Reference: `BertTokenizerFast`."""

import logging
from pathlib import Path
from typing import Any

from ..checkpoints import CheckpointError
from .added_tokens import read_added_tokens

_NAMES = {"do_lower_case": "lowercase", "tokenize_chinese_chars": "handle_chinese_chars"}
_NAMES |= {"strip_accents": "strip_accents", "clean_text": "clean_text"}


def read_whole(whole: Any, path: Path) -> tuple[dict[str, int], dict[str, Any]]:
    """Vocabulary and settings of a tokenizer.json: arguments of `BertTokenizer`.

    Raises CheckpointError, naming the setting, where its tokenizer does what BERT's does not. What a call decides (how far
    to pad, `stride`, `strategy`) is left to the call.
    """
    try:
        return _read_whole(whole, path)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: describes no BERT tokenizer: {error if type(error) is ValueError else repr(error)}"
        ) from error


def _read_whole(whole: Any, path: Path) -> tuple[dict[str, int], dict[str, Any]]:
    model, normalizer = whole["model"], whole.get("normalizer", {})
    splitter = whole.get("pre_tokenizer", {"type": "BertPreTokenizer"})
    pieces, truncation, padding = model["vocab"], whole.get("truncation") or {}, whole.get("padding") or {}
    normalizer = dict.fromkeys(_NAMES.values(), False) if normalizer is None else normalizer
    decoder = whole.get("decoder") or {}
    for setting, found, needed in (
        ("model.type", model.get("type", "WordPiece"), "WordPiece"),
        ("model.continuing_subword_prefix", model.get("continuing_subword_prefix", "##"), "##"),
        ("the kind of ids in model.vocab", {type(index) for index in pieces.values()}, {int}),
        ("normalizer.type", normalizer.get("type", "BertNormalizer"), "BertNormalizer"),
        ("decoder.type", decoder.get("type", "WordPiece"), "WordPiece"),
        ("decoder.prefix", decoder.get("prefix", "##"), "##"),
        ("decoder.cleanup", decoder.get("cleanup", True), True),
        ("pre_tokenizer.type", splitter and splitter["type"], "BertPreTokenizer"),
        ("truncation.direction", truncation.get("direction", "Right"), "Right"),
        ("padding.pad_id", padding.get("pad_id"), pieces.get(padding.get("pad_token"))),
        ("padding.pad_type_id", padding.get("pad_type_id", 0), 0),
    ):
        if found != needed:
            raise ValueError(f"{setting} is {found!r}, and should be {needed!r}")
    settings = {ours: normalizer[theirs] for ours, theirs in _NAMES.items() if theirs in normalizer}
    settings |= {name: model[name] for name in ("unk_token", "max_input_chars_per_word") if name in model}
    if truncation:
        settings["model_max_length"] = truncation["max_length"]
    if padding:
        settings |= {"pad_token": padding["pad_token"], "padding_side": padding["direction"].lower()}
    if whole.get("post_processor"):
        settings |= zip(("cls_token", "sep_token"), _frame(whole["post_processor"]), strict=True)
    all_the_same = {"post_processor": "[CLS] and [SEP] are added", "decoder": "pieces are joined and gaps closed"}
    for part in [part for part in all_the_same if part in whole and not whole[part]]:
        warning = "%s: has no %s. %s all the same, as a BERT expects."
        logging.getLogger("minibert").warning(warning, path, part, all_the_same[part])
    roles = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(settings[n] for n in settings if n.endswith("_token"))]
    added = read_added_tokens(whole.get("added_tokens", []), path=path)
    others = [token for token, entry in added.items() if entry.get("special") and token not in roles]
    return pieces, settings | ({"additional_special_tokens": others} if others else {})


def _frame(post_processor: dict[str, Any]) -> tuple[str, str]:
    """The tokens before and after a text. Raises ValueError where the frame is not BERT's."""
    if post_processor["type"] == "BertProcessing":
        return post_processor["cls"][0], post_processor["sep"][0]
    forms = (post_processor.get(form, [{}]) for form in ("single", "pair"))
    single, pair = ([(k, part["id"], part["type_id"]) for item in form for k, part in item.items()] for form in forms)
    cls, sep = single[0][1] if single else "", single[-1][1] if single else ""
    alone = [("SpecialToken", cls, 0), ("Sequence", "A", 0), ("SpecialToken", sep, 0)]
    if (single, pair) != (alone, [*alone, ("Sequence", "B", 1), ("SpecialToken", sep, 1)]):
        raise ValueError(f"post_processor is {post_processor!r:.80}, not [CLS] A [SEP] B [SEP] in segments 0 and 1")
    return cls, sep
