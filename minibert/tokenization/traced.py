"""Text whose every character remembers where in the original it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unicodedata import combining, normalize


class Traced:
    """A string and, for each of its characters, the index of the original character it was made from.

    Cleaning, lower-casing and taking accents apart drop and add characters; the places come along.

    text: (length) characters. places: (length) indices into the original text.
    """

    def __init__(self, text: str, places: list[int] | range):
        self.text = text
        self.places = places

    def __getitem__(self, part: slice) -> Traced:
        return Traced(self.text[part], self.places[part])

    @property
    def span(self) -> tuple[int, int]:
        """Where the original of this text begins and ends."""
        return min(self.places), max(self.places) + 1

    def translate(self, rule: Callable[[str], str]) -> Traced:
        """Replace every character by `rule` of it; what it becomes keeps its place."""
        made = [(new, place) for char, place in zip(self.text, self.places, strict=True) for new in rule(char)]
        return Traced("".join(new for new, _ in made), [place for _, place in made])

    def lower(self) -> Traced:
        """`str.lower`, which looks around at a Σ (so length decides: only İ becomes longer, and needs no look around)."""
        lowered = self.text.lower()
        return Traced(lowered, self.places) if len(lowered) == len(self.text) else self.translate(str.lower)

    def decompose(self) -> Traced:
        """Unicode form NFD: every character taken apart, and marks in a row sorted by their class (stably)."""
        apart = self.translate(lambda char: normalize("NFD", char))
        order = list(range(len(apart.text)))
        start = 0
        while start < len(order):
            end = start + 1
            if combining(apart.text[start]):
                while end < len(order) and combining(apart.text[end]):
                    end += 1
                order[start:end] = sorted(order[start:end], key=lambda index: combining(apart.text[index]))
            start = end
        return Traced("".join(apart.text[index] for index in order), [apart.places[index] for index in order])

    def split(self) -> Iterator[Traced]:
        """What stands between whitespace, as `str.split` sees it."""
        start = 0
        for word in self.text.split():
            start = self.text.index(word, start)
            yield self[start : start + len(word)]
            start += len(word)
