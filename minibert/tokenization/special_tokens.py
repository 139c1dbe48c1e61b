"""The tokens with a role: `[CLS]`, `[SEP]`, `[PAD]`, `[UNK]`, `[MASK]` and the caller's own.

Reference class: `SpecialTokensMixin`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TypeAlias

from .added_token import AddedToken

logger = logging.getLogger(__name__)

Token: TypeAlias = str | AddedToken


class SpecialToken:
    """An attribute such as `tokenizer.cls_token`: a token's text, or None when no token has that role.

    What was given, a `str` or an `AddedToken`, is kept in `tokenizer._cls_token`.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.slot = f"_{name}"

    def __get__(self, tokenizer: SpecialTokens, owner: type) -> str | None:
        token: Token | None = getattr(tokenizer, self.slot)
        if token is None:
            if tokenizer.verbose:
                logger.error("The tokenizer has no %s yet: set it before using it.", self.name)
            return None
        return str(token)

    def __set__(self, tokenizer: SpecialTokens, token: Token | None) -> None:
        setattr(tokenizer, self.slot, token)


class SpecialTokenId:
    """An attribute such as `tokenizer.cls_token_id`: the id of the token of the same role, or None without one."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.removesuffix("_id")
        self.slot = f"_{self.name}"

    def __get__(self, tokenizer: SpecialTokens, owner: type) -> int | None:
        token: Token | None = getattr(tokenizer, self.slot)
        return None if token is None else tokenizer.token_to_id(str(token))

    def __set__(self, tokenizer: SpecialTokens, token_id: object) -> None:
        raise AttributeError(f"{self.name}_id cannot be set: it follows from {self.name}. Set tokenizer.{self.name}.")


class SpecialTokens:
    """What part each special token plays. `None` means that no token plays it."""

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

    bos_token = SpecialToken()
    eos_token = SpecialToken()
    unk_token = SpecialToken()
    sep_token = SpecialToken()
    pad_token = SpecialToken()
    cls_token = SpecialToken()
    mask_token = SpecialToken()

    bos_token_id = SpecialTokenId()
    eos_token_id = SpecialTokenId()
    unk_token_id = SpecialTokenId()
    sep_token_id = SpecialTokenId()
    pad_token_id = SpecialTokenId()
    cls_token_id = SpecialTokenId()
    mask_token_id = SpecialTokenId()

    pad_token_type_id = 0  # the segment of padding

    def __init__(
        self,
        *,
        bos_token: Token | None,
        eos_token: Token | None,
        unk_token: Token | None,
        sep_token: Token | None,
        pad_token: Token | None,
        cls_token: Token | None,
        mask_token: Token | None,
        additional_special_tokens: Sequence[Token] | None,
        verbose: bool,
    ):
        self.verbose = verbose
        self._bos_token = bos_token
        self._eos_token = eos_token
        self._unk_token = unk_token
        self._sep_token = sep_token
        self._pad_token = pad_token
        self._cls_token = cls_token
        self._mask_token = mask_token
        self._additional_special_tokens: list[Token] = list(additional_special_tokens or ())
        for role, token in self.special_tokens_map_extended.items():
            check_special_token(role, token)

    def token_to_id(self, token: str) -> int:
        """The id of `token`; of the unknown token when the vocabulary lacks it."""
        raise NotImplementedError

    @property
    def additional_special_tokens(self) -> list[str]:
        """Special tokens beyond BERT's own."""
        return [str(token) for token in self._additional_special_tokens]

    @additional_special_tokens.setter
    def additional_special_tokens(self, tokens: Sequence[Token]) -> None:
        self._additional_special_tokens = list(tokens)

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
            role: [str(each) for each in token] if isinstance(token, list) else str(token)
            for role, token in self.special_tokens_map_extended.items()
        }

    @property
    def all_special_tokens_extended(self) -> list[Token]:
        """Every special token once, as it was given, in the order of the roles."""
        tokens: list[Token] = []
        for token in self.special_tokens_map_extended.values():
            tokens += token if isinstance(token, list) else [token]
        return list(dict.fromkeys(tokens))

    @property
    def all_special_tokens(self) -> list[str]:
        """Every special token, as text."""
        return [str(token) for token in self.all_special_tokens_extended]

    @property
    def all_special_ids(self) -> list[int]:
        """Their ids."""
        return [self.token_to_id(token) for token in self.all_special_tokens]


def check_special_token(role: str, token: object) -> None:
    """Raise TypeError when `token` cannot play `role`."""
    if role not in SpecialTokens.SPECIAL_TOKENS_ATTRIBUTES:
        raise KeyError(
            f"'{role}' is not the role of a special token. Choose from {', '.join(SpecialTokens.SPECIAL_TOKENS_ATTRIBUTES)}."
        )
    if role == "additional_special_tokens":
        if not isinstance(token, (list, tuple)) or not all(isinstance(each, (str, AddedToken)) for each in token):
            raise TypeError(f"additional_special_tokens must be a list of str or AddedToken, not {token!r}.")
    elif not isinstance(token, (str, AddedToken)):
        raise TypeError(f"{role} must be a str or an AddedToken, not {type(token).__name__} ({token!r}).")
