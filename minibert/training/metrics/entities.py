"""Entities in tagged sentences, and their F1 as the CoNLL shared tasks count it.

A tag is "O", outside, or a prefix and a type, "B-person". Two schemes are in use: IOB2 begins every entity with B; IOB1 writes I
everywhere and B only between two neighbours of one type. The rule of the `conlleval` script reads both: a word goes on with the entity
of the word before it if both have the same type, it does not begin one (B, S), and that one does not end there (E, S).

    I-person I-person B-person O I-place        →   person 0–1, person 2, place 4

An entity is right when its type, its first and its last word are. Source: Tjong Kim Sang & De Meulder 2003, and `conlleval`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

BEGINS, ENDS = ("B", "S"), ("E", "S")
PREFIXES = ("B", "I", "E", "S")


class Entity(NamedTuple):
    """An entity's type and its words, `words[start:end]`."""

    type: str
    start: int
    end: int


@dataclass(frozen=True)
class EntityScores:
    """Precision, recall and F1 of entities, with the counts they come from: right ones, predicted ones, true ones.

    precision = right / predicted, recall = right / true, F1 = 2 right / (predicted + true); 0 where nothing is to divide by.
    types: the same for each type that occurs, by name.
    """

    right: int
    predicted: int
    true: int
    types: dict[str, EntityScores]

    @property
    def precision(self) -> float:
        """The share of the predicted entities that are right."""
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """The share of the true entities that are found."""
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.predicted + self.true
        return 2 * self.right / both if both else 0.0


def entities(tags: Iterable[str]) -> list[Entity]:
    """The entities of one sentence's tags, in order. Raises ValueError for a tag that is no IOB tag."""
    found: list[Entity] = []
    prefix_before, type_before = "O", ""
    for place, tag in enumerate(tags):
        prefix, kind = _split(tag)
        goes_on = (
            prefix_before not in ("O", *ENDS) and prefix not in ("O", *BEGINS) and kind == type_before
        )  # outside, the type is "" on both sides
        if goes_on:
            found[-1] = found[-1]._replace(end=place + 1)
        elif prefix != "O":
            found.append(Entity(kind, place, place + 1))
        prefix_before, type_before = prefix, kind
    return found


def _split(tag: str) -> tuple[str, str]:
    prefix, _, kind = tag.partition("-")
    if tag != "O" and prefix not in PREFIXES:
        raise ValueError(f"The tag {tag!r} marks no entity: it must be O, or B-, I-, E- or S- and a type.")
    return prefix, kind


def entity_f1(predictions: Sequence[Sequence[str]], labels: Sequence[Sequence[str]]) -> EntityScores:
    """Score predicted tags against the true ones: for each sentence a list of tags.

    Raises ValueError where sentences, or the tags of one, are not as many.
    """
    if len(predictions) != len(labels):
        raise ValueError(f"There are predictions for {len(predictions)} sentences and labels for {len(labels)}.")
    right, predicted, true = Counter[str](), Counter[str](), Counter[str]()
    for number, (ours, theirs) in enumerate(zip(predictions, labels, strict=True)):
        if len(ours) != len(theirs):
            raise ValueError(f"Sentence {number} has {len(ours)} predicted tags and {len(theirs)} true ones.")
        found, wanted = set(entities(ours)), set(entities(theirs))
        predicted.update(entity.type for entity in found)
        true.update(entity.type for entity in wanted)
        right.update(entity.type for entity in found & wanted)
    types = {kind: EntityScores(right[kind], predicted[kind], true[kind], {}) for kind in sorted(predicted | true)}
    return EntityScores(right.total(), predicted.total(), true.total(), types)
