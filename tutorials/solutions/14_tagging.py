"""Exercises of chapter 14, token classification. Check them with `minibert check 14`."""


def labels_of_pieces(word_of: list[int | None], tags: list[int]) -> list[int]:
    """A label for every piece: its word's tag at the first piece of the word, −100 at all others.

    word_of: for each piece the number of its word, counted from 0, or None for [CLS] and [SEP]. A word's pieces stand together.
    tags: a tag's id for every word.

    10 minutes, medium.
    """
    labels = []
    before = None
    for word in word_of:
        labels.append(tags[word] if word is not None and word != before else -100)
        before = word
    return labels


def tags_of_words(word_of: list[int | None], predicted: list[int], names: list[str]) -> list[str]:
    """The tag's name for every word: what was predicted at its first piece.

    word_of: as above; every word has a piece. predicted: a tag's id for every piece. names: the tags' names, by id.

    10 minutes, medium.
    """
    found: dict[int, str] = {}
    for word, tag in zip(word_of, predicted, strict=True):
        if word is not None and word not in found:
            found[word] = names[tag]
    return [found[word] for word in sorted(found)]


def entities(tags: list[str]) -> list[tuple[str, int, int]]:
    """The entities of a sentence: (type, first word, after the last word), in order.

    Tags are "O", "B-type" and "I-type". B begins an entity. I goes on with the entity of the word before if that has the same
    type, and begins one if not.

    20 minutes, hard.
    """
    found: list[tuple[str, int, int]] = []
    kind_before = ""
    for place, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if prefix == "I" and kind == kind_before:
            found[-1] = (kind, found[-1][1], place + 1)
        elif prefix != "O":
            found.append((kind, place, place + 1))
        kind_before = kind
    return found


def entity_f1(predicted: list[list[tuple[str, int, int]]], true: list[list[tuple[str, int, int]]]) -> float:
    """2 · right / (found + there are), counted over all sentences; 0.0 where there is nothing to divide by.

    predicted, true: for each sentence its entities, as `entities` gives them. An entity is right when the same one, with the same
    type and the same words, is among the true ones of its sentence.

    15 minutes, medium.
    """
    right = sum(len(set(ours) & set(theirs)) for ours, theirs in zip(predicted, true, strict=True))
    both = sum(map(len, predicted)) + sum(map(len, true))
    return 2 * right / both if both else 0.0
