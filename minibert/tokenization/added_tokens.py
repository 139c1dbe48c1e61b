"""Added tokens in files: their ids and, in today's files, whether they keep their case in a text that is lower-cased."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..checkpoints import CheckpointError
from .vocabulary import AddedToken, Vocabulary

FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


def read_added_tokens(entries: Any, known: Mapping[str, Any] | None = None, *, path: Path) -> dict[str, dict[str, Any]]:
    """Token → its entry, from a list of entries or a mapping of ids to them, and from those that are known.

    Raises CheckpointError where one is no entry.
    """
    if isinstance(entries, dict):
        ids = {index: int(index) if index.isdecimal() and len(index) < 19 else None for index in entries}
        entries = [{**e, "id": ids[index]} if isinstance(e, dict) else e for index, e in entries.items()]
    tokens = {}
    for entry in entries if isinstance(entries, list) else [entries]:
        token = entry.get("content") if isinstance(entry, dict) else None
        flags = isinstance(token, str) and {type(entry.get(flag, True)) for flag in FLAGS}
        if flags != {bool} or type(entry.get("id")) is not int:
            raise CheckpointError(f"{path}: an added token needs a content and an id, which {entry!r:.80} is not")
        tokens[token] = entry
    return tokens | {token: {**tokens.get(token, {}), **entry} for token, entry in (known or {}).items()}


def restore_added_tokens(tokenizer: Vocabulary, added_tokens: Mapping[str, Mapping[str, Any]]) -> None:
    """Give added tokens their ids, and look for them in text as their entries say; ValueError where an id is not the next."""
    roles, new = set(tokenizer.all_special_tokens), dict[str, int]()
    cut: dict[bool, list[str]] = {True: [], False: []}
    for token, entry in sorted(added_tokens.items(), key=lambda item: item[1]["id"]):
        index, special = entry["id"], entry.get("special", token in roles) or not entry.get("normalized", True)
        text = token.lower() if tokenizer.do_lower_case and not (special or tokenizer.is_fast) else token
        if tokenizer.vocab.get(token) != index:
            free = len(tokenizer) + len(new)
            if index != free or index in tokenizer.ids_to_tokens or text in new:
                found = f"Added token {token!r} has id {index} in the files, where the next free id is {free}"
                raise ValueError(f"{found}: it belongs to another vocabulary, or a token in between is missing.")
            new[text] = index
        if text in new or "special" in entry:
            cut[special].append(text)
        if flags := {flag: entry[flag] for flag in FLAGS[:3] if entry.get(flag)}:
            tokenizer.added_flags = {**tokenizer.added_flags, text: AddedToken(text, normalized=not special, **flags)}
    tokenizer.added_tokens_encoder = {**tokenizer.added_tokens_encoder, **new}
    tokenizer.added_tokens_decoder = {index: token for token, index in tokenizer.added_tokens_encoder.items()}
    for special, tokens in cut.items():
        tokenizer.cut_out(tokens, special=special)


def flags_of_added_tokens(tokenizer: Vocabulary) -> dict[str, Any]:
    """Today's `added_tokens_decoder`, where added_tokens.json cannot tell: pieces that are cut out, tokens that keep their case."""
    roles = set(tokenizer.all_special_tokens)
    tokens = [token for token in tokenizer.unique_no_split_tokens if token not in roles]
    special = tokenizer.added_as_special
    kept = tokenizer.added_flags if tokenizer.is_fast else {}
    if not any(token in tokenizer.vocab or token in special or token in kept for token in tokens):
        return {}
    entries = [replace(kept.get(token, AddedToken(token)), special=token in special) for token in tokens]
    entries = [replace(entry, normalized=entry.normalized and not entry.special) for entry in entries]
    ids = {tokenizer.token_to_id(entry): vars(entry) for entry in entries}
    return {"added_tokens_decoder": dict(sorted(ids.items()))}
