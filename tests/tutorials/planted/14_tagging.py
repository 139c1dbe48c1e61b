"""Mistakes that learners make in chapter 14."""

PLANTED = [
    ("labels_of_pieces", " and word != before", "", "long words count more"),
    ("labels_of_pieces", "-100", "0", "0 is the first tag"),
    ("labels_of_pieces", "tags[word]", "word", "numbers of the words"),
    (
        "labels_of_pieces",
        "tags[word] if word is not None and word != before",
        "tags[word or 0] if word != before",
        "they have no tag",
    ),
    ("tags_of_words", " and word not in found", "", "last piece"),
    ("tags_of_words", "names[tag]", "tag", "These are ids"),
    (
        "tags_of_words",
        "[found[word] for word in sorted(found)]",
        "[names[tag] for tag in predicted]",
        "they are no words",
    ),
    ("entities", "place + 1", "place", "the one after it"),
    (
        "entities",
        'prefix == "I" and kind == kind_before',
        'prefix != "O" and kind == kind_before',
        "even when the word before",
    ),
    ("entities", "and kind == kind_before", "and kind_before", "never changes that type"),
    ("entities", "        kind_before = kind\n", "        kind_before = kind or kind_before\n", "ends at an O"),
    ("entity_f1", "2 * right", "right", "The 2 is missing"),
    ("entity_f1", "sum(map(len, predicted)) + sum(map(len, true))", "2 * sum(map(len, predicted))", "precision"),
    ("entity_f1", " if both else 0.0", "", "divides by 0"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
