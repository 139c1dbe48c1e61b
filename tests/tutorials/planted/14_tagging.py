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

WRITTEN = [
    (
        "labels_of_pieces",
        """
        left = iter(tags)
        labels, before = [], None
        for word in word_of:
            labels.append(next(left) if word is not None and word != before else -100)
            before = word
        return labels
        """,
        "Tags are given out in order",
    ),
    (
        "labels_of_pieces",
        """
        labels, before = [], None
        for word in word_of:
            labels.append(tags.pop(0) if word is not None and word != before else -100)
            before = word
        return labels
        """,
        "`tags` itself was changed",
    ),
    (
        "labels_of_pieces",
        """
        labels, before = [], None
        for word in word_of:
            labels.append(tags[word] if word and word != before else -100)
            before = word
        return labels
        """,
        "False for 0",
    ),
    (
        "tags_of_words",
        """
        found = {}
        for word, tag in zip(word_of, predicted):
            if word is not None:
                found.setdefault(word, []).append(tag)
        return [names[max(tags, key=tags.count)] for _, tags in sorted(found.items())]
        """,
        "most of a word's pieces",
    ),
    (
        "tags_of_words",
        """
        found = {}
        for word, tag in zip(word_of, predicted):
            if word is not None:
                found[word] = names[tag]
        return [found[word] for word in sorted(found)]
        """,
        "last piece",
    ),
    (
        "entities",
        """
        found, before = [], ''
        for place, tag in enumerate(tags):
            prefix, _, kind = tag.partition('-')
            if prefix == 'I' and kind == before:
                found[-1] = (kind, found[-1][1], place + 1)
            elif prefix != 'O':
                found.append((kind, place, place + 1))
            before = kind
        return sorted(found)
        """,
        "sorted by their type",
    ),
    (
        "entities",
        """
        tags.append('O')
        found, start = [], None
        for place, tag in enumerate(tags):
            if start is not None and not (tag[0] == 'I' and tag[2:] == tags[start][2:]):
                found.append((tags[start][2:], start, place))
                start = None
            if start is None and tag != 'O':
                start = place
        return found
        """,
        "`tags` itself was changed",
    ),
    (
        "entity_f1",
        """
        right = sum(len(set(a) & set(b)) for a, b in zip(predicted, true))
        both = sum(map(len, predicted)) + sum(map(len, true))
        return 2 * right / both if both else 1.0
        """,
        "the result is 0.0",
    ),
    (
        "entity_f1",
        """
        right = sum(len(set(a) & set(b)) for a, b in zip(predicted, true))
        either = sum(len(set(a) | set(b)) for a, b in zip(predicted, true))
        return right / either if either else 0.0
        """,
        "as Jaccard does",
    ),
    (
        "entity_f1",
        """
        ours = {e for row in predicted for e in row}
        theirs = {e for row in true for e in row}
        both = sum(map(len, predicted)) + sum(map(len, true))
        return 2 * len(ours & theirs) / both if both else 0.0
        """,
        "sentences are mixed",
    ),
    (
        "entity_f1",
        """
        right = 0
        for a, b in zip(predicted, true):
            while a:
                right += a.pop() in b
        return 2 * right / 3
        """,
        "`predicted` itself was changed",
    ),
]

RIGHT = [
    (
        "labels_of_pieces",
        """
        seen = set()
        labels = []
        for word in word_of:
            labels.append(-100 if word is None or word in seen else tags[word])
            seen.add(word)
        return labels
        """,
    ),
    (
        "labels_of_pieces",
        "return [-100 if word is None or word in word_of[:place] else tags[word] for place, word in enumerate(word_of)]",
    ),
    (
        "tags_of_words",
        """
        count = max((word for word in word_of if word is not None), default=-1) + 1
        return [names[predicted[word_of.index(word)]] for word in range(count)]
        """,
    ),
    (
        "tags_of_words",
        """
        first = {}
        for place in reversed(range(len(word_of))):
            first[word_of[place]] = names[predicted[place]]
        first.pop(None, None)
        return [first[word] for word in sorted(first)]
        """,
    ),
    (
        "entities",
        """
        found, start = [], None
        for place, tag in enumerate([*tags, 'O']):
            if start is not None and not (tag[0] == 'I' and tag[2:] == tags[start][2:]):
                found.append((tags[start][2:], start, place))
                start = None
            if start is None and tag != 'O':
                start = place
        return found
        """,
    ),
    (
        "entity_f1",
        """
        right = sum(entity in theirs for ours, theirs in zip(predicted, true) for entity in ours)
        found, there = sum(len(row) for row in predicted), sum(len(row) for row in true)
        if not right:
            return 0
        precision, recall = right / found, right / there
        return 2 * precision * recall / (precision + recall)
        """,
    ),
]
