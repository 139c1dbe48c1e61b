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

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
