"""Entities that tags mark, in every scheme in use, and how many of them were found.

    words   Ada   Lovelace  Ada    in  Rome
    IOB1    I-per I-per     B-per  O   I-loc      B only between two neighbours of one type
    IOB2    B-per I-per     B-per  O   B-loc      B begins every entity
    IOE     I-per E-per     E-per  O   E-loc      E ends one (in IOE1 only between two neighbours)
    IOBES   B-per E-per     S-per  O   S-loc      S is one of a single word
    BILOU   B-per L-per     U-per  O   U-loc      L (last) for E, U (unit) for S
    BMES    B-per E-per     S-per  O   S-loc      M (middle) for I; W for S in BMEWO

One rule reads them all, that of `conlleval`: a word continues the entity of the word before it if both have the same type, it does
not begin one (B, S), and that one does not end there (E, S). Without a type, as in B I O, all are of one, "_", as in seqeval; the letter may
stand behind the type (per-B), after any of - _ : /, and be small. Sources: Ramshaw & Marcus 1995; Tjong Kim Sang & De Meulder 2003.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

OUTSIDE = "O"
MEANINGS = dict(zip("BIMELSUW", "BIIEESSS", strict=True))
# Tags of pieces, not of words.
SPECIAL = {"X", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "CLS", "SEP", "PAD", "<PAD>", "<START>", "<STOP>", "_"}
_FORMS = (r"(?P<letter>[BIMELSUW])([-_:/](?P<type>.+))?", r"(?P<type>.+)[-_:/](?P<letter>[BIMELSUW])")


class Entity(NamedTuple):
    type: str
    start: int  # its words are words[start:end]
    end: int


@dataclass(frozen=True)
class TagScheme:
    """What each tag of a set says. marks: tag → its letter and its type; stray: tags that neither mark an entity nor are O.

    outside: whether O is among them.
    """

    marks: dict[str, tuple[str, str]]
    stray: tuple[str, ...]
    outside: bool

    @classmethod
    def of(cls, tags: Iterable[str]) -> "TagScheme":
        """The letter stands before or behind the type: as more tags have it."""
        every = set(tags)
        names = sorted(tag for tag in every if tag.upper() != OUTSIDE)
        readings = []
        for form in _FORMS:
            found = {tag: re.fullmatch(form, tag, re.IGNORECASE) for tag in names}
            readings.append({tag: (m["letter"].upper(), m["type"] or "_") for tag, m in found.items() if m})
        marks = max(readings, key=len)
        return cls(marks, tuple(tag for tag in names if tag not in marks), outside=len(names) < len(every))

    @property
    def unknown(self) -> list[str]:
        """Stray tags, but for those that are known to stand for no word, such as X and [CLS]."""
        return [tag for tag in self.stray if tag.upper() not in SPECIAL]

    @property
    def marks_entities(self) -> bool:
        """Whether these are tags of entities: O, B or I is among them, and most others mark one too; the stray ones are read as O.

        A lone letter may well be a part of speech, so of tags without a type at most one may be unknown.
        """
        letters, types = ({mark[i] for mark in self.marks.values()} for i in (0, 1))
        if not (self.outside or letters & set("BI")):
            return not self.marks and not self.stray
        if types <= {"_"}:
            return len(self.unknown) <= min(1, (len(self.marks) + self.outside) // 2)
        return len(self.unknown) <= len(self.marks)

    def name(self, sentences: Iterable[Sequence[str]]) -> str:
        """What the scheme is called, by its letters and by those that entities begin with."""
        letters = {letter for letter, _ in self.marks.values()}
        for some, name in (("LU", "BILOU"), ("W", "BMEWO"), ("M", "BMES"), ("S", "IOBES")):
            if letters & set(some):
                return name
        if "E" in letters:
            return "IOBES" if "B" in letters else "IOE"
        firsts = (self.marks[tags[entity.start]][0] for tags in sentences for entity in entities(tags, self))
        return "IOB1" if "I" in firsts else "IOB2"


@dataclass(frozen=True)
class EntityScores:
    """Precision, recall and F1, of counts of entities: right ones, predicted ones, true ones. types: the same by type.

    precision = right / predicted        recall = right / true        F1 = 2 right / (predicted + true)
    """

    right: int
    predicted: int
    true: int
    types: "dict[str, EntityScores]" = field(default_factory=dict)

    @property
    def precision(self) -> float:
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / max(self.predicted + self.true, 1)


def entities(tags: Iterable[str], scheme: TagScheme | None = None) -> list[Entity]:
    """The entities of one sentence's tags, in order.

    scheme: what each tag says; its stray tags are outside. None: as these tags say, and ValueError for one that marks no entity.

        I-person I-person B-person O I-place        →   person 0–1, person 2, place 4
    """
    tags = list(tags)
    scheme = scheme or _strict_scheme(tags)
    found: list[Entity] = []
    before, type_before = OUTSIDE, ""
    for position, tag in enumerate(tags):
        letter, entity_type = scheme.marks.get(tag, (OUTSIDE, ""))
        meaning = MEANINGS.get(letter, OUTSIDE)
        if meaning in ("I", "E") and before in ("B", "I") and entity_type == type_before:
            found[-1] = found[-1]._replace(end=position + 1)
        elif meaning != OUTSIDE:
            found.append(Entity(entity_type, position, position + 1))
        before, type_before = meaning, entity_type
    return found


def _strict_scheme(tags: Iterable[str]) -> TagScheme:
    scheme = TagScheme.of(tags)
    for tag in scheme.unknown:
        known = "it must be O, or a letter (B, I, E, S, M, L, U, W) and a type, such as B-person"
        raise ValueError(f"The tag {tag!r} marks no entity: {known}.")
    return scheme


def entity_f1(
    predictions: Sequence[Sequence[str]], labels: Sequence[Sequence[str]], scheme: TagScheme | None = None
) -> EntityScores:
    """Score predicted tags, a list for each sentence. An entity is right when its type, its first and its last word are.

    scheme: as `entities` takes it; None: as all these tags say.
    """
    if len(predictions) != len(labels):
        raise ValueError(f"There are predictions for {len(predictions)} sentences and labels for {len(labels)}.")
    sentences = [*predictions, *labels]
    if not sentences or any(isinstance(s, str) or not all(isinstance(tag, str) for tag in s) for s in sentences):
        raise ValueError("Give a list of tags for each sentence, names such as B-person: of ids their names, no -100.")
    scheme = scheme or _strict_scheme(tag for tags in sentences for tag in tags)
    right, predicted, true = Counter[str](), Counter[str](), Counter[str]()
    for number, (ours, theirs) in enumerate(zip(predictions, labels, strict=True)):
        if len(ours) != len(theirs):
            raise ValueError(f"Sentence {number} has {len(ours)} predicted tags and {len(theirs)} true ones.")
        found, wanted = set(entities(ours, scheme)), set(entities(theirs, scheme))
        for count, some in ((predicted, found), (true, wanted), (right, found & wanted)):
            count.update(entity.type for entity in some)
    types = {name: EntityScores(right[name], predicted[name], true[name]) for name in sorted(predicted | true)}
    return EntityScores(right.total(), predicted.total(), true.total(), types=types)
