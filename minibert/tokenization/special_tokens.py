"""The tokens with a role: `[CLS]`, `[SEP]`, `[PAD]`, `[UNK]`, `[MASK]` and the caller's own.

Reference classes: `AddedToken`, `SpecialTokensMixin`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AddedToken:
    """A special token with settings of its own.

    content: the token's text.
    lstrip, rstrip: take the spaces before, after it along. A plain `str` given as a special token takes both.
    single_word, normalized, special: kept and saved, as in the reference's Python tokenizer, but without effect.
    """

    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False

    def __str__(self) -> str:
        return self.content


Token: TypeAlias = str | AddedToken


class SpecialToken:
    """An attribute such as `tokenizer.cls_token`: a token's text, or None when no token has that role.

    What was given, a `str` or an `AddedToken`, is kept in `tokenizer._cls_token`.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, tokenizer: SpecialTokens, owner: type) -> str | None:
        token: Token | None = getattr(tokenizer, f"_{self.name}")
        if token is None and tokenizer.verbose:
            logger.error("The tokenizer has no %s yet: set it before using it.", self.name)
        return None if token is None else str(token)

    def __set__(self, tokenizer: SpecialTokens, token: Token | None) -> None:
        setattr(tokenizer, f"_{self.name}", token)


class SpecialTokenId:
    """An attribute such as `tokenizer.cls_token_id`: the id of the token of the same role, or None without one."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.removesuffix("_id")

    def __get__(self, tokenizer: SpecialTokens, owner: type) -> int | None:
        token: Token | None = getattr(tokenizer, f"_{self.name}")
        return None if token is None else tokenizer.token_to_id(str(token))

    def __set__(self, tokenizer: SpecialTokens, token_id: object) -> None:
        raise AttributeError(f"{self.name}_id cannot be set: it follows from {self.name}. Set tokenizer.{self.name}.")


class SpecialTokens:
    """Which token has which role. `None` means that no token has it."""

    SPECIAL_TOKENS_ATTRIBUTES = (
        "bos_token",
        "eos_token",
        "unk_token",
        "sep_token",
        "pad_token",
        "cls_token",
        "mask_token",
        "additional_special_tokens",
    )

    bos_token, bos_token_id = SpecialToken(), SpecialTokenId()
    eos_token, eos_token_id = SpecialToken(), SpecialTokenId()
    unk_token, unk_token_id = SpecialToken(), SpecialTokenId()
    sep_token, sep_token_id = SpecialToken(), SpecialTokenId()
    pad_token, pad_token_id = SpecialToken(), SpecialTokenId()
    cls_token, cls_token_id = SpecialToken(), SpecialTokenId()
    mask_token, mask_token_id = SpecialToken(), SpecialTokenId()

    pad_token_type_id = 0  # the segment of padding
    _unk_token: Token | None

    def __init__(self, verbose: bool, tokens: Mapping[str, Any]):
        self.verbose = verbose
        self._additional_special_tokens: list[Token] = []
        for role in self.SPECIAL_TOKENS_ATTRIBUTES:
            token = tokens.get(role)
            if token:
                check_special_token(role, token)
            setattr(self, role, token)

    def token_to_id(self, token: str) -> int:
        """The id of `token`; of the unknown token when the vocabulary lacks it."""
        raise NotImplementedError

    @property
    def additional_special_tokens(self) -> list[str]:
        """Special tokens beyond BERT's own."""
        return [str(token) for token in self._additional_special_tokens]

    @additional_special_tokens.setter
    def additional_special_tokens(self, tokens: Sequence[Token] | None) -> None:
        self._additional_special_tokens = list(tokens or ())

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """Their ids."""
        return [self.token_to_id(token) for token in self.additional_special_tokens]

    @property
    def special_tokens_map_extended(self) -> dict[str, Token | list[Token]]:
        """Role → token as it was given. Roles without a token are left out."""
        tokens = {role: getattr(self, f"_{role}") for role in self.SPECIAL_TOKENS_ATTRIBUTES}
        return {role: token for role, token in tokens.items() if token}

    @property
    def special_tokens_map(self) -> dict[str, str | list[str]]:
        """Role → token as text."""
        return {
            role: list(map(str, token)) if isinstance(token, list) else str(token)
            for role, token in self.special_tokens_map_extended.items()
        }

    @property
    def all_special_tokens_extended(self) -> list[Token]:
        """Every special token once, as it was given, in the order of the roles."""
        tokens: list[Token] = []
        for role in self.SPECIAL_TOKENS_ATTRIBUTES:
            token = getattr(self, f"_{role}")
            tokens += token if isinstance(token, list) else [token] if token else []
        return list(dict.fromkeys(tokens))

    @property
    def all_special_tokens(self) -> list[str]:
        """Every special token, as text."""
        return list(map(str, self.all_special_tokens_extended))

    @property
    def all_special_ids(self) -> list[int]:
        """Their ids."""
        return [self.token_to_id(token) for token in self.all_special_tokens]


def check_special_token(role: str, token: object) -> None:
    """Raise KeyError when there is no such role, TypeError when `token` cannot have it."""
    if role not in SpecialTokens.SPECIAL_TOKENS_ATTRIBUTES:
        raise KeyError(
            f"'{role}' is not the role of a special token. Choose from {', '.join(SpecialTokens.SPECIAL_TOKENS_ATTRIBUTES)}."
        )
    if role == "additional_special_tokens":
        if not isinstance(token, (list, tuple)) or not all(isinstance(each, (str, AddedToken)) for each in token):
            raise TypeError(f"additional_special_tokens must be a list of str or AddedToken, not {token!r}.")
    elif not isinstance(token, (str, AddedToken)):
        raise TypeError(f"{role} must be a str or an AddedToken, not {type(token).__name__} ({token!r}).")
