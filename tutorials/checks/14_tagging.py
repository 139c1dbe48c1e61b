"""Checks of chapter 14: words and pieces, entities and their F1."""

import math
from collections.abc import Callable

from course.hints import Case, Checked
from minibert import BertTokenizer
from minibert.tasks import Labels, Report, TaggedSentence, encode_tags, metrics

Entity = tuple[str, int, int]
TAGS = Labels(("B-person", "B-place", "I-person", "I-place", "O"))
TEXTS = (
    "Marta/B-person Lindqvist/I-person opened/O a/O bakery/O in/O Tromsø/B-place ./O",
    "Nobody/O spoke/O ./O",
    "Zyzzyva/B-place met/O Montgomery/B-person Featherstonehaugh/I-person unexpectedly/O",
)


def check_labels_of_pieces(labels_of_pieces: Callable[[list[int | None], list[int]], list[int]]) -> Checked:
    for number, (text, start) in enumerate(
        ((TEXTS[0], 0), (TEXTS[1], 0), (TEXTS[2], 0), (TEXTS[0], 2), (TEXTS[2], 1), (TEXTS[2], 0))
    ):
        words, tags, word_of, expected = _sentence(text)
        if start:  # a row that begins in the middle of a text
            kept = [place for place, word in enumerate(word_of) if word is None or word >= start]
            word_of, expected = [word_of[place] for place in kept], [expected[place] for place in kept]
        if number == 5:  # a row without [CLS] and [SEP]
            word_of, expected = word_of[1:-1], expected[1:-1]
        every = [-100 if word is None else tags[word] for word in word_of]
        last = [
            label if word_of[place] not in word_of[place + 1 :] else -100 for place, label in enumerate(every)
        ]  # fmt: skip
        mistakes = {
            "Tags are given out in order; `word_of` says which word, and a row may begin in the middle of a text.": (
                _in_order(word_of, tags)
            ),
            "The number of a word's pieces decides; the first piece carries the tag, however many follow.": (
                [label if word_of.count(word_of[place]) == 1 else -100 for place, label in enumerate(every)]
            ),
            "−100 and the tags are right, but one place too far to the right.": [-100, *expected[:-1]],
            "−100 and the tags are right, but one place too far to the left.": [*expected[1:], -100],
            "Word 0 has no tag: `if word` is False for 0. Ask whether it is None.": (
                [-100 if not word else label for label, word in zip(expected, word_of, strict=True)]
            ),
            "The sign is lost: it is −100, not 100.": [100 if label == -100 else label for label in expected],
            "None stands where nothing counts; it must be −100.": [None if label == -100 else label for label in expected],
            "Every piece has its word's tag; only the first piece of a word should, or long words count more.": every,
            "The tag stands at the word's last piece; it belongs to the first.": last,
            "0 stands where nothing counts; 0 is the first tag, and would be learned. It must be −100.": (
                [max(label, 0) for label in expected]
            ),
            "[CLS] and [SEP] are missing; there is a label for every piece.": (
                [label for label, word in zip(expected, word_of, strict=True) if word is not None]
            ),
            "There is a label for every word, not for every piece.": tags,
            "These are the numbers of the words, not their tags.": (
                [-100 if label == -100 else word for label, word in zip(expected, word_of, strict=True)]
            ),
            "It is the wrong way round: −100 stands at the first pieces.": (
                [full if label == -100 else -100 for label, full in zip(expected, every, strict=True)]
            ),
            "[CLS] and [SEP] take part: their word is None, and they have no tag.": (
                [tags[word or 0] if word != word_of[place - 1] else -100 for place, word in enumerate(word_of)]
            ),
        }  # fmt: skip
        given = f"words {words}, a row that begins at word {start}"
        yield Case(labels_of_pieces(list(word_of), list(tags)), expected, mistakes, given)


def check_tags_of_words(tags_of_words: Callable[[list[int | None], list[int], list[str]], list[str]]) -> Checked:
    names = list(TAGS.names)
    for text in TEXTS:
        words, _, word_of, _ = _sentence(text)
        predicted = [(3 * place + 1) % len(names) for place in range(len(word_of))]
        for place, word in enumerate(word_of):  # the later pieces of a long word agree with each other
            if place > 1 and word is not None and word == word_of[place - 2]:
                predicted[place] = predicted[place - 1]
        firsts = [word_of.index(word) for word in range(len(words))]
        lasts = [len(word_of) - 1 - word_of[::-1].index(word) for word in range(len(words))]
        expected = [names[predicted[place]] for place in firsts]
        mistakes = {
            "This is what was predicted at each word's last piece; the first one carries the tag.": (
                [names[predicted[place]] for place in lasts]
            ),
            "The tag that most of a word's pieces have is taken; the first piece decides.": [
                names[max(mine, key=mine.count)]
                for word in range(len(words))
                for mine in ([tag for tag, of in zip(predicted, word_of, strict=True) if of == word],)
            ],
            "The largest id of a word's pieces is taken; the first piece decides.": [
                names[max(tag for tag, of in zip(predicted, word_of, strict=True) if of == word)]
                for word in range(len(words))
            ],
            "The smallest id of a word's pieces is taken; the first piece decides.": [
                names[min(tag for tag, of in zip(predicted, word_of, strict=True) if of == word)]
                for word in range(len(words))
            ],
            "Word 0 is missing: `if word` is False for 0. Ask whether it is None.": expected[1:],
            "The last word is missing.": expected[:-1],
            "Words with the same tag count once.": list(dict.fromkeys(expected)),
            "There is a tag for every piece; asked for is one for every word.": (
                [names[tag] for tag, word in zip(predicted, word_of, strict=True) if word is not None]
            ),
            "[CLS] and [SEP] have got tags; they are no words.": [names[tag] for tag in predicted],
            "The words are counted as though each were one piece.": [names[tag] for tag in predicted[: len(words)]],
            "The words are counted as though each were one piece, behind [CLS].": (
                [names[tag] for tag in predicted[1 : len(words) + 1]]
            ),
            "These are ids; asked for are the tags' names.": [predicted[place] for place in firsts],
        }
        yield Case(tags_of_words(list(word_of), predicted, names), expected, mistakes, f"words {words}")


def check_entities(entities: Callable[[list[str]], list[Entity]]) -> Checked:
    for text in (
        "B-person I-person O O B-place",
        "O O O",
        "B-place B-place I-place",
        "B-person I-place I-place",
        "O I-place I-place O I-place",
        "B-group I-group I-group",
        "I-person O B-person I-person B-person",
        "B-place O B-group I-group B-person",
        "B-person O I-person",
    ):
        tags = text.split()
        expected = [tuple(entity) for entity in metrics.entities(tags)]
        mistakes = {
            "The second number is the last word itself; asked for is the one after it.": (
                [(kind, start, end - 1) for kind, start, end in expected]
            ),
            "A B begins a new entity, even when the word before has the same type.": _runs(tags, split_at_b=False),
            "An I with nothing of its type before it begins an entity; here it is dropped.": _strict(tags),
            "An I goes on only with an entity of its own type.": _runs(tags, same_type=False),
            "An I goes on only with an entity of its own type, and never changes that type.": (
                [(tags[end - 1][2:], start, end) for _, start, end in _runs(tags, same_type=False)]
            ),
            "Every word is an entity of its own; an I goes on with the one before.": (
                [(tag[2:], place, place + 1) for place, tag in enumerate(tags) if tag != "O"]
            ),
            "The entities are sorted by their type; they stand in the order of the sentence.": sorted(expected),
            "The entities are in reverse order.": expected[::-1],
            "These are lists; each entity is a tuple.": [list(entity) for entity in expected],
            "Words count from 1 here; they count from 0.": [
                (kind, start + 1, end + 1) for kind, start, end in expected
            ],
            "The type is missing.": [(start, end) for _, start, end in expected],
            "These are a start and a length; asked for are the first word and the one after the last.": (
                [(kind, start, end - start) for kind, start, end in expected]
            ),
            "An entity of one word is missing; it is one, too.": [
                entity for entity in expected if entity[2] - entity[1] > 1
            ],
            "Only the first entity is there.": expected[:1],
            "Only the first of each type is there.": list({entity[0]: entity for entity in expected[::-1]}.values())[
                ::-1
            ],
            "An entity ends at an O; what stands before and behind it is not one.": _over_gaps(tags),
            "The last entity is missing: does the sentence end before it is written down?": expected[:-1],
            "The type still has its B- or I- in front.": [(tags[start], start, end) for _, start, end in expected],
            "Words that are outside are counted as an entity.": _with_outside(tags),
        }
        yield Case(entities(tags), expected, mistakes, f"“{text}”")


def check_entity_f1(entity_f1: Callable[[list[list[Entity]], list[list[Entity]]], float]) -> Checked:
    for said, true in (
        (["B-person I-person O B-place", "O B-place O"], ["B-person I-person O B-place", "O B-place I-place"]),
        (["B-place O B-place O", "O O B-person"], ["O O B-place O", "O O B-place"]),
        (["O O", "B-person O", "B-place O"], ["B-place O", "B-person O", "B-group I-group"]),
        (["O O", "O"], ["O O", "O"]),
        (["B-person O", "O O"], ["O O", "B-person O"]),
    ):
        predicted_tags, true_tags = ([row.split() for row in rows] for rows in (said, true))
        predicted, truth = (
            [[tuple(e) for e in metrics.entities(row)] for row in rows] for rows in (predicted_tags, true_tags)
        )
        scores = metrics.entity_f1(predicted_tags, true_tags)
        each = [metrics.entity_f1([ours], [theirs]).f1 for ours, theirs in zip(predicted_tags, true_tags, strict=True)]
        words = [a == b for p, t in zip(predicted_tags, true_tags, strict=True) for a, b in zip(p, t, strict=True)]
        pooled = len({e for row in predicted for e in row} & {e for row in truth for e in row})
        anywhere = [
            {(s, e) for _, s, e in a} & {(s, e) for _, s, e in b} for a, b in zip(predicted, truth, strict=True)
        ]
        both = (scores.predicted + scores.true) or 1
        mistakes = {
            "The 2 is missing.": scores.right / both,
            "This is the precision: right by found.": scores.precision,
            "This is the recall: right by there are.": scores.recall,
            "This is the mean of precision and recall; F1 is 2 · right / (found + there are).": (scores.precision + scores.recall) / 2,
            "This is the mean over the sentences; count over all of them, and divide once.": sum(each) / len(each),
            "Where nothing is found and nothing is there, the result is 0.0.": (
                scores.f1 if scores.predicted + scores.true else 1.0
            ),
            "It is divided by how many there are in either, as Jaccard does; asked for is 2 · right by the sum.": (
                scores.right / ((scores.predicted + scores.true - scores.right) or 1)
            ),
            "This is the harmonic mean's root: √(precision · recall).": math.sqrt(scores.precision * scores.recall),
            "This is the number of right ones.": float(scores.right),
            "Wrong ones are counted instead of right ones.": 1 - scores.f1 if scores.predicted + scores.true else 0.0,
            "Only the first sentence is counted.": each[0],
            "Entities are compared in their order, place by place; the same entity may stand elsewhere in the list.": (
                2 * sum(a == b for p, t in zip(predicted, truth, strict=True) for a, b in zip(p, t, strict=False)) / both
            ),
            "An entity that begins at the same word counts as right; it must also end there.": (
                2
                * sum(
                    len({(k, s) for k, s, _ in a} & {(k, s) for k, s, _ in b})
                    for a, b in zip(predicted, truth, strict=True)
                )
                / both
            ),
            "An entity that overlaps counts as right; it must be the same.": (
                2
                * sum(
                    any(k == kind and s < stop and start < e for kind, start, stop in b)
                    for a, b in zip(predicted, truth, strict=True)
                    for k, s, e in a
                )
                / both
            ),
            "A sentence is right as a whole or not at all here; count the entities.": (
                2 * sum(len(a) for a, b in zip(predicted, truth, strict=True) if a == b) / both
            ),
            "This is the accuracy of words.": sum(words) / len(words),
            "The sentences are mixed: an entity must be right in its own sentence.": 2 * pooled / both,
            "The type is not looked at.": 2 * sum(map(len, anywhere)) / both,
        }  # fmt: skip
        given = f"said {said}, true {true}"
        try:
            result = entity_f1(predicted, truth)
        except ZeroDivisionError:
            return f"{given}: It divides by 0. Where nothing is found and nothing is there, the result is 0.0."
        yield Case(result, scores.f1, mistakes, given)


def _sentence(text: str) -> tuple[list[str], list[int], list[int | None], list[int]]:
    """Words, the ids of their tags, for each piece its word, and the labels that the library makes."""
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    words, names = zip(*(word.rsplit("/", 1) for word in text.split()), strict=True)
    sentence = TaggedSentence(words, names)
    [window] = encode_tags([sentence], tokenizer, TAGS, 64, Report("a sentence", found=1))
    word_of = tokenizer(list(words), is_split_into_words=True).word_ids()
    return list(words), [TAGS.label2id[name] for name in names], word_of, window.row["labels"]


def _in_order(word_of: list[int | None], tags: list[int]) -> list[int]:
    """The tags given out one after the other, to the first piece of each word."""
    labels, left = list[int](), iter(tags)
    for place, word in enumerate(word_of):
        first = word is not None and word != word_of[place - 1]
        labels.append(next(left) if first else -100)
    return labels


def _runs(tags: list[str], split_at_b: bool = True, same_type: bool = True) -> list[Entity]:
    """Entities as runs of words, with one rule left out."""
    found: list[Entity] = []
    for place, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        goes_on = found and found[-1][2] == place and (prefix == "I" or not split_at_b) and prefix != "O"
        if goes_on and (kind == found[-1][0] or not same_type):
            found[-1] = (found[-1][0], found[-1][1], place + 1)
        elif prefix != "O":
            found.append((kind, place, place + 1))
    return found


def _strict(tags: list[str]) -> list[Entity]:
    """Only what a B begins is an entity."""
    return [entity for entity in _runs(tags) if tags[entity[1]].startswith("B")]


def _over_gaps(tags: list[str]) -> list[Entity]:
    """An I goes on with the last entity of its type, however far back."""
    found: list[Entity] = []
    for place, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if prefix == "I" and found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1], place + 1)
        elif prefix != "O":
            found.append((kind, place, place + 1))
    return found


def _with_outside(tags: list[str]) -> list[Entity]:
    outside = [("", place, place + 1) for place, tag in enumerate(tags) if tag == "O"]
    return sorted([*_runs(tags), *outside], key=lambda entity: entity[1])
