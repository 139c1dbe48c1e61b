"""Tokens and their ids: the vocabulary of the file, and what was added to it since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import overload

from .special_tokens import SpecialTokens, Token, check_special_token
from .trie import Trie


class AddedVocabulary(SpecialTokens):
    """Look tokens up, and add new ones behind the vocabulary's last id.

    vocab: piece → id, from the file.
    added_tokens_encoder, added_tokens_decoder: added token → id, and back.
    unique_no_split_tokens: tokens that are cut out of the text before it is tokenized, sorted.

    Reference: this half of `PreTrainedTokenizer`.
    """

    vocab: dict[str, int]
    ids_to_tokens: dict[int, str]
    added_tokens_encoder: dict[str, int]
    added_tokens_decoder: dict[int, str]
    unique_no_split_tokens: list[str]
    tokens_trie: Trie

    @property
    def lowers(self) -> bool:
        """Whether text is lower-cased before added tokens are looked for in it."""
        raise NotImplementedError

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

    def token_to_id(self, token: str) -> int:
        """The id of `token`; of the unknown token when the vocabulary lacks it.

        Raises ValueError when the vocabulary lacks both.
        """
        token_id = self._find(token)
        if token_id is None:
            token_id = self._find_unknown()
        if token_id is None:
            raise ValueError(
                f"The vocabulary has neither {token!r} nor the unknown token {self._unk_token!r}: there is no id to "
                "give. Set tokenizer.unk_token to a token of the vocabulary, or add one with "
                "tokenizer.add_special_tokens({'unk_token': ...})."
            )
        return token_id

    def _find(self, token: str) -> int | None:
        return self.added_tokens_encoder.get(token, self.vocab.get(token))

    def _find_unknown(self) -> int | None:
        return None if self._unk_token is None else self._find(str(self._unk_token))

    def id_to_token(self, index: int) -> str:
        """The token with this id; the unknown token when there is none."""
        token = self.added_tokens_decoder.get(index, self.ids_to_tokens.get(index))
        if token is None:
            token = "" if self._unk_token is None else str(self._unk_token)
        return token

    @overload
    def convert_tokens_to_ids(self, tokens: str) -> int: ...

    @overload
    def convert_tokens_to_ids(self, tokens: list[str] | tuple[str, ...]) -> list[int]: ...

    @overload
    def convert_tokens_to_ids(self, tokens: None) -> None: ...

    def convert_tokens_to_ids(self, tokens: str | list[str] | tuple[str, ...] | None) -> int | list[int] | None:
        """The id of one token, or the ids of several."""
        if tokens is None:
            return None
        if isinstance(tokens, str):
            return self.token_to_id(tokens)
        return [self.token_to_id(token) for token in tokens]

    @overload
    def convert_ids_to_tokens(self, ids: int, skip_special_tokens: bool = False) -> str: ...

    @overload
    def convert_ids_to_tokens(self, ids: Iterable[int], skip_special_tokens: bool = False) -> list[str]: ...

    def convert_ids_to_tokens(self, ids: int | Iterable[int], skip_special_tokens: bool = False) -> str | list[str]:
        """The token of one id, or the tokens of several (a list, an array, a tensor), without special ones if asked."""
        if isinstance(ids, int):
            return self.id_to_token(ids)
        skipped = set(self.all_special_ids) if skip_special_tokens else set()
        return [self.id_to_token(index) for index in map(int, ids) if index not in skipped]

    def add_tokens(self, new_tokens: Token | Sequence[Token], special_tokens: bool = False) -> int:
        """Give new tokens the next ids, and cut them out of the text whole from now on. Returns how many were new.

        Tokens that are not special are lower-cased where text is. Resize the model's embeddings afterwards:
        `model.resize_token_embeddings(len(tokenizer))`.
        """
        if not new_tokens:
            return 0
        given = [str(token) for token in (new_tokens if isinstance(new_tokens, (list, tuple)) else [new_tokens])]
        if not special_tokens and self.lowers:
            given = [token.lower() for token in given]
        if "" in given:
            raise ValueError("An empty token cannot be added: it would be found between any two characters.")
        new = [token for token in dict.fromkeys(given) if token != self.unk_token and self._find(token) is None]
        for index, token in enumerate(new, start=len(self)):
            if index in self.ids_to_tokens:
                raise ValueError(
                    f"{token!r} would get id {index}, which is {self.ids_to_tokens[index]!r} already: the vocabulary has "
                    f"{len(self.vocab)} different pieces but ids up to {max(self.ids_to_tokens)}, because some piece "
                    "stands on two of its lines. Give every line of vocab.txt a piece of its own."
                )
        self.added_tokens_encoder.update({token: index for index, token in enumerate(new, start=len(self))})
        self.added_tokens_decoder.update({index: token for token, index in self.added_tokens_encoder.items()})
        self.unique_no_split_tokens = sorted({*self.unique_no_split_tokens, *(given if special_tokens else new)})
        self._create_trie()
        return len(new)

    def add_special_tokens(self, special_tokens_dict: Mapping[str, Token | Sequence[Token]]) -> int:
        """Give tokens a role, and add those the vocabulary lacks. Returns how many were added.

        special_tokens_dict: role (such as "cls_token" or "additional_special_tokens") → token or tokens.
        """
        added = 0
        for role, token in special_tokens_dict.items():
            check_special_token(role, token)
            setattr(self, role, token)
            added += self.add_tokens(token, special_tokens=True)
        return added

    def sanitize_special_tokens(self) -> int:
        """Add every special token that the vocabulary lacks. Returns how many were added."""
        return self.add_tokens(self.all_special_tokens_extended, special_tokens=True)

    def _create_trie(self) -> None:
        special = set(self.all_special_tokens)
        self.tokens_trie = Trie()
        for token in self.unique_no_split_tokens:
            # the text it will be looked for in is lower-cased, all but the special tokens
            self.tokens_trie.add(token.lower() if self.lowers and token not in special else token)
