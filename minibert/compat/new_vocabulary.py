"""Training a tokenizer like another one on new texts, by `train_wordpiece`. Reference: `BertTokenizerFast.train_new_from_iterator`."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..tokenization.tokenizer import BertTokenizer
from ..tokenization.train_vocabulary import learn_pieces
from ..tokenization.vocabulary import Token
from ..tokenization.words import lower_each


def train_new_from_iterator(
    self: BertTokenizer,
    text_iterator: Iterable[str | Sequence[str]],
    vocab_size: int,
    new_special_tokens: Sequence[Token] | None = None,
    special_tokens_map: Mapping[str, str] | None = None,
    *,
    min_frequency: int = 0,
    limit_alphabet: int | None = None,
    show_progress: bool = True,  # noqa: ARG001  # an argument of the Rust trainer without effect
) -> BertTokenizer:
    """A tokenizer of the same class, settings and special tokens, with pieces that `learn_pieces` finds in other texts.

    text_iterator: texts, or lists of texts. new_special_tokens: more of them. special_tokens_map: old name → new name.
    Raises ValueError where there are no words, no room in `vocab_size`, or no special token of a name in the map.
    """
    if isinstance(text_iterator, str):
        raise ValueError("train_new_from_iterator takes texts, such as [text], not one str.")
    names = dict(special_tokens_map or {})
    old = sorted({*self.all_special_tokens, *self.added_as_special}, key=self.token_to_id)
    if unknown := [name for name in names if name not in old]:
        raise ValueError(f"special_tokens_map names {unknown[0]!r}, which is none of the special tokens {old}.")

    def renamed(token: Token) -> Token:
        new = names.get(str(token), str(token))
        return new if isinstance(token, str) else dataclasses.replace(token, content=new)

    roles: dict[str, Any] = {
        role: token and renamed(token) for role in self.ROLES for token in [getattr(self, f"_{role}")]
    }
    additional = [*map(renamed, self._additional_special_tokens), *(new_special_tokens or ())]
    special_tokens = list(dict.fromkeys([*map(str, map(renamed, old)), *map(str, additional)]))
    chunks, words = Counter[str](), Counter[str]()  # what stands between spaces, each different one split once
    for texts in text_iterator:
        for text in [texts] if isinstance(texts, str) else texts:
            chunks.update(text.split(" "))
    for chunk, count in chunks.items():
        text = lower_each(chunk) if self.do_lower_case else chunk
        for word in self.basic_tokenizer.tokenize(text) if self.do_basic_tokenize else text.split():
            words[word] += count
    limits: dict[str, Any] = {"alphabet_limit": limit_alphabet or 0x110000, "min_frequency": min_frequency}
    learned = learn_pieces(words, vocab_size, special_tokens, **limits)
    vocab = {piece: index for index, piece in enumerate(learned)}
    kept = {name: getattr(self, name) for name in ("model_max_length", "padding_side", "model_input_names")}
    new = type(self)(vocab, **self.init_kwargs | roles | kept | {"additional_special_tokens": additional})
    new.cut_out(special_tokens, special=True)
    return new
