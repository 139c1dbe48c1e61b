"""Entities of every scheme of tags, and tags that mark none.

seqeval is imported by the tests that need it: with scikit-learn it takes longer to load than they take, in each process that runs tests.
"""

from __future__ import annotations

import pytest

from minibert.tasks import Labels, Tagging
from minibert.tasks.entities import Entity, TagScheme, entities, entity_f1

TWO = [Entity("per", 0, 2), Entity("per", 2, 3), Entity("loc", 4, 5)]  # Ada Lovelace | Ada | in | Rome
SCHEMES = {
    "IOB1": "I-per I-per B-per O I-loc",
    "IOB2": "B-per I-per B-per O B-loc",
    "IOE": "I-per E-per E-per O E-loc",
    "IOBES": "B-per E-per S-per O S-loc",
    "BILOU": "B-per L-per U-per O U-loc",
    "BMES": "B-per E-per S-per O S-loc M-per",
    "BMEWO": "B-per E-per W-per O W-loc M-per",
}
STYLES = {
    "underscores": lambda tag: tag.replace("-", "_"),
    "small letters": str.lower,
    "the letter behind": lambda tag: "-".join(reversed(tag.split("-"))),
    "the letter behind an underscore": lambda tag: "_".join(reversed(tag.split("-"))),
    "a colon": lambda tag: tag.replace("-", ":"),
    "a slash": lambda tag: tag.replace("-", "/"),
}


def tagging(*tags: str) -> Tagging:
    return Tagging(Labels.found_in(tags))


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_marks_the_same_entities_and_is_known_by_name(name: str) -> None:
    tags = SCHEMES[name].split()
    assert entities(tags)[:3] == TWO
    assert TagScheme.of(tags).name([tags]) == name
    assert tagging(*tags).selection_metric == "entity_f1"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("style", STYLES)
def test_however_a_tag_is_written(style: str, scheme: str) -> None:
    tags = [STYLES[style](tag) for tag in SCHEMES[scheme].split()]
    assert entities(tags)[:3] == TWO
    assert entity_f1([tags], [tags]).f1 == 1.0
    assert tagging(*tags).marks_entities


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("O B I I O B", [(1, 4), (5, 6)]),
        ("I I O I", [(0, 2), (3, 4)]),
        ("B L O U", [(0, 2), (3, 4)]),
        ("B M E S", [(0, 3), (3, 4)]),  # Chinese words
        ("b i o", [(0, 2)]),
        ("B E O S", [(0, 2), (3, 4)]),
    ],
)
def test_tags_without_a_type_have_seqeval_s(tags: str, spans: list[tuple[int, int]]) -> None:
    assert entities(tags.split()) == [Entity("_", start, end) for start, end in spans]
    assert tagging(*tags.split()).metrics[0] == "entity_f1"


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB1", "I-a I-a B-a O I-b B-b"),
        ("IOB2", "B-a I-a B-a O B-b I-b"),
        ("IOE1", "I-a E-a I-a O I-b I-b"),
        ("IOE2", "I-a E-a E-a O I-b E-b"),
        ("IOBES", "B-a I-a E-a S-b O S-a"),
        ("BILOU", "B-a I-a L-a U-b O U-a"),
    ],
)
def test_right_tags_say_what_seqeval_s_strict_schemes_say(scheme: str, tags: str) -> None:
    from seqeval import scheme as schemes

    [strict] = schemes.Entities([tags.split()], getattr(schemes, scheme)).entities
    assert entities(tags.split()) == [Entity(each.tag, each.start, each.end) for each in strict]


@pytest.mark.parametrize(
    "tags", ["B-a I-b I-b", "I-a O E-a", "B-a E-a I-a S-a I-a", "E-a E-a", "S-a I-a", "O I-a-b B-a-b"]
)
def test_wrong_tags_are_read_as_seqeval_reads_them(tags: str) -> None:
    from seqeval.metrics.sequence_labeling import get_entities

    assert [tuple(each) for each in entities(tags.split())] == [(t, a, b + 1) for t, a, b in get_entities(tags.split())]


@pytest.mark.parametrize(
    ("tags", "stray"),
    [
        ("O B-a I-a X [CLS] [SEP]", ("X", "[CLS]", "[SEP]")),
        ("O B-a I-a 0", ("0",)),
        ("O B-a tag", ("tag",)),
        ("O B-a I-a Bper B--b", ("Bper",)),
        ("O B I 0", ("0",)),
        ("O B 0", ("0",)),
        ("O B I X [PAD]", ("X", "[PAD]")),
        ("O B-a I-a <PAD> _", ("<PAD>", "_")),
    ],
)
def test_a_stray_tag_is_named_and_switches_nothing_off(tags: str, stray: tuple[str, ...]) -> None:
    task = tagging(*tags.split())
    assert set(task.scheme.stray) == set(stray)
    assert task.metrics == ("entity_f1", "precision", "recall", "accuracy", "loss")
    assert [each.type for each in entities(["B-a", stray[0], "I-a"], TagScheme.of(["B-a", "I-a", *stray]))] == [
        "a",
        "a",
    ]


@pytest.mark.parametrize(
    "tags",
    [
        "NOUN VERB X ADJ PUNCT",  # universal parts of speech: X is one
        "NN NNP -LRB- , POS PRP$",
        "N O ^ S V A R ! D P & T X # @ ~ U E $ , G L M",  # of tweets
        "n v a d m u b o i e s",  # Chinese
        "M F",
        "B C",
        "B I E S O N V",  # two that are unknown among lone letters
        "N-S V-E",
        "L M S XL",
        "PERSON LOCATION O",
        "B-a NOUN VERB ADJ",
    ],
)
def test_parts_of_speech_mark_no_entities(tags: str) -> None:
    assert tagging(*tags.split()).metrics == ("accuracy", "loss")


@pytest.mark.parametrize("tag", ["NOUN", "0", "tag", "Q-per", "BB"])
def test_without_a_scheme_an_unknown_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match=f"The tag '{tag}' marks no entity"):
        entities(["B-a", tag])
    with pytest.raises(ValueError, match=f"The tag '{tag}' marks no entity"):
        entity_f1([["B-a", "O"]], [["B-a", tag]])


def test_a_model_that_says_outside_to_every_word_finds_nothing() -> None:
    for tags in ("B I O", "B-a L-a U-b", "a-B a-I O", "b_a i_a X"):
        names = tags.split()
        assert entity_f1([["O"] * 3], [names], TagScheme.of(names)).f1 == 0.0


def test_the_set_decides_where_a_letter_stands_on_both_sides() -> None:
    assert entities(["B-I", "I-I", "O"]) == [Entity("I", 0, 2)]  # before the type, in doubt
    assert entities(["B-S", "I-S", "loc-B"], TagScheme.of(["B-x", "B-S", "I-S"])) == [Entity("S", 0, 2)]
