"""Tokens ↔ ids: the vocabulary, the tokens with a role (`[CLS]`, `[SEP]`, `[PAD]`, …), and those added since.

Reference classes: `AddedToken`, `SpecialTokensMixin`, and this half of `PreTrainedTokenizer`.
"""

import logging
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

from .words import BasicTokenizer

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AddedToken:
    """A special token with settings of its own.

    lstrip, rstrip: take the spaces before, after it along. A plain `str` given as a special token takes both.
    single_word, normalized: heeded and saved by `BertTokenizerFast`, as in the reference; of no effect in the Python class.
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


def with_role(role: str) -> tuple[property, property]:
    """The attributes `tokenizer.cls_token`, a token's text, and `tokenizer.cls_token_id`, for one role; None without a token.

    What was given, a `str` or an `AddedToken`, is kept in `tokenizer._cls_token`. Additional special tokens are lists.
    """

    def text(tokenizer: "Vocabulary") -> str | list[str] | None:
        token = getattr(tokenizer, f"_{role}")
        if token is None and tokenizer.verbose:
            logger.error("The tokenizer has no %s yet: set it before using it.", role)
        return list(map(str, token)) if isinstance(token, list) else None if token is None else str(token)

    def give(tokenizer: "Vocabulary", token: Any) -> None:
        if token:
            check_special_token(role, token)
        setattr(tokenizer, f"_{role}", list(token or ()) if role == "additional_special_tokens" else token)

    def index(tokenizer: "Vocabulary") -> int | list[int] | None:
        token = getattr(tokenizer, f"_{role}")
        if isinstance(token, list):
            return list(map(tokenizer.token_to_id, token))
        return tokenizer.known_id(token)

    def refuse(tokenizer: "Vocabulary", index: object) -> None:  # noqa: ARG001
        raise AttributeError(f"The id of {role} follows from it and cannot be set. Set tokenizer.{role}.")

    return property(text, give), property(index, refuse)


class Vocabulary:
    """Tokens ↔ ids. Tokens are given a role, and new ones the ids behind the last.

    vocab: piece → id, from the file. ids_to_tokens: the other way round. roles: the token of each role, in their order.
    cls_token, sep_token, …: the token with that role, as text; None when no token has it. cls_token_id, …: its id.
    added_tokens_encoder, added_tokens_decoder: added token → id, and back.
    unique_no_split_tokens: tokens that are cut out of the text before it is tokenized, sorted.
    looked_for: the same, as they stand in lower-cased text where text is lower-cased.
    added_as_special: those of them that keep their case, whether they have a role or not. added_flags: how some were given.
    """

    ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
    SPECIAL_TOKENS_ATTRIBUTES = [*ROLES, "additional_special_tokens"]  # noqa: RUF012  # a list in the reference

    bos_token, bos_token_id = with_role("bos_token")
    eos_token, eos_token_id = with_role("eos_token")
    unk_token, unk_token_id = with_role("unk_token")
    sep_token, sep_token_id = with_role("sep_token")
    pad_token, pad_token_id = with_role("pad_token")
    cls_token, cls_token_id = with_role("cls_token")
    mask_token, mask_token_id = with_role("mask_token")
    additional_special_tokens, additional_special_tokens_ids = with_role("additional_special_tokens")

    is_fast, pad_token_type_id = False, 0  # whether it does as the Rust tokenizer did; the segment of padding
    _unk_token: Token | None
    _additional_special_tokens: list[Token]
    do_basic_tokenize: bool
    basic_tokenizer: BasicTokenizer

    def __init__(self, vocab: dict[str, int], roles: Sequence[Any], verbose: bool = True):
        self.vocab = vocab
        self.ids_to_tokens = {index: piece for piece, index in vocab.items()}
        self.added_tokens_encoder: dict[str, int] = {}
        self.added_tokens_decoder: dict[int, str] = {}
        self.unique_no_split_tokens: list[str] = []
        self.looked_for: list[str] = []
        self.added_as_special: set[str] = set()
        self.added_flags: dict[str, AddedToken] = {}
        self.verbose = verbose
        for role, token in zip(self.SPECIAL_TOKENS_ATTRIBUTES, roles, strict=True):
            setattr(self, role, token)

    @property
    def special_tokens_map_extended(self) -> dict[str, Token | list[Token]]:
        """Role → token as it was given. Roles without a token are left out."""
        return {role: token for role in self.SPECIAL_TOKENS_ATTRIBUTES if (token := getattr(self, f"_{role}"))}

    @property
    def special_tokens_map(self) -> dict[str, str | list[str]]:
        """Role → token as text."""
        return {role: getattr(self, role) for role in self.special_tokens_map_extended}

    @property
    def all_special_tokens_extended(self) -> list[Token]:
        """Every special token once, as it was given, in the order of the roles."""
        tokens = []
        for role in self.ROLES:
            tokens.append(getattr(self, f"_{role}"))
        return list(dict.fromkeys(filter(None, tokens + self._additional_special_tokens)))

    @property
    def all_special_tokens(self) -> list[str]:
        """Every special token, as text."""
        return list(map(str, self.all_special_tokens_extended))

    @property
    def all_special_ids(self) -> list[int]:
        return [index for token in self.all_special_tokens if (index := self.known_id(token)) is not None]

    @property
    def do_lower_case(self) -> bool:
        """Whether text is lower-cased, before special and added tokens are looked for in it."""
        return self.do_basic_tokenize and self.basic_tokenizer.do_lower_case

    @property
    def vocab_size(self) -> int:
        """Number of pieces in the vocabulary, without added tokens."""
        return len(self.vocab)

    def __len__(self) -> int:
        return len(self.vocab) + len(self.added_tokens_encoder)

    def get_vocab(self) -> dict[str, int]:
        """Every token → its id, added ones included."""
        return {**self.vocab, **self.added_tokens_encoder}

    def get_added_vocab(self) -> dict[str, int]:
        """Every added token → its id."""
        return self.added_tokens_encoder

    def known_id(self, token: Token | None) -> int | None:
        """The id of `token`, or else of the unknown token; None when there is no token, or the vocabulary lacks both."""
        for known in () if token is None else (str(token), str(self._unk_token)):
            if (index := self.added_tokens_encoder.get(known, self.vocab.get(known))) is not None:
                return index
        return None

    def token_to_id(self, token: Token) -> int:
        """As `known_id`. Raises ValueError when the vocabulary has neither the token nor the unknown token."""
        if (index := self.known_id(token)) is None:
            missing = f"neither {str(token)!r} nor the unknown token {str(self._unk_token)!r}"
            raise ValueError(f"The vocabulary has {missing}. Set tokenizer.unk_token to one that it has.")
        return index

    def id_to_token(self, index: int) -> str:
        """The token with this id; the unknown token for a gap between ids. Raises ValueError below 0 and beyond the last."""
        token = self.added_tokens_decoder.get(index, self.ids_to_tokens.get(index))
        if index < 0:
            raise ValueError(f"{index} is the id of no token: they begin at 0. Labels of -100 are no ids.")
        if token is None and index > (last := max(*self.ids_to_tokens, *self.added_tokens_decoder, 0, 0)):
            raise ValueError(f"{index} is the id of no token: the last one is {last}. Is it of another vocabulary?")
        return str(self._unk_token or "") if token is None else token

    def convert_tokens_to_ids(self, tokens: str | Sequence[str] | None) -> Any:
        """The id of one token, or the list of the ids of several; None for None."""
        if tokens is None:
            return None
        if isinstance(tokens, str):
            return self.token_to_id(tokens)
        ids = list(map(self.vocab.get, tokens))
        if self.added_tokens_encoder:
            ids = list(map(self.added_tokens_encoder.get, tokens, ids))
        return list(map(self.token_to_id, tokens)) if None in ids else ids

    def convert_ids_to_tokens(self, ids: int | Iterable[int], skip_special_tokens: bool = False) -> Any:
        """The token of one id, or the tokens of several (a list, an array, a tensor), without special ones if asked."""
        if isinstance(ids, int):
            return self.id_to_token(ids)
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        try:
            return [self.id_to_token(each) for each in map(operator.index, ids) if each not in skipped]
        except TypeError as error:
            raise ValueError(f"Ids are whole numbers, one or a sequence of them, not {ids!r:.80}.") from error

    def add_tokens(self, new_tokens: Token | Sequence[Token], special_tokens: bool = False) -> int:
        """Give new tokens the next ids, and cut them out of the text whole from now on. Returns how many were new.

        Tokens that are not special are lower-cased where text is. Call `model.resize_token_embeddings(len(tokenizer))`.
        """
        if not new_tokens:
            return 0
        tokens = [*new_tokens] if isinstance(new_tokens, (list, tuple)) else [new_tokens]
        if no := [each for each in tokens if not isinstance(getattr(each, "content", each), str) or not str(each)]:
            raise ValueError(f"{no[0]!r:.80} is no token: give text, an AddedToken or a list of them, no empty token.")
        lowers = self.do_lower_case and not (special_tokens or self.is_fast)
        given = [str(each).lower() if lowers else str(each) for each in tokens]
        self.added_flags = {**self.added_flags, **{t.content: t for t in tokens if isinstance(t, AddedToken)}}
        known = {**self.get_vocab(), str(self._unk_token): None}
        unknown = [token for token in dict.fromkeys(given) if token not in known]
        new = {token: index for index, token in enumerate(unknown, start=len(self))}
        for token, index in new.items():
            if index in self.ids_to_tokens:
                taken = f"{token!r} would get id {index}, which is {self.ids_to_tokens[index]!r} already"
                raise ValueError(f"{taken}: a piece stands on two of its lines in vocab.txt. Give each line its own.")
        self.added_tokens_encoder = {**self.added_tokens_encoder, **new}  # replaced at once: threads may be encoding
        self.added_tokens_decoder = {index: token for token, index in self.added_tokens_encoder.items()}
        self.cut_out(given if special_tokens else new, special=special_tokens)
        return len(new)

    def cut_out(self, tokens: Iterable[str], special: bool) -> None:
        """Cut tokens out of the text whole from now on: special ones as they stand, others after lower-casing."""
        self.added_as_special = self.added_as_special.union(tokens if special else ())
        self.unique_no_split_tokens = sorted({*self.unique_no_split_tokens, *tokens})
        kept = self.added_as_special.union(
            self.all_special_tokens if self.do_lower_case else self.unique_no_split_tokens
        )
        self.looked_for = [token if token in kept else token.lower() for token in self.unique_no_split_tokens]

    def add_special_tokens(self, special_tokens_dict: Mapping[str, Token | Sequence[Token]]) -> int:
        """Give tokens a role: {"cls_token": "[CLS]", …}, and add those the vocabulary lacks. Returns how many were added."""
        before = len(self)
        for role, token in special_tokens_dict.items():
            check_special_token(role, token)
            setattr(self, role, token)
            self.add_tokens(token, special_tokens=True)
        return len(self) - before

    def sanitize_special_tokens(self) -> int:
        """Add every special token that the vocabulary lacks. Returns how many were added."""
        return self.add_tokens(self.all_special_tokens_extended, special_tokens=True)

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """Tokens with spaces between them, `##` pieces joined to what stands before: un ##aff ##able → unaffable."""
        return " ".join(tokens).replace(" ##", "").strip()

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool = True,
        spaces_between_special_tokens: bool = True,
    ) -> str:
        """Text of `token_ids` (an id, a list, an array or a tensor of one sequence).

        clean_up_tokenization_spaces: close the gaps before punctuation and English contractions: do n't → don't.
        spaces_between_special_tokens: a space on each side of an added token.
        """
        ids = token_ids.tolist() if hasattr(token_ids, "tolist") else token_ids
        tokens = self.convert_ids_to_tokens([ids] if isinstance(ids, int) else ids, skip_special_tokens)
        texts: list[str] = []
        for added, group in groupby(tokens, key=(() if self.is_fast else self.added_tokens_encoder).__contains__):
            together = list(group)
            texts += together if added else [self.convert_tokens_to_string(together)]
        text = (" " if spaces_between_special_tokens else "").join(texts)
        return self.clean_up_tokenization(text) if clean_up_tokenization_spaces else text

    def batch_decode(self, sequences: Sequence[Any], *arguments: Any, **named: Any) -> list[str]:
        """Text of each sequence of a batch. The other arguments are those of `decode`."""
        return [self.decode(sequence, *arguments, **named) for sequence in sequences]

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        for spaced in (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're"):  # the order matters
            out_string = out_string.replace(spaced, spaced.strip())
        return out_string


class SpecialTokenError(TypeError, KeyError, AssertionError):
    """No such role, or no token; an AssertionError too, which the reference raises."""

    __str__ = Exception.__str__  # a KeyError would show its message in quotation marks


def check_special_token(role: str, token: object) -> None:
    """Raise SpecialTokenError when there is no such role, or `token` cannot have it."""
    if role not in (roles := Vocabulary.SPECIAL_TOKENS_ATTRIBUTES):
        raise SpecialTokenError(f"'{role}' is not the role of a special token. Choose from {', '.join(roles)}.")
    several = role == "additional_special_tokens"
    tokens = token if several and isinstance(token, (list, tuple)) else [None if several else token]
    if not all(isinstance(each, (str, AddedToken)) for each in tokens):
        wanted = "a list of str or AddedToken" if several else "a str or an AddedToken"
        raise SpecialTokenError(f"{role} must be {wanted}, not {token!r}.")
