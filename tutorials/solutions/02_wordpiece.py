"""Exercises of chapter 2, WordPiece. Check them with `minibert check 2`."""


def split_punctuation(text: str) -> list[str]:
    """Cut text at spaces, and make every punctuation mark a word of its own: "don't!" → don ' t !

    Punctuation is every character that is neither a letter or digit (`str.isalnum`) nor a space. Text is plain ASCII.

    10 minutes, easy.
    """
    words = [""]
    for letter in text:
        if letter.isalnum():
            words[-1] += letter
        else:
            words += [letter.strip(), ""]
    return [word for word in words if word]


def split_word(word: str, vocab: set[str]) -> list[str]:
    """Cut a word into pieces of the vocabulary, each time the longest that fits: unkindly → un ##kind ##ly

    A piece that does not begin the word is written with ## in front, and stands so in `vocab`. A word that cannot be
    cut to its end becomes ["[UNK]"], and so does one of more than 100 characters.

    20 minutes, hard.
    """
    if len(word) > 100:
        return ["[UNK]"]
    pieces = []
    start = 0
    while start < len(word):
        prefix = "##" if start > 0 else ""
        end = len(word)
        while end > start and prefix + word[start:end] not in vocab:
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces


def join_pieces(pieces: list[str]) -> str:
    """Pieces back to text: one space between words, none before a piece that begins with ##, whose ## is dropped.

    5 minutes, easy.
    """
    return " ".join(pieces).replace(" ##", "")


def encode_pair(first: list[int], second: list[int], cls_id: int, sep_id: int) -> tuple[list[int], list[int]]:
    """Ids and segments of two texts in one input: [CLS] first [SEP] second [SEP].

    Segments are 0 for the first text, with the [CLS] and the [SEP] around it, and 1 for the rest.

    5 minutes, easy.
    """
    ids = [cls_id, *first, sep_id, *second, sep_id]
    segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    return ids, segments
