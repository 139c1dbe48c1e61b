"""Mistakes that learners make in chapter 2."""

PLANTED = [
    ("split_punctuation", "letter.isalnum()", "letter.isalnum() or letter == '_'", "underscore"),
    ("split_punctuation", '[letter.strip(), ""]', '[""]', "punctuation is lost"),
    ("split_punctuation", "for word in words if word", "for word in words", "empty words"),
    ("split_word", '"##" if start > 0 else ""', '""', "without ## in front"),
    (
        "split_word",
        "if end == start:\n            return",
        "if end == start:\n            return pieces +",
        "first pieces too",
    ),
    ("split_word", "len(word) > 100", "len(word) > 1000", "more than 100 characters"),
    ("split_word", "pieces.append(prefix + word", "pieces.append(word", "lose their ##"),
    ("join_pieces", '.replace(" ##", "")', '.replace("##", "")', "belongs to the word before it"),
    ("join_pieces", '.replace(" ##", "")', "", "still there"),
    ("encode_pair", "*second, sep_id]", "*second]", "last [SEP] is missing"),
    (
        "encode_pair",
        "(len(first) + 2) + [1] * (len(second) + 1)",
        "(len(first) + 1) + [1] * (len(second) + 2)",
        "segment 0",
    ),
    ("encode_pair", "return ids, segments", "return [ids, segments]", "as a pair"),
]

WRITTEN = [
    (
        "split_word",
        """
        def search(start):
            if start == len(word):
                return []
            for end in range(len(word), start, -1):
                piece = ('##' if start else '') + word[start:end]
                if piece in vocab:
                    rest = search(end)
                    if rest is not None:
                        return [piece, *rest]
            return None
        if len(word) > 100:
            return ['[UNK]']
        return search(0) or ['[UNK]']
        """,
        "never looks back",
    ),
    (
        "split_punctuation",
        "return ''.join(c if c.isalnum() or c == ' ' else f' {c} ' for c in text.lower()).split()",
        "lower-cased",
    ),
    (
        "split_punctuation",
        "return ''.join(c if c.isalpha() or c == ' ' else f' {c} ' for c in text).split()",
        "Digits are cut off",
    ),
    (
        "join_pieces",
        """
        text = ''
        for piece in pieces:
            text += piece.lstrip('#') if piece.startswith('#') else ' ' + piece
        return text.strip()
        """,
        "single # is a piece",
    ),
    (
        "join_pieces",
        """
        pieces.reverse()
        pieces.reverse()
        pieces.append('')
        return ' '.join(pieces).replace(' ##', '').strip()
        """,
        "`pieces` itself was changed",
    ),
    ("join_pieces", "return ''.join(pieces).replace('##', '')", "spaces between words are gone"),
    (
        "encode_pair",
        """
        ids = [cls_id, *first, sep_id, *second, sep_id]
        turn = ids.index(sep_id)
        return ids, [int(place > turn) for place in range(len(ids))]
        """,
        "a text may hold one itself",
    ),
    (
        "encode_pair",
        """
        first.insert(0, cls_id)
        first.append(sep_id)
        second.append(sep_id)
        return first + second, [0] * len(first) + [1] * len(second)
        """,
        "`first` itself was changed",
    ),
    (
        "encode_pair",
        """
        ids = [*first, sep_id, *second, sep_id]
        return ids, [0] * (len(first) + 1) + [1] * (len(second) + 1)
        """,
        "[CLS] is missing",
    ),
    (
        "split_word",
        """
        for piece in list(vocab):
            if len(piece) > len(word) + 2:
                vocab.discard(piece)
        if len(word) > 100:
            return ['[UNK]']
        pieces = []
        rest = word
        while rest:
            mark = '##' if pieces else ''
            end = next((e for e in range(len(rest), 0, -1) if mark + rest[:e] in vocab), 0)
            if not end:
                return ['[UNK]']
            pieces.append(mark + rest[:end])
            rest = rest[end:]
        return pieces
        """,
        "`vocab` itself was changed",
    ),
    (
        "split_word",
        """
        if len(word) >= 100:
            return ['[UNK]']
        pieces = []
        rest = word
        while rest:
            mark = '##' if pieces else ''
            end = next((e for e in range(len(rest), 0, -1) if mark + rest[:e] in vocab), 0)
            if not end:
                return ['[UNK]']
            pieces.append(mark + rest[:end])
            rest = rest[end:]
        return pieces
        """,
        "100 characters is still cut",
    ),
]

RIGHT = [
    (
        "split_punctuation",
        """
        import re
        return re.findall(r'[0-9A-Za-z]+|[^0-9A-Za-z ]', text)
        """,
    ),
    (
        "split_word",
        """
        pieces, rest = [], word
        while rest and len(word) <= 100:
            mark = '##' if pieces else ''
            end = next((e for e in range(len(rest), 0, -1) if mark + rest[:e] in vocab), 0)
            if not end:
                return ['[UNK]']
            pieces.append(mark + rest[:end])
            rest = rest[end:]
        return pieces if not rest else ['[UNK]']
        """,
    ),
    (
        "split_word",
        """
        def cut(rest, mark):
            if not rest:
                return []
            for end in range(len(rest), 0, -1):
                if mark + rest[:end] in vocab:
                    after = cut(rest[end:], '##')
                    return None if after is None else [mark + rest[:end], *after]
            return None
        found = cut(word, '') if len(word) <= 100 else None
        return ['[UNK]'] if found is None else found
        """,
    ),
    (
        "join_pieces",
        """
        text = ''
        for piece in pieces:
            text += piece[2:] if piece.startswith('##') else (' ' if text else '') + piece
        return text
        """,
    ),
    (
        "join_pieces",
        """
        import re
        return re.sub(' ##', '', ' '.join(pieces))
        """,
    ),
    (
        "encode_pair",
        """
        ids = [cls_id] + first + [sep_id]
        segments = [0] * len(ids)
        ids += second + [sep_id]
        return ids, segments + [1] * (len(ids) - len(segments))
        """,
    ),
    (
        "encode_pair",
        """
        ids = [cls_id, *first, sep_id, *second, sep_id]
        return ids, [np.int64(place > len(first) + 1) for place in range(len(ids))]
        """,
    ),
]
