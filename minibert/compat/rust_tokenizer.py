"""What the Rust tokenizer of the era has and the Python one lacks: the file tokenizer.json, flags of added tokens, training on new texts.

Reference: `BertTokenizerFast`, and the library `tokenizers` inside it.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..checkpoints import CheckpointError
from ..tokenization.tokenizer import BertTokenizer
from ..tokenization.train_vocabulary import learn_pieces
from ..tokenization.vocabulary import Token
from ..tokenization.words import lower_each

logger = logging.getLogger("minibert")

_WITHOUT_NORMALIZER = {"clean_text": False, "lowercase": False, "strip_accents": False, "handle_chinese_chars": False}
_USUAL_ROLES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
Pieces = dict[str, int]


def read_whole(whole: Any, path: Path) -> tuple[Pieces, dict[str, Any]]:
    """Vocabulary and settings of a tokenizer.json: arguments of `BertTokenizer`.

    Raises CheckpointError, naming the setting, where its tokenizer does what BERT's does not. What a call decides (how far
    to pad, `stride`, `strategy`) is left to the call.
    """
    try:
        return _read_whole(whole, path)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: describes no BERT tokenizer ({type(error).__name__}: {error})") from error


def _read_whole(whole: Any, path: Path) -> tuple[Pieces, dict[str, Any]]:
    def check(allowed: bool, setting: str, found: object, *, needed: str) -> None:
        if not allowed:
            raise CheckpointError(
                f"{path}: describes no BERT tokenizer: {setting} is {found!r:.80}, and should be {needed}"
            )

    model, normalizer, splitter, truncation, padding = (
        whole.get(part) for part in ("model", "normalizer", "pre_tokenizer", "truncation", "padding")
    )
    check(_type_of({"type": "WordPiece", **model}) == "WordPiece", "model", model, needed="a WordPiece model")
    prefix, pieces = model.get("continuing_subword_prefix", "##"), model.get("vocab", {})
    check(prefix == "##", "model.continuing_subword_prefix", prefix, needed="'##'")
    are_ids = isinstance(pieces, dict) and pieces and all(type(index) is int for index in pieces.values())
    check(bool(are_ids), "model.vocab", pieces, needed="a mapping of pieces to ids")
    if normalizer is None:
        normalizer = _WITHOUT_NORMALIZER if "normalizer" in whole else {}
    else:
        check(_type_of(normalizer) == "BertNormalizer", "normalizer", normalizer, needed="a BertNormalizer or null")
    if "pre_tokenizer" in whole:
        check(_type_of(splitter) == "BertPreTokenizer", "pre_tokenizer", splitter, needed="a BertPreTokenizer")
    settings = {
        "do_lower_case": normalizer.get("lowercase", True),
        "strip_accents": normalizer.get("strip_accents"),
        "tokenize_chinese_chars": normalizer.get("handle_chinese_chars", True),
        "clean_text": normalizer.get("clean_text", True),
        "max_input_chars_per_word": model.get("max_input_chars_per_word", 100),
        "unk_token": model.get("unk_token", "[UNK]"),
    }
    if truncation is not None:
        side = truncation.get("direction", "Right")
        check(side == "Right", "truncation.direction", side, needed="'Right': a text is cut at its end")
        settings["model_max_length"] = truncation["max_length"]
    if padding is not None:
        token, index, segment = padding["pad_token"], padding["pad_id"], padding["pad_type_id"]
        check(pieces.get(token) == index, "padding.pad_id", index, needed=f"the id of {token!r}, {pieces.get(token)}")
        check(segment == 0, "padding.pad_type_id", segment, needed="0")
        settings |= {"pad_token": token, "padding_side": padding["direction"].lower()}
    frame = whole.get("post_processor")
    if frame is not None:
        tokens, needed = _frame(frame), "[CLS] A [SEP] and [CLS] A [SEP] B [SEP], in segments 0 and 1"
        check(tokens is not None, "post_processor", frame, needed=needed)
        settings |= dict(zip(("cls_token", "sep_token"), tokens or (), strict=True))
    elif "post_processor" in whole:
        logger.warning("%s: has no post_processor. [CLS] and [SEP] are added all the same, as a BERT expects.", path)
    roles = {*_USUAL_ROLES, *(value for name, value in settings.items() if name.endswith("_token"))}
    added = read_added_tokens(whole.get("added_tokens", []), path=path)
    others = [token for token, entry in added.items() if entry.get("special") and token not in roles]
    return pieces, {**settings, "additional_special_tokens": others or None}


def _type_of(part: Any) -> Any:
    return part.get("type") if isinstance(part, dict) else part


def _frame(post_processor: dict[str, Any]) -> tuple[str, str] | None:
    """The tokens before and after a text; None where the frame is not BERT's."""
    if _type_of(post_processor) == "BertProcessing":
        return post_processor["cls"][0], post_processor["sep"][0]
    if _type_of(post_processor) != "TemplateProcessing":
        return None
    single, pair = (
        [(kind, part["id"], part["type_id"]) for item in post_processor[form] for kind, part in item.items()]
        for form in ("single", "pair")
    )
    if len(single) != 3:
        return None
    (_, cls, _), _, (_, sep, _) = single
    expected = [("SpecialToken", cls, 0), ("Sequence", "A", 0), ("SpecialToken", sep, 0)]
    beyond = [("Sequence", "B", 1), ("SpecialToken", sep, 1)]
    return (cls, sep) if single == expected and pair == [*expected, *beyond] else None


def read_added_tokens(entries: Any, known: Mapping[str, Any] | None = None, *, path: Path) -> dict[str, dict[str, Any]]:
    """Token → its entry, from a list of entries or a mapping of ids to them, and from those that are known.

    Raises CheckpointError where one is no entry, or asks for what is not done here.
    """
    listed = [{**entry, "id": int(index)} for index, entry in entries.items()] if isinstance(entries, dict) else entries
    tokens = {}
    for entry in listed:
        token = entry.get("content") if isinstance(entry, dict) else None
        if not isinstance(token, str) or type(entry.get("id")) is not int:
            raise CheckpointError(f"{path}: an added token needs a content and an id, which {entry!r:.80} is not")
        if entry.get("single_word"):
            wrong = f"the added token {token!r} has single_word=true"
            raise CheckpointError(f"{path}: {wrong}, and added tokens are found inside words here. Set it to false")
        tokens[token] = entry
    return tokens | {token: {**tokens.get(token, {}), **entry} for token, entry in (known or {}).items()}


def train_new_from_iterator(
    self: BertTokenizer,
    text_iterator: Iterable[str | Sequence[str]],
    vocab_size: int,
    new_special_tokens: Sequence[Token] | None = None,
    special_tokens_map: Mapping[str, str] | None = None,
    **trainer: Any,
) -> BertTokenizer:
    """A tokenizer of the same class, settings and special tokens, with a vocabulary learned from other texts.

    text_iterator: texts, or lists of texts. new_special_tokens: more of them. special_tokens_map: old name → new name.
    trainer: `min_frequency` and `limit_alphabet`, as in the Rust library; `show_progress` is without effect.
    Pieces are chosen as `train_wordpiece` does, not by the frequency of pairs. Raises ValueError where the texts hold no
    words, `vocab_size` is too small for their characters, or a name to map is no special token.
    """
    trainer.pop("show_progress", None)
    learning = {"min_frequency": trainer.pop("min_frequency", 0)}
    limit = trainer.pop("limit_alphabet", None)
    if trainer.pop("continuing_subword_prefix", "##") != "##" or trainer:
        known = "min_frequency, limit_alphabet and show_progress; pieces continue with '##'"
        raise TypeError(f"train_new_from_iterator takes {known}. It cannot do {trainer or 'another prefix'}.")
    if isinstance(text_iterator, str):
        raise ValueError("train_new_from_iterator takes texts, such as [text], not one str.")
    names = dict(special_tokens_map or {})
    specials = sorted({*self.all_special_tokens, *self.added_as_special}, key=self.token_to_id)
    if unknown := [name for name in names if name not in specials]:
        raise ValueError(f"special_tokens_map names {unknown[0]!r}, which is none of the special tokens {specials}.")

    def renamed(token: Token) -> Token:
        new = names.get(str(token), str(token))
        return new if isinstance(token, str) else dataclasses.replace(token, content=new)

    additional = [renamed(token) for token in (*self._additional_special_tokens, *(new_special_tokens or ()))]
    kept = [str(renamed(token)) for token in specials]
    special_tokens = list(dict.fromkeys([*kept, *map(str, additional)]))
    texts = (text for each in text_iterator for text in ([each] if isinstance(each, str) else each))
    chunks = Counter(chunk for text in texts for chunk in text.split(" "))  # each different one is split once
    words: Counter[str] = Counter()
    for chunk, count in chunks.items():
        text = lower_each(chunk) if self.do_lower_case else chunk
        for word in self.basic_tokenizer.tokenize(text) if self.do_basic_tokenize else text.split():
            words[word] += count
    pieces = learn_pieces(words, vocab_size, special_tokens, alphabet_limit=limit or len(words) + 2**20, **learning)
    roles = {role: token and renamed(token) for role in self.ROLES for token in (getattr(self, f"_{role}"),)}
    new = type(self)(
        {piece: index for index, piece in enumerate(pieces)},
        **{**self.init_kwargs, **roles, "additional_special_tokens": additional},
        model_max_length=self.model_max_length,
        padding_side=self.padding_side,
        model_input_names=self.model_input_names,
    )
    new.add_tokens(special_tokens, special_tokens=True)  # all are in the vocabulary: they are cut out whole from now on
    return new
