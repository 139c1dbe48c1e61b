"""Mistakes that learners make in chapter 15."""

PLANTED = [
    ("answer_positions", "offset[0] < end", "offset[0] <= end", "begins where the answer ends shares"),
    ("answer_positions", "held[-1])", "held[-1] + 1)", "one too far"),
    (
        "answer_positions",
        "offset[0] < end and offset[1] > begin",
        "offset[0] >= begin and offset[1] <= end",
        "share a character",
    ),
    (
        "answer_positions",
        "return (held[0], held[-1])",
        "return (held[0] - offsets.count(None) + 1, held[-1] - offsets.count(None) + 1)",
        "[CLS] and the question included",
    ),
    ("answer_positions", "if held else (0, 0)", "", "stops with IndexError"),
    ("windows", "room - shared", "room", "do not overlap"),
    ("windows", "(start, length)]", "(start, start + room)]", "goes on behind the end"),
    ("windows", "(start, length)]", "(start, length - 1)]", "last piece is missing"),
    ("windows", "[*parts, (start, length)]", "parts", "last window is missing"),
    ("windows", "start += room - shared", "start += max(shared, 1)", "in common"),
    ("best_span", "i <= j < i + longest", "j < i + longest", "end comes before the start"),
    ("best_span", "i <= j < i + longest", "i <= j <= i + longest", "one piece too long"),
    ("best_span", "i <= j < i + longest", "i <= j", "longer than `longest`"),
    ("best_span", "in_context.nonzero().flatten().tolist()", "range(len(start))", "outside the context"),
    ("best_span", 'float("-inf")', "0.0", "with −∞"),
    (
        "f1",
        "sum(min(predicted.count(word), true.count(word)) for word in set(predicted))",
        "len(set(predicted) & set(true))",
        "as a set it counts once",
    ),
    ("f1", "2 * both / (len(predicted) + len(true))", "both / len(predicted)", "This is the precision"),
    (
        "f1",
        "sum(min(predicted.count(word), true.count(word)) for word in set(predicted))",
        "sum(word in true for word in predicted)",
        "although the truth has it less often",
    ),
    ("f1", "float(predicted == true)", "0.0", "“no answer”"),
]

WRITTEN = [
    (
        "answer_positions",
        """
        pieces = [at for at in offsets if at]
        if begin < pieces[0][0] or end > pieces[-1][1]:
            return (0, 0)
        held = [p for p, at in enumerate(offsets) if at and at[0] < end and at[1] > begin]
        return (held[0], held[-1]) if held else (0, 0)
        """,
        "window's edge cuts",
    ),
    (
        "answer_positions",
        """
        held = [p for p, at in enumerate(offsets) if at and at[0] < end and at[1] > begin + 1]
        return (held[0], held[-1]) if held else (0, 0)
        """,
        "first character is left out",
    ),
    (
        "answer_positions",
        """
        held = [p for p, at in enumerate(offsets) if at and at[0] < end and at[1] > begin]
        if held:
            return (held[0], held[-1])
        """,
        "not None",
    ),
    (
        "answer_positions",
        """
        for place, at in enumerate(offsets):
            if at is None:
                offsets[place] = (-1, -1)
        held = [p for p, at in enumerate(offsets) if at[0] < end and at[1] > begin and at != (-1, -1)]
        return (held[0], held[-1]) if held else (0, 0)
        """,
        "`offsets` itself was changed",
    ),
    (
        "best_span",
        """
        start[~in_context] = -1e9
        end[~in_context] = -1e9
        best = max(((i, j) for i in range(len(start)) for j in range(i, min(i + longest, len(start)))), key=lambda s: start[s[0]] + end[s[1]])
        return best
        """,
        "`start` itself was changed",
    ),
    (
        "best_span",
        """
        i, j = int(start.argmax()), int(end.argmax())
        return (i, j) if i <= j < i + longest else None
        """,
        "",
    ),
    (
        "best_span",
        """
        places = in_context.nonzero().flatten().tolist()
        i = max(places, key=lambda p: start[p])
        j = max((p for p in places if i <= p < i + longest), key=lambda p: end[p])
        return i, j
        """,
        "start is chosen first",
    ),
    (
        "f1",
        """
        predicted, true = [w.lower() for w in predicted], [w.lower() for w in true]
        if not predicted or not true:
            return float(predicted == true)
        both = sum(min(predicted.count(w), true.count(w)) for w in set(predicted))
        return 2 * both / (len(predicted) + len(true))
        """,
        "capitals",
    ),
    (
        "f1",
        """
        if not predicted or not true:
            return float(predicted == true)
        both = sum(a == b for a, b in zip(predicted, true))
        return 2 * both / (len(predicted) + len(true))
        """,
        "place by place",
    ),
    (
        "f1",
        """
        if not predicted or not true:
            return float(predicted == true)
        left = iter(true)
        both = 0
        table = [[0] * (len(true) + 1) for _ in range(len(predicted) + 1)]
        for i, a in enumerate(predicted):
            for j, b in enumerate(true):
                table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
        return 2 * table[-1][-1] / (len(predicted) + len(true))
        """,
        "same order",
    ),
    (
        "f1",
        """
        total = len(predicted) + len(true)
        if not predicted or not true:
            return float(predicted == true)
        both = 0
        for word in predicted:
            if word in true:
                true.remove(word)
                both += 1
        return 2 * both / total
        """,
        "`true` itself was changed",
    ),
    (
        "windows",
        """
        parts, start = [], 0
        while start < length:
            parts.append((start, min(start + room, length)))
            start += room - shared
        return parts
        """,
        "nothing new",
    ),
]

RIGHT = [
    (
        "answer_positions",
        """
        held = [place for place, at in enumerate(offsets) if at is not None and max(at[0], begin) < min(at[1], end)]
        return (min(held), max(held)) if held else (0, 0)
        """,
    ),
    (
        "answer_positions",
        """
        first = last = 0
        for place, at in enumerate(offsets):
            if at and set(range(*at)) & set(range(begin, end)):
                first, last = first or place, place
        return np.int64(first), np.int64(last)
        """,
    ),
    (
        "windows",
        """
        parts = [(0, min(room, length))]
        while parts[-1][1] < length:
            start = parts[-1][1] - shared
            parts.append((start, min(start + room, length)))
        return parts
        """,
    ),
    (
        "windows",
        """
        count = 1 + max(0, -(-(length - room) // (room - shared)))
        return [(n * (room - shared), min(n * (room - shared) + room, length)) for n in range(count)]
        """,
    ),
    (
        "best_span",
        """
        total = start[:, None] + end[None, :]
        ok = in_context[:, None] & in_context[None, :]
        ok = ok & torch.ones_like(ok).triu() & torch.ones_like(ok).tril(longest - 1)
        return divmod(int(total.masked_fill(~ok, -math.inf).argmax()), len(start))
        """,
    ),
    (
        "best_span",
        """
        spans = [(i, j) for i in range(len(start)) for j in range(i, min(i + longest, len(start))) if in_context[i] and in_context[j]]
        return max(spans, key=lambda span: (start[span[0]] + end[span[1]]).item())
        """,
    ),
    (
        "f1",
        """
        from collections import Counter
        both = (Counter(predicted) & Counter(true)).total()
        if not predicted or not true:
            return int(predicted == true)
        return 2 * both / (len(predicted) + len(true))
        """,
    ),
    (
        "f1",
        """
        if not predicted and not true:
            return 1.0
        left, n = list(true), 0
        for word in predicted:
            if word in left:
                left.remove(word)
                n += 1
        if n == 0:
            return 0.0
        return np.float64(2 / (len(predicted) / n + len(true) / n))
        """,
    ),
]
