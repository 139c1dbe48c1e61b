"""Sentences with a tag for every word, and the way from words to pieces and back.

CoNLL columns: a word and its tag a line, the word in the first column, the tag in the last, between tabs or spaces; an empty line
after each sentence. Or JSON lines: {"words": ["Ada", "sang"], "tags": ["B-person", "O"]}.

A word's tag belongs to its first piece. The other pieces and the special tokens have −100, which no loss counts:

    words      Ada           sang
    pieces     [CLS] ad ##a  sang  [SEP]
    labels     −100  3  −100 0     −100

Source: Devlin et al. 2019, §5.3.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...tokenization import BertTokenizer
from .collation import IGNORED
from .files import read_lines, read_rows
from .labels import Labels
from .report import Report

OUTSIDE = "O"
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class TaggedSentence:
    """Words and as many tags; no tags when they are not known.

    spans: where the words stand in the text they were cut from, if they were: the first character, and the one after the last.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None
    place: str = field(default="", compare=False)
    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of_text(cls, text: str, place: str = "") -> TaggedSentence:
        """A sentence that nobody has cut yet: words are runs of letters, digits and _, and single other signs."""
        found = list(_WORD.finditer(text))
        return cls(tuple(word.group() for word in found), place=place, spans=tuple(word.span() for word in found))


@dataclass(frozen=True)
class TagWindow:
    """A sentence, or as much of a long one as fits.

    row: for the model, with `labels` when they are known. sentence: its number. first_pieces: (position, word) of every word
    whose first piece is here.
    """

    row: dict[str, Any]
    sentence: int
    first_pieces: tuple[tuple[int, int], ...]


def read_tags(path: str | os.PathLike[str], *, labelled: bool = True) -> tuple[list[TaggedSentence], Report]:
    """The sentences of a .jsonl file, or of CoNLL columns in any other, and what became of them.

    labelled=False reads words only. Raises ValueError, naming file and line, where words and tags are not as many.
    """
    read = _json_sentences if Path(path).suffix.lower() == ".jsonl" else _column_sentences
    sentences = read(path, labelled)
    report = Report(str(path), found=len(sentences))
    for sentence in sentences:
        if not sentence.words:
            report.leave_out(sentence.place, "it has no words")
    report.require_some()
    return [sentence for sentence in sentences if sentence.words], report


def _column_sentences(path: str | os.PathLike[str], labelled: bool) -> list[TaggedSentence]:
    sentences: list[TaggedSentence] = []
    words: list[str] = []
    tags: list[str] = []
    begin, width = "", 0
    for place, line in [*read_lines(path), ("", "")]:
        # A tab parts columns if there is one: a word may then be, or hold, a space of some kind.
        columns = (
            [column.strip(" ") for column in line.split("\t")] if "\t" in line else re.split(" +", line.strip(" "))
        )
        if not any(columns) or columns[0] == "-DOCSTART-":
            if words:
                sentences.append(TaggedSentence(tuple(words), tuple(tags) if labelled else None, begin))
            words, tags = [], []
            continue
        width = width or len(columns)
        if len(columns) != width or not all(columns):
            raise ValueError(f"{place}: {len(list(filter(None, columns)))} columns where the file began with {width}.")
        if labelled and width < 2:
            raise ValueError(f"{place}: a word without a tag. A line is a word and its tag, between tabs or spaces.")
        begin = begin if words else place
        words.append(columns[0])
        tags.append(columns[-1])
    return sentences


def _json_sentences(path: str | os.PathLike[str], labelled: bool) -> list[TaggedSentence]:
    sentences = []
    for row in read_rows(path):
        lists = [row.values.get(name) for name in (("words", "tags") if labelled else ("words",))]
        for name, values in zip(("words", "tags"), lists, strict=False):
            if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
                raise ValueError(f"{row.place}: {name!r} must be a list of words, none empty.")
        words = tuple(map(str, lists[0] or ()))
        tags = tuple(map(str, lists[1] or ())) if labelled else None
        if tags is not None and len(words) != len(tags):
            raise ValueError(f"{row.place}: {len(words)} words and {len(tags)} tags. Each word needs one.")
        sentences.append(TaggedSentence(words, tags, row.place))
    return sentences


def find_tags(sentences: Sequence[TaggedSentence]) -> Labels:
    """The tags of training sentences."""
    return Labels.found_in(tag for sentence in sentences for tag in sentence.tags or ())


def encode_tags(
    sentences: Sequence[TaggedSentence], tokenizer: BertTokenizer, labels: Labels, max_length: int, report: Report
) -> list[TagWindow]:
    """Windows of at most `max_length` pieces. A long sentence becomes several, one after the other; no word is lost.

    A word that the tokenizer drops, such as a zero-width space, has no piece to carry its tag: that is reported.
    """
    windows = []
    for number, sentence in enumerate(sentences):
        tags = labels.ids(sentence.tags, sentence.place) if sentence.tags is not None else None
        encoding = tokenizer(
            [list(sentence.words)],
            is_split_into_words=True,
            truncation=True,
            max_length=max_length,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,  # brings the overflow as windows
        )
        seen: set[int] = set()
        for index in range(len(encoding["input_ids"])):
            first_pieces = []
            for position, word in enumerate(encoding.word_ids(index)):
                if word is not None and word not in seen:  # a window may begin inside a word
                    seen.add(word)
                    first_pieces.append((position, word))
            row = {name: encoding[name][index] for name in tokenizer.model_input_names}
            if tags is not None:
                row["labels"] = [IGNORED] * len(row["input_ids"])
                for position, word in first_pieces:
                    row["labels"][position] = tags[word]
            windows.append(TagWindow(row, number, tuple(first_pieces)))
        if len(encoding["input_ids"]) > 1:
            report.change(sentence.place, f"sentence read in windows of {max_length} pieces")
        if len(seen) < len(sentence.words):
            report.change(sentence.place, "a word has no piece, so its tag is not learned and O is predicted")
    return windows


def tags_of_words(
    windows: Sequence[TagWindow], predictions: Sequence[Any], sentences: Sequence[TaggedSentence], labels: Labels
) -> list[list[str]]:
    """Predicted tags, one for each word of each sentence.

    predictions: for each window, the predicted ids of its positions (a list, or a row of a tensor); padding may follow.
    A word without a piece is "O".
    """
    tags = [[OUTSIDE] * len(sentence.words) for sentence in sentences]
    for window, predicted in zip(windows, predictions, strict=True):
        for position, word in window.first_pieces:
            tags[window.sentence][word] = labels.names[int(predicted[position])]
    return tags
