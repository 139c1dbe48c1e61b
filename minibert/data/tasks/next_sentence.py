"""Plain text as pairs of sentences: does the second follow the first?

A file has a sentence a line and an empty line between documents, as Google's BERT reads it. Of every two neighbours one pair is made: half of
the pairs stay as they are ("next", id 0), the others get a sentence from another document in the second's place ("random", id 1).

Source: Devlin et al. 2019, §3.1, task 2.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

from .classification import TextExample
from .files import read_lines
from .labels import Labels
from .report import Report

NEXT, RANDOM = "next", "random"
NEXT_SENTENCE_LABELS = Labels((NEXT, RANDOM))
"""What `BertForNextSentencePrediction` means by 0 and 1."""


def read_sentence_pairs(path: str | os.PathLike[str], seed: int) -> tuple[list[TextExample], Report]:
    """A pair of every two neighbouring sentences; the same seed gives the same pairs. To be encoded with `encode_texts`.

    A sentence alone in its document has no neighbour: it is left out and reported. Where there is one document only,
    random sentences come from elsewhere in it. Raises ValueError if there are fewer than three sentences.
    """
    documents = _documents(path)
    sentences = [text for document in documents for _, text in document]
    if len(sentences) < 3:
        raise ValueError(f"'{path}' has {len(sentences)} sentences, a line each. At least 3 are needed to choose from.")
    report = Report(str(path), found=sum(max(1, len(document) - 1) for document in documents))
    chance = random.Random(seed)
    examples, begin = [], 0
    for document in documents:
        end = begin + len(document)
        if len(document) == 1:
            report.leave_out(document[0][0], "a sentence alone in its document")
        for here in range(begin, end - 1):
            avoided = range(begin, end) if len(documents) > 1 else range(here, here + 2)
            place, first = document[here - begin]
            second = sentences[here + 1]
            if chance.random() < 0.5:
                second = _elsewhere(sentences, avoided, chance)
            # A line that is repeated may be drawn where it stands: then it is the next one.
            label = NEXT if second == sentences[here + 1] else RANDOM
            examples.append(TextExample(first, second, label, place))
        begin = end
    report.require_some()
    return examples, report


def _documents(path: str | os.PathLike[str]) -> list[list[tuple[str, str]]]:
    """Documents of (place, sentence), none empty."""
    documents: list[list[tuple[str, str]]] = [[]]
    for place, line in read_lines(path):
        if line.strip():
            documents[-1].append((place, line.strip()))
        elif documents[-1]:
            documents.append([])
    return [document for document in documents if document]


def _elsewhere(sentences: Sequence[str], avoided: range, chance: random.Random) -> str:
    """Any sentence but those avoided, each with the same chance."""
    drawn = chance.randrange(len(sentences) - len(avoided))
    return sentences[drawn if drawn < avoided.start else drawn + len(avoided)]
