"""A token added to the vocabulary, and how it treats the spaces around it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AddedToken:
    """A special token with settings of its own. Reference class: `AddedToken`.

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
