"""Checks of chapter 2: text to pieces and back."""

import random
import re
from collections.abc import Callable

from course.hints import Case, Checked
from minibert import BasicTokenizer, BertTokenizer, WordpieceTokenizer

WORDS = (
    "unkindly",
    "unforeseeable",
    "housekeeping",
    "parliamentary",
    "zebra",
    "incomprehensibilities",
    "a",
    "antimacassar",
)


def check_split_punctuation(split_punctuation: Callable[[str], list[str]]) -> Checked:
    draw = random.Random(1)
    texts = [
        "don't!",
        "Don't SHOUT, Anna!",
        "a snake_case name",
        "  two  spaces ",
        "(50%) of $3.50...",
        "",
        "plain words",
    ]
    texts += ["".join(draw.choice("ab1 .,'_-") for _ in range(12)) for _ in range(20)]
    basic = BasicTokenizer(do_lower_case=False)
    for text in texts:
        expected = basic.tokenize(text)
        runs = "".join(letter if letter.isalnum() or letter == " " else f"\0{letter}\0" for letter in text)
        mistakes = {
            "The underscore is punctuation too: `isalnum` says so, the regular expression \\w does not.": (
                runs.replace("\0_\0", "_").replace("\0", " ").split()
            ),
            "The text is cut at spaces only.": text.split(),
            "The letters are lower-cased; here they stay as they are.": [word.lower() for word in expected],
            "The spaces are words, too; they only part words.": [
                part for part in re.split(r"([^0-9A-Za-z])", text) if part
            ],
            "Only .,!?;:'\"-() are cut off; punctuation is every mark.": (
                "".join(f" {letter} " if letter in ".,!?;:'\"-()" else letter for letter in text).split()
            ),
            "Digits are cut off like punctuation; `isalnum` is true for them.": (
                "".join(letter if letter.isalpha() or letter == " " else f" {letter} " for letter in text).split()
            ),
            "The punctuation is lost; every mark is a word of its own.": [word for word in expected if word.isalnum()],
            "Marks in a row stay together; each is a word of its own.": runs.replace("\0\0", "").replace("\0", " ").split(),
            "There are empty words in it.": runs.replace("\0", " ").split(" "),
            "Every letter stands alone.": [letter for letter in text if letter != " "],
        }  # fmt: skip
        yield Case(split_punctuation(text), expected, mistakes, repr(text))


def check_split_word(split_word: Callable[[str, set[str]], list[str]]) -> Checked:
    draw = random.Random(2)
    vocab = set(BertTokenizer.from_pretrained("novels-4l-256h").vocab)
    cases = [("ab", {"a", "##b"}), ("abcd", {"abc", "ab", "##cd"}), *((word, vocab) for word in WORDS)]
    cases += [("ab" * 50, {"a", "##b", "##ba"}), ("ab" * 51, {"a", "##b", "##ba"}), ("abc", {"a", "##b"})]
    for _ in range(40):
        pieces = {"".join(draw.choices("ab", k=draw.randint(1, 4))) for _ in range(6)}
        few = {piece if draw.random() < 0.5 else f"##{piece}" for piece in pieces}
        cases.append(("".join(draw.choices("ab", k=draw.randint(1, 7))), few))
    for word, pieces in cases:
        expected = WordpieceTokenizer(pieces, "[UNK]").tokenize(word)
        begun = _cut(word, pieces)

        def cut(those: list[str], word: str = word) -> list[str]:
            return those if len(word) <= 100 else ["[UNK]"]

        mistakes = {
            "It takes the shortest piece that fits; asked for is the longest.": cut(_finished(_cut(word, pieces, longest=False), word)),
            "Pieces that go on a word are looked up without ## in front.": cut(_finished(_cut(word, pieces, mark=""), word)),
            "Pieces that go on a word lose their ##.": [piece.removeprefix("##") for piece in expected],
            "Pieces that go on a word are looked up, and given back, without ## in front.": cut(_finished(_cut(word, pieces, mark=""), word)),
            "It goes back for a shorter piece where the longest leaves a rest that fits none. WordPiece never looks back: [UNK].": (
                cut(_found_by_search(word, pieces))
            ),
            "A word of 100 characters is still cut; more than 100 are too many.": (
                expected if len(word) < 100 else ["[UNK]"]
            ),
            "What fits no piece is left out letter by letter; a word that cannot be cut to its end is [UNK] as a whole.": (
                cut(_skipping(word, pieces))
            ),
            "The pieces are found from the end of the word; begin at its front.": cut(_from_the_end(word, pieces)),
            "A word of more than 100 characters becomes [UNK] as a whole.": _finished(begun, word),
            "A word that cannot be cut to its end is [UNK] as a whole, its first pieces too.": (
                cut(expected if _finished(begun, word) == begun else [*begun, "[UNK]"])
            ),
            "The rest that fits no piece is dropped; the whole word becomes [UNK].": cut(begun),
            "A word of one piece is in the vocabulary or not; it is cut into several here where it is not.": (
                cut([word] if word in pieces else ["[UNK]"])
            ),
            "[UNK] is a list with one piece.": [] if expected == ["[UNK]"] else expected,
        }  # fmt: skip
        known = "the bundled vocabulary" if pieces is vocab else f"the vocabulary {sorted(pieces)}"
        shown = repr(word) if len(word) < 40 else f"a word of {len(word)} characters"
        yield Case(split_word(word, set(pieces)), expected, mistakes, f"{shown} with {known}")


def _cut(word: str, vocab: set[str], longest: bool = True, mark: str = "##") -> list[str]:
    """The pieces of a word as far as the vocabulary goes, with a mistake or without."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        prefix = mark if start else ""
        ends = [end for end in range(start + 1, len(word) + 1) if prefix + word[start:end] in vocab]
        if not ends:
            break
        end = ends[-1] if longest else ends[0]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces


def _found_by_search(word: str, vocab: set[str], start: int = 0) -> list[str]:
    """The first way to cut a word to its end, longest pieces first."""
    if start == len(word):
        return []
    for end in range(len(word), start, -1):
        piece = ("##" if start else "") + word[start:end]
        if piece in vocab and (rest := _found_by_search(word, vocab, end)) != ["[UNK]"]:
            return [piece, *rest]
    return ["[UNK]"]


def _skipping(word: str, vocab: set[str]) -> list[str]:
    """The pieces of a word, [UNK] for each letter that begins none."""
    pieces, start = list[str](), 0
    while start < len(word):
        prefix = "##" if start else ""
        ends = [end for end in range(start + 1, len(word) + 1) if prefix + word[start:end] in vocab]
        pieces.append(prefix + word[start : ends[-1]] if ends else "[UNK]")
        start = ends[-1] if ends else start + 1
    return pieces


def _from_the_end(word: str, vocab: set[str]) -> list[str]:
    """The longest piece at the end first, and so on to the front."""
    pieces, end = list[str](), len(word)
    while end > 0:
        starts = [start for start in range(end) if ("##" if start else "") + word[start:end] in vocab]
        if not starts:
            return ["[UNK]"]
        pieces.insert(0, ("##" if starts[0] else "") + word[starts[0] : end])
        end = starts[0]
    return pieces


def _finished(pieces: list[str], word: str) -> list[str]:
    whole = "".join(piece.removeprefix("##") for piece in pieces) == word
    return pieces if whole else ["[UNK]"]


def check_join_pieces(join_pieces: Callable[[list[str]], str]) -> Checked:
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    for pieces in (
        ["he", "un", "##kind", "##ly", "left"],
        ["a"],
        ["#", "1", "c", "###", "or", "C", "#"],
        [],
        tokenizer.tokenize("the housekeepers unhesitatingly"),
    ):
        expected = tokenizer.convert_tokens_to_string(list(pieces))
        mistakes = {
            "The ## are still there.": " ".join(pieces),
            "The ## are gone, but so is nothing else: the piece belongs to the word before it, without a space.": (
                " ".join(pieces).replace("##", "")
            ),
            "Only ## goes on a word; a single # is a piece of its own.": (
                "".join(piece.lstrip("#") if piece.startswith("#") else f" {piece}" for piece in pieces).strip()
            ),
            "Every # is taken away; of a piece only the ## in front is dropped.": expected.replace("#", ""),
            "Only the first ## of the text is dropped.": " ".join(pieces).replace(" ##", "", 1),
            "The spaces between words are gone.": "".join(pieces).replace("##", ""),
            "There is a space too many at an end.": expected + " ",
            "There is a space too many at the start.": " " + expected,
        }
        yield Case(join_pieces(list(pieces)), expected, mistakes, str(pieces))


def check_encode_pair(
    encode_pair: Callable[[list[int], list[int], int, int], tuple[list[int], list[int]]],
) -> Checked:
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    cls_id, sep_id = tokenizer.cls_token_id, tokenizer.sep_token_id
    draw = random.Random(3)
    for number in range(6):
        first, second = ([draw.randrange(5, 100) for _ in range(draw.randint(1, 4))] for _ in range(2))
        if number == 5:
            first.insert(1, sep_id)  # a text that holds one itself
        ids = tokenizer.build_inputs_with_special_tokens(first, second)
        segments = tokenizer.create_token_type_ids_from_sequences(first, second)
        split = len(first) + 2
        mistakes = {
            "The segments turn at the first [SEP]; a text may hold one itself. Count the pieces of the first text.": (
                (ids, [0] * (ids.index(sep_id) + 1) + [1] * (len(ids) - ids.index(sep_id) - 1))
            ),
            "The last [SEP] is missing.": (ids[:-1], segments[:-1]),
            "The [CLS] is missing.": (ids[1:], segments[1:]),
            "[CLS] and [SEP] have changed places.": (
                [sep_id, *first, cls_id, *second, cls_id], segments
            ),
            "The segments are the wrong way round: 0 is the first text.": (ids, [1 - segment for segment in segments]),
            "The segments are longer or shorter than the ids.": (ids, [0] * len(first) + [1] * len(second)),
            "The last [SEP] is missing, though it has a segment.": (ids[:-1], segments),
            "The [SEP] between the texts is missing.": ([cls_id, *first, *second, sep_id], segments[1:]),
            "A second [CLS] stands before the second text; there is only one.": (
                [*ids[:split], cls_id, *ids[split:]], [*segments, 1]
            ),
            "The [SEP] between the texts belongs to segment 0.": (ids, [0] * (split - 1) + [1] * (len(second) + 2)),
            "The last [SEP] belongs to segment 1.": (ids, [*segments[:-1], 0]),
            "All segments are 0; the second text has segment 1.": (ids, [0] * len(ids)),
            "The ids are right, and the segments count from 1 instead of 0.": (ids, [segment + 1 for segment in segments]),
            "Return ids and segments as a pair: `return ids, segments`.": [ids, segments],
        }  # fmt: skip
        given = f"first {first}, second {second}"
        yield Case(encode_pair(list(first), list(second), cls_id, sep_id), (ids, segments), mistakes, given)
