"""From text files to sentences, read as a stream: a file of any size takes the same memory, even on a single line.

Two kinds of file. *Prose*: the file is one document; a line break is a space, an empty line ends a sentence. *Lines*, the format of
Google's BERT: a sentence a line, an empty line between documents. In prose a sentence ends, in any script,

    她走了。“你呢？”      at 。！？ । ॥ ؟ ۔ ։ … wherever they stand, and what closes after them
    It rained. “Go!”     at . ! ? … and the Greek ; before a space and a beginning: a digit, any letter but a lower-case one
    he left . she sat    at a full stop between spaces; in a text without capital letters, at any of these before a space

but not after abbreviations and initials. Thai and Lao have no such marks: give them as lines.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TextIO

_ALWAYS = frozenset("。！？｡।॥؟۔։።፧།။។៕᠃꓿܀߹᙮᠉᥄᥅᪨᪩᭚᭛᭞᭟᰻᰼᱾᱿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫")
_MARK = re.compile(
    rf"""(?P<row>(?:[.!?…‼‽⁇⁈⁉⸮{"".join(_ALWAYS)}]|．(?!\d))+|[;\u037e|])
    (?:["'”’»›)\]}}」』”’》〉】〕〗）］｝*_\u200b-\u200f]|[“‘«‹](?=\s)|\s(?:[»”]|'')(?=\s)|\[[\w ]{{1,20}}\]|[†‡¹²³])*  # what closes, and notes
    (?P<space>\s*)
    (?=["'`“”„‟‘’‚«»‹›(\[{{「『《〈【〔〖（［｛¿¡—–*_\s\u200b-\u200f<@#\u2600-\u27bf\ufe0f\U0001f000-\U0001faff-]*(?P<following>[^\W_])?)  # what opens, and a beginning""",
    re.VERBOSE,
)
_WIDE = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]")
_GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
_INDIC = re.compile(r"[\u0900-\u0dff]")
_ABBREVIATION = re.compile(
    r"Mr|Mrs|Ms|Dr|St|Messrs|Mme|Mlle|Prof|Rev|Hon|Capt|Col|Gen|Lt|Sgt|No|vs|etc|e\.g|i\.e|cf|Sra?|Nr|bzw|z\.B|г|ул|им|проф|т\.е"
)
_WORD_BORDER = re.compile(r"""[\s"'“”„‘’«»‹›(\[{—–-]+""")
LONGEST_PARAGRAPH = 1 << 14  # characters; a longer one is read in pieces


def split_sentences(paragraph: str) -> list[str]:
    """Sentences of a paragraph, without the space between them; in linear time."""
    sentences = (paragraph[begin:end].strip() for begin, end in pairwise([0, *_borders(paragraph), len(paragraph)]))
    return [sentence.replace("\n", " ") for sentence in sentences if sentence]


def _borders(text: str) -> Iterator[int]:
    """Where sentences begin, but for the first."""
    without_capitals, begin = text == text.lower(), 0
    for mark in _MARK.finditer(text):
        row, space, following = mark.groups()
        if following is None:
            continue
        if _ALWAYS.isdisjoint(row):
            before = text[max(begin, mark.start() - 16) : mark.start()]  # longer than any abbreviation
            word = _WORD_BORDER.split(before.rstrip())[-1]
            alone = before[-1:].isspace()
            pauses = row.startswith(("..", "…")) or word.endswith((".", "…"))
            may_begin = space or (_WIDE.match(following) and not pauses)
            if following.islower() and not "\u10d0" <= following <= "\u10ff":  # Georgian is lower-case by name only
                may_begin = space and not pauses and (without_capitals or (alone and row == "."))
            script = {"|": _INDIC, ";": _GREEK, "\u037e": _GREEK}.get(row)  # of which alone this is a sign
            shortened = row == "." and _is_shortened(word, any_case=without_capitals or alone)
            if not may_begin or shortened or (script and not script.match(word[-1:])):
                continue
        begin = mark.end()
        yield begin


def _is_shortened(word: str, any_case: bool) -> bool:
    """Whether the full stop after a word belongs to it: an abbreviation, or an initial in any script but the wide ones."""
    if _ABBREVIATION.fullmatch(word) or (any_case and word != "no" and _ABBREVIATION.fullmatch(word.capitalize())):
        return True
    last = word.rpartition(".")[2]
    is_letter = last[:1].isalpha() and all(unicodedata.category(mark).startswith("M") for mark in last[1:])
    return is_letter and (any_case or not last[0].islower()) and not _WIDE.match(last)


def check_plain_text(path: Path) -> None:
    """Raises ValueError for a table by its ending: its names, signs and labels would be read as words."""
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson", ".csv", ".tsv"):
        raise ValueError(f"'{path}' is a table by its ending, no plain text. Put its texts into a .txt file.")


def read_documents(path: Path, one_sentence_per_line: bool = False) -> Iterator[str | None]:
    """The sentences of a UTF-8 file; None where a document ends. Raises ValueError, naming the file, where it is not UTF-8."""
    check_plain_text(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _lines(file) if one_sentence_per_line else _prose(file)
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
    yield None


def _lines(file: TextIO) -> Iterator[str | None]:
    """A sentence a line, None for an empty one; a line longer than a paragraph in parts, cut between words."""
    line, begun = "", False  # what is read of a line, and whether parts of it were given
    while piece := file.readline(LONGEST_PARAGRAPH):
        line += piece
        if len(piece) == LONGEST_PARAGRAPH and not piece.endswith("\n"):  # it goes on
            part, _, rest = line.rpartition(" ")
            part, line = (part, rest) if part.strip() else (line, "")
            yield part.strip()
            begun = True
        else:
            if line.strip() or not begun:
                yield line.strip() or None
            line, begun = "", False
    if line.strip():
        yield line.strip()


def _prose(file: TextIO) -> Iterator[str]:
    text = ""
    while piece := file.read(LONGEST_PARAGRAPH):
        *paragraphs, text = re.split(r"\n\s*\n", text + piece)
        for paragraph in paragraphs:
            yield from split_sentences(paragraph)
        if len(text) > LONGEST_PARAGRAPH:  # what follows the last end stays: the next piece may show where it ends
            whole = max(_borders(text), default=0) or text.rfind(" ") + 1 or len(text)
            yield from split_sentences(text[:whole])
            text = text[whole:]
    yield from split_sentences(text)
