"""Tokens and their ids: the vocabulary of the file, and what was added to it since.

Reference classes: this half of `PreTrainedTokenizer`, and `Trie`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, overload

from .special_tokens import SpecialTokens, Token, check_special_token

Node: TypeAlias = dict[str, "Node"]  # next character → what may follow; END marks a node where a token is complete

END = ""


class AddedVocabulary(SpecialTokens):
    """Look tokens up, and add new ones behind the vocabulary's last id.

    vocab: piece → id, from the file. ids_to_tokens: the other way round.
    added_tokens_encoder, added_tokens_decoder: added token → id, and back.
    unique_no_split_tokens: tokens that are cut out of the text before it is tokenized, sorted. tokens_trie finds them.
    """

    def __init__(self, vocab: dict[str, int], verbose: bool, tokens: Mapping[str, Any]):
        super().__init__(verbose, tokens)
        self.vocab = vocab
        self.ids_to_tokens = {index: piece for piece, index in vocab.items()}
        self.added_tokens_encoder: dict[str, int] = {}
        self.added_tokens_decoder: dict[int, str] = {}
        self.unique_no_split_tokens: list[str] = []
        self.tokens_trie = Trie()

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
        index = self.added_tokens_encoder.get(token, self.vocab.get(token))
        if index is None and self._unk_token is not None:
            unknown = str(self._unk_token)
            index = self.added_tokens_encoder.get(unknown, self.vocab.get(unknown))
        if index is not None:
            return index
        raise ValueError(
            f"The vocabulary has neither {token!r} nor the unknown token {self._unk_token!r}: there is no id to "
            "give. Set tokenizer.unk_token to a token of the vocabulary, or add one with "
            "tokenizer.add_special_tokens({'unk_token': ...})."
        )

    def id_to_token(self, index: int) -> str:
        """The token with this id; the unknown token when there is none."""
        token = self.added_tokens_decoder.get(index, self.ids_to_tokens.get(index))
        return str(self._unk_token or "") if token is None else token

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
        ids = list(map(self.vocab.get, tokens))
        if self.added_tokens_encoder or None in ids:
            return [self.token_to_id(token) for token in tokens]
        return ids  # type: ignore[return-value]  # None was looked for

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
        known = {self.unk_token, *self.vocab, *self.added_tokens_encoder}
        new = {token: index for index, token in enumerate(dict.fromkeys(x for x in given if x not in known), len(self))}
        for token, index in new.items():
            if index in self.ids_to_tokens:
                raise ValueError(
                    f"{token!r} would get id {index}, which is {self.ids_to_tokens[index]!r} already: the vocabulary has "
                    f"{len(self.vocab)} different pieces but ids up to {max(self.ids_to_tokens)}, because some piece "
                    "stands on two of its lines. Give every line of vocab.txt a piece of its own."
                )
        self.added_tokens_encoder = {**self.added_tokens_encoder, **new}
        self.added_tokens_decoder = {index: token for token, index in self.added_tokens_encoder.items()}
        self.unique_no_split_tokens = sorted({*self.unique_no_split_tokens, *(given if special_tokens else new)})
        special = set(self.all_special_tokens)  # the others are looked for in text that is lower-cased
        self.tokens_trie = Trie(
            token.lower() if self.lowers and token not in special else token for token in self.unique_no_split_tokens
        )
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


class Trie:
    """Tokens stored by their characters, so that all of them are looked for in one pass over the text.

    "an [MASK] egg" with the token "[MASK]" is cut into "an ", "[MASK]", " egg". The token that begins first is taken;
    of those that begin together, the longest. Equal to the reference's `Trie` cut for cut, its odd cases included: a
    token that failed to match may still be resumed when a shorter one completes inside it.
    """

    def __init__(self, tokens: Iterable[str] = ()):
        self.data: Node = {}
        for token in filter(None, tokens):
            node = self.data
            for char in token:
                node = node.setdefault(char, {})
            node[END] = {}

    def split(self, text: str) -> list[str]:
        """Parts of `text`, in order, none empty; joined they are `text` again."""
        cuts = [0]
        walkers: dict[int, Node] = {}  # start of each token that may be under way → where in the tree it stands
        resume = 0
        for position, char in enumerate(text):
            if position < resume:
                continue
            stuck = []
            for start, node in walkers.items():
                if END in node:
                    start, end, resume = self._extend(text, position, start, walkers, resume)
                    cuts += [start, end]
                    walkers = {}
                    break
                if char in node:
                    walkers[start] = node[char]
                else:
                    stuck.append(start)
            else:
                for start in stuck:
                    del walkers[start]
            if char in self.data:
                walkers[position] = self.data[char]
        for start, node in walkers.items():
            if END in node:
                cuts += [start, len(text)]
                break
        parts = []
        start = 0
        for end in [*cuts, len(text)]:
            if end > start:
                parts.append(text[start:end])
                start = end
        return parts

    @staticmethod
    def _extend(text: str, position: int, found: int, walkers: dict[int, Node], resume: int) -> tuple[int, int, int]:
        """A token that began at `found` is complete before `position`: look ahead for an earlier or a longer one."""
        end = position
        for start, node in walkers.items():
            if start > found:
                break
            # walkers before `found` have already moved past the character at `position`
            ahead = end = position + 1 if start < found else position
            while ahead < len(text) and text[ahead] in node:
                node = node[text[ahead]]
                ahead += 1
                if END in node:
                    found = start
                    end = resume = ahead
        return found, end, resume
