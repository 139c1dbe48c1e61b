"""A tag for every word: `BertForTokenClassification`.

Files: a word and its tag a line, an empty line after each sentence; or JSON, {"words": ["Ada", "sang"], "tags": ["B-person", "O"]}: see
`tag_files.py`.

A word's tag belongs to its first piece. The other pieces and the special tokens have −100, which no loss counts:

    words      Ada           sang
    pieces     [CLS] ad ##a  sang  [SEP]
    labels     −100  3  −100 0     −100

Scores: F1 of entities, with precision and recall, where the tags mark entities (B-person, I-person, O); else, for parts of speech
say, and beside it, the share of words whose tag is right. Source: Devlin et al. 2019, §5.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from ..config import BertConfig
from ..heads import BertForTokenClassification
from ..model.checks import IGNORED
from ..outputs import ModelOutput
from ..tokenization import BertTokenizer
from .entities import OUTSIDE, TagScheme, entities, entity_f1
from .metrics import accuracy
from .published_tags import TagColumns
from .tag_files import TaggedSentence, read_tags
from .task import NO_LABELS, Encoded, Labels, Row, Task
from .task_files import Examples, Report

Kept = tuple[list[int], list[float]]  # for each position of a row, the likeliest tag and its probability


def find_tags(sentences: Sequence[TaggedSentence]) -> Labels:
    return Labels.found_in(tag for sentence in sentences for tag in sentence.tags or ())


class TagWindow(NamedTuple):
    """As much of a sentence as fits: a row, with `labels` if known; the sentence's number; (position, word) of first pieces."""

    row: Row
    sentence: int
    first_pieces: tuple[tuple[int, int], ...]


def encode_tags(
    sentences: Sequence[TaggedSentence], tokenizer: BertTokenizer, labels: Labels, max_length: int, report: Report
) -> list[TagWindow]:
    """Windows of at most `max_length` pieces: several, one after the other, of a long sentence.

    A word that the tokenizer drops, such as a zero-width space, has no piece to carry its tag: that is reported.
    """
    windows = []
    cut: dict[str, Any] = {"truncation": True, "max_length": max_length, "return_overflowing_tokens": True}
    for number, sentence in enumerate(sentences):
        tags = labels.ids(sentence.tags or (), sentence.location)
        # Asked for offsets, the tokenizer gives the overflow as windows.
        encoding = tokenizer([list(sentence.words)], is_split_into_words=True, return_offsets_mapping=True, **cut)
        seen: set[int] = set()
        for index, pieces in enumerate(encoding["input_ids"]):
            row = {name: encoding[name][index] for name in tokenizer.model_input_names}
            first_pieces = []
            for position, word in enumerate(encoding.word_ids(index)):
                if word is not None and word not in seen:  # a window may begin inside a word
                    seen.add(word)
                    first_pieces.append((position, word))
            if sentence.tags is not None:
                row["labels"] = [IGNORED] * len(pieces)
                for position, word in first_pieces:
                    row["labels"][position] = tags[word]
            windows.append(TagWindow(row, number, tuple(first_pieces)))
        if len(encoding["input_ids"]) > 1:
            report.change(sentence.location, f"sentence read in windows of {max_length} pieces")
        if len(seen) < len(sentence.words):
            report.change(sentence.location, "a word has no piece, so its tag is not trained and O is predicted")
    return windows


def tags_of_words(
    windows: Sequence[TagWindow], predictions: Sequence[Any], sentences: Sequence[TaggedSentence], labels: Labels
) -> list[list[str]]:
    """Tags of the words of each sentence, "O" without a piece. predictions: for each window, the ids of its positions; padding may follow."""
    ids = _of_words(windows, predictions, sentences, missing=None)
    return [[OUTSIDE if each is None else labels.names[int(each)] for each in of_sentence] for of_sentence in ids]


def _of_words(
    windows: Sequence[TagWindow], columns: Sequence[Any], sentences: Sequence[TaggedSentence], missing: Any
) -> list[list[Any]]:
    found = [[missing] * len(sentence.words) for sentence in sentences]
    for window, column in zip(windows, columns, strict=True):
        for position, word in window.first_pieces:
            found[window.sentence][word] = column[position]
    return found


@dataclass(frozen=True)
class Tagging(Task):
    """word, tag, columns: where a file has them, as in `TagColumns`."""

    labels: Labels = NO_LABELS  # here by position, too
    word: str | None = None
    tag: str | None = None
    columns: Sequence[str] = ()

    name = "tag"
    does, asked, number_of_texts = "tags words", "give a text", range(1, 2)
    model_class = BertForTokenClassification
    reads = "labelled positions"
    saved = ("word", "tag", "columns")

    @property
    def metrics(self) -> tuple[str, ...]:
        of_entities = ("entity_f1", "precision", "recall") if self.marks_entities else ()
        return *of_entities, "accuracy", "loss"

    @property
    def scheme(self) -> TagScheme:
        """What each tag says of entities."""
        return TagScheme.of(self.labels.names)

    @property
    def marks_entities(self) -> bool:
        """Whether the tags are those of entities: B-person and the like, and O, with at most a few others."""
        return self.scheme.marks_entities

    def read(self, path: Path, labelled: bool = True) -> Examples:
        return read_tags(path, labelled=labelled, where=TagColumns(self.word, self.tag, self.columns))

    def adapted_to(self, examples: Examples) -> "Tagging":
        return replace(self, labels=find_tags(examples.items))

    def made_of(self, texts: Sequence[str], location: str, tokenizer: BertTokenizer) -> TaggedSentence:
        return TaggedSentence.of_text(texts[0], location, tokenizer.steps())

    @classmethod
    def of_config(cls, config: BertConfig) -> "Tagging":
        known = super().of_config(config)
        return replace(known, labels=Labels.of_config(config.id2label), columns=tuple(known.columns))

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:
        sentences, report = examples
        windows = encode_tags(sentences, tokenizer, labels=self.labels, max_length=max_length, report=report)
        if training:  # a window of nothing but a long word's end has no tag, and its loss would be a mean of nothing
            windows = [window for window in windows if window.first_pieces]
        return Encoded(sentences, [window.row for window in windows], windows)

    def keep(self, outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[Kept]:  # noqa: ARG002
        probabilities, tags = outputs["logits"].float().softmax(dim=-1).max(dim=-1)  # (batch, seq)
        return list(zip(tags.tolist(), probabilities.tolist(), strict=True))

    def _tags(self, encoded: Encoded, kept: Sequence[Kept]) -> list[list[str]]:
        return tags_of_words(encoded.windows, [tags for tags, _ in kept], encoded.items, labels=self.labels)

    def score(self, encoded: Encoded, kept: Sequence[Kept], loss: float) -> dict[str, float]:  # noqa: ARG002
        true = [[self.labels.names[i] for i in self.labels.ids(each.tags, each.location)] for each in encoded.items]
        predicted = self._tags(encoded, kept)
        scores = {"accuracy": accuracy(list(chain(*predicted)), list(chain(*true)))}
        if not self.marks_entities:
            return scores
        entity = entity_f1(predicted, true, self.scheme)
        return {"entity_f1": entity.f1, "precision": entity.precision, "recall": entity.recall, **scores}

    def answers(self, encoded: Encoded, kept: Sequence[Kept]) -> list[dict[str, Any]]:
        # Of a word without a piece, O is certain.
        shares = _of_words(encoded.windows, [p for _, p in kept], encoded.items, missing=1.0)
        found, scheme = [], self.scheme
        for sentence, tags, probabilities in zip(encoded.items, self._tags(encoded, kept), shares, strict=True):
            answer: dict[str, Any] = {"text": sentence.whole or sentence.text(), "words": list(sentence.words)}
            answer |= {"tags": tags, "probabilities": probabilities}
            if scheme.marks_entities:
                answer["entities"] = []
                for entity in entities(tags, scheme):
                    marked = {"text": sentence.text(entity.start, entity.end), **entity._asdict()}
                    marked["probability"] = min(probabilities[entity.start : entity.end])
                    if spans := sentence.spans[entity.start : entity.end]:
                        marked["characters"] = [spans[0][0], spans[-1][1]]
                    answer["entities"].append(marked)
            found.append(answer)
        return found
