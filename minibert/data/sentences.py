"""From text files to sentences, read as a stream: a file of any size takes the same memory.

Two kinds of file. *Prose*: the file is one document; line breaks mean nothing, and a sentence ends at `.`, `!` or `?` before a
space and something that can begin a sentence. *Lines*, the format of Google's BERT: a sentence a line, an empty line between
documents.
"""

import re
from collections.abc import Iterator
from pathlib import Path

_SENTENCE_END = re.compile(
    r"""(?<=[.!?…])["'”’)\]]*      # the mark and what closes after it
        \s+
        (?=["'“‘(\[]*[A-Z0-9À-Þ])  # what opens, and a beginning""",
    re.VERBOSE,
)
_NO_END = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Messrs|Mme|Mlle|Prof|Rev|Hon|Capt|Col|Gen|Lt|Sgt|No|vs|etc|e\.g|i\.e)|\b[A-Z])\.$"
)
LONGEST_PARAGRAPH = 1 << 16  # characters; text without empty lines is cut into sentences at least this often


def split_sentences(paragraph: str) -> list[str]:
    """Sentences of a paragraph, without the space between them. Abbreviations and initials end none."""
    sentences, start = [], 0
    for gap in _SENTENCE_END.finditer(paragraph):
        closing = len(gap.group()) - len(gap.group().lstrip("\"'”’)]"))
        end = gap.start() + closing
        if _NO_END.search(paragraph, start, gap.start()):
            continue
        sentences.append(paragraph[start:end])
        start = gap.end()
    return [sentence.strip() for sentence in (*sentences, paragraph[start:]) if sentence.strip()]


def read_documents(path: Path, one_sentence_per_line: bool = False) -> Iterator[str | None]:
    """The sentences of a UTF-8 file; None where a document ends. Raises ValueError, naming the file, where it is not UTF-8."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from (line.strip() or None for line in file) if one_sentence_per_line else _prose(file)
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
    yield None


def _prose(file: Iterator[str]) -> Iterator[str]:
    paragraph: list[str] = []
    length = 0
    for line in file:
        text = line.strip()
        if text:
            paragraph.append(text)
            length += len(text)
        if paragraph and (not text or length > LONGEST_PARAGRAPH):
            yield from split_sentences(" ".join(paragraph))
            paragraph, length = [], 0
    yield from split_sentences(" ".join(paragraph))
