"""Exercises of chapter 2, WordPiece. Check them with `minibert check 2`."""


def split_punctuation(text: str) -> list[str]:
    """Cut text at spaces, and make every punctuation mark a word of its own: "don't!" → don ' t !

    Punctuation is every character that is neither a letter or digit (`str.isalnum`) nor a space. Text is plain ASCII.

    10 minutes, easy.
    """
    raise NotImplementedError


def split_word(word: str, vocab: set[str]) -> list[str]:
    """Cut a word into pieces of the vocabulary, each time the longest that fits: unkindly → un ##kind ##ly

    A piece that does not begin the word is written with ## in front, and stands so in `vocab`. A word that cannot be
    cut to its end becomes ["[UNK]"], and so does one of more than 100 characters.

    20 minutes, hard.
    """
    raise NotImplementedError


def join_pieces(pieces: list[str]) -> str:
    """Pieces back to text: one space between words, none before a piece that begins with ##, whose ## is dropped.

    5 minutes, easy.
    """
    raise NotImplementedError


def encode_pair(first: list[int], second: list[int], cls_id: int, sep_id: int) -> tuple[list[int], list[int]]:
    """Ids and segments of two texts in one input: [CLS] first [SEP] second [SEP].

    Segments are 0 for the first text, with the [CLS] and the [SEP] around it, and 1 for the rest.

    5 minutes, easy.
    """
    raise NotImplementedError
