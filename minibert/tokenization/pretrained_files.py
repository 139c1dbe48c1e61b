"""The files of a tokenizer: what is read from a folder, and what is written to one.

    vocab.txt                 the pieces
    tokenizer_config.json     the arguments of `BertTokenizer`
    special_tokens_map.json   which token has which role; wins over the arguments above
    added_tokens.json         token → id of what was added later
    tokenizer.json            all of this in one file, as transformers 5 and the Rust library write it

Any of the last four may be missing; so may the first if the last is there.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

from ..checkpoints import CheckpointError, read_json, write_text_atomically
from .added_token import AddedToken
from .special_tokens import SpecialTokens

logger = logging.getLogger(__name__)

VOCAB = "vocab.txt"
CONFIG = "tokenizer_config.json"
SPECIAL_TOKENS = "special_tokens_map.json"
ADDED_TOKENS = "added_tokens.json"
WHOLE = "tokenizer.json"
ALL_FILES = (VOCAB, CONFIG, SPECIAL_TOKENS, ADDED_TOKENS, WHOLE)

SETTINGS = (
    "do_lower_case",
    "do_basic_tokenize",
    "never_split",
    "tokenize_chinese_chars",
    "strip_accents",
    "model_max_length",
    "padding_side",
    "model_input_names",
)


class TokenizerFiles(NamedTuple):
    """What a folder says about a tokenizer."""

    vocab: Path | dict[str, int]
    settings: dict[str, Any]  # arguments of BertTokenizer
    added_tokens: dict[str, int]  # token → id


def read_folder(folder: Path) -> TokenizerFiles:
    """Read the tokenizer in `folder`. Raises CheckpointError when a file is damaged or none holds a vocabulary."""
    config, special, added, whole = (
        read_json(folder / name) if (folder / name).exists() else {}
        for name in (CONFIG, SPECIAL_TOKENS, ADDED_TOKENS, WHOLE)
    )
    vocab: Path | dict[str, int] = folder / VOCAB
    settings: dict[str, Any] = {}
    if not (folder / VOCAB).exists():
        if not whole:
            raise CheckpointError(f"{folder}: holds no vocabulary: neither {VOCAB} nor {WHOLE} is there")
        vocab, settings = read_whole(whole, folder / WHOLE)
    for name in (*SETTINGS, *SpecialTokens.SPECIAL_TOKENS_ATTRIBUTES):
        if name in config:
            settings[name] = as_token(config[name])
    if "extra_special_tokens" in config:  # what transformers 5 calls them
        settings.setdefault("additional_special_tokens", as_token(config["extra_special_tokens"]))
    settings.update({role: as_token(token) for role, token in special.items() if token})
    return TokenizerFiles(vocab, settings, added or added_tokens_of(config, whole))


def read_whole(whole: dict[str, Any], path: Path) -> tuple[dict[str, int], dict[str, Any]]:
    """Vocabulary and settings of a tokenizer.json. Raises CheckpointError when its tokenizer is not BERT's."""
    model = whole.get("model") or {}
    normalizer = whole.get("normalizer") or {}
    kinds = (model.get("type", "WordPiece"), model.get("continuing_subword_prefix", "##"), normalizer.get("type"))
    if kinds != ("WordPiece", "##", "BertNormalizer") or not isinstance(model.get("vocab"), dict):
        raise CheckpointError(
            f"{path}: describes no BERT tokenizer. It needs a WordPiece model whose pieces continue with '##' and a "
            f"BertNormalizer; it has {kinds[0]}, {kinds[1]!r} and {kinds[2]}"
        )
    settings = {
        "do_lower_case": normalizer.get("lowercase", True),
        "strip_accents": normalizer.get("strip_accents"),
        "tokenize_chinese_chars": normalizer.get("handle_chinese_chars", True),
        "unk_token": model.get("unk_token", "[UNK]"),
    }
    return model["vocab"], settings


def added_tokens_of(config: dict[str, Any], whole: dict[str, Any]) -> dict[str, int]:
    """Added tokens as later versions of transformers keep them: in the configuration, or in tokenizer.json."""
    decoder: dict[str, dict[str, Any]] = config.get("added_tokens_decoder", {})
    if decoder:
        return {entry["content"]: int(index) for index, entry in decoder.items()}
    return {entry["content"]: entry["id"] for entry in whole.get("added_tokens", [])}


def as_token(value: Any) -> Any:
    """A token as JSON holds it → `AddedToken` where it has settings, in lists too; anything else as it is."""
    if isinstance(value, dict) and "content" in value:
        return AddedToken(**{name: value[name] for name in AddedToken.__dataclass_fields__ if name in value})
    return [as_token(each) for each in value] if isinstance(value, list) else value


def as_json(token: Any, typed: bool) -> Any:
    """A token as JSON holds it: `AddedToken` as an object, with its type in tokenizer_config.json."""
    if isinstance(token, AddedToken):
        fields = {name: getattr(token, name) for name in ("content", "single_word", "lstrip", "rstrip", "normalized")}
        return {**fields, "__type": "AddedToken"} if typed else fields
    return [as_json(each, typed) for each in token] if isinstance(token, (list, tuple, set)) else token


def write_folder(
    folder: Path, prefix: str, settings: dict[str, Any], special: dict[str, Any], added_tokens: dict[str, int]
) -> tuple[Path, Path, Path]:
    """Write everything but the vocabulary. Returns the paths of CONFIG, SPECIAL_TOKENS and ADDED_TOKENS.

    Without added tokens the last is not written, and one left from an earlier save is removed: it would be read.
    """
    config_file, special_file, added_file = (
        folder / (prefix + name) for name in (CONFIG, SPECIAL_TOKENS, ADDED_TOKENS)
    )
    config = {name: as_json(value, typed=True) for name, value in settings.items()}
    write_json(config_file, {**config, "tokenizer_class": "BertTokenizer"})
    write_json(special_file, {role: as_json(token, typed=False) for role, token in special.items()})
    if added_tokens:
        write_json(added_file, added_tokens)
    else:
        added_file.unlink(missing_ok=True)
    if (folder / WHOLE).exists():
        logger.warning(
            "'%s' was there before and is not updated. transformers 5 will read it: remove it.", folder / WHOLE
        )
    return config_file, special_file, added_file


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content`, text as it reads rather than as escapes."""
    write_text_atomically(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
