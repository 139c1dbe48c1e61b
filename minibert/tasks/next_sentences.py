"""Whether one sentence follows another: `BertForNextSentencePrediction`. Score: accuracy.

Files to train on: text with a sentence a line and an empty line between documents, as Google's BERT reads it. Of every two neighbours one
pair is made: half of the pairs stay as they are ("next", id 0), in the others a sentence from another document replaces the second
("random", id 1). Files to ask about: a table of pairs.

Source: Devlin et al. 2019, §3.1, task 2.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..heads import BertForNextSentencePrediction
from ..tokenization import BertTokenizer
from .classification import TextExample, encode_texts, read_classification
from .task import Encoded, Labels, Task
from .task_files import Examples, PathName, read_blocks, usable

NEXT, RANDOM = "next", "random"
NEXT_SENTENCE_LABELS = Labels((NEXT, RANDOM))
"""What `BertForNextSentencePrediction` means by 0 and 1."""


def read_sentence_pairs(path: PathName, seed: int) -> Examples:
    """A pair of every two neighbouring sentences, `TextExample`s; the same seed gives the same pairs.

    A sentence alone in its document has no neighbour: it is left out and reported. Where there is one document only,
    random sentences come from elsewhere in it. Raises ValueError if there are fewer than three sentences.
    """
    documents = read_blocks(path)
    sentences = [line.strip() for document in documents for _, line in document]
    if len(sentences) < 3:
        raise ValueError(f"'{path}' has {len(sentences)} sentences, a line each. At least 3 are needed to choose from.")
    chance = random.Random(seed)
    examples, begin = [], 0
    for document in documents:
        end = begin + len(document)
        if len(document) == 1:
            examples.append(TextExample(sentences[begin], location=document[0][0]))
        for here in range(begin, end - 1):
            avoided = range(begin, end) if len(documents) > 1 else range(here, here + 2)
            following = sentences[here + 1]
            second = _elsewhere(sentences, avoided, chance) if chance.random() < 0.5 else following
            label = NEXT if second == following else RANDOM  # a repeated line that is drawn may equal the next one
            examples.append(TextExample(sentences[here], second, label, location=document[here - begin][0]))
        begin = end
    return usable(path, examples, lambda each: each.text_pair, reason="a sentence alone in its document")


def _elsewhere(sentences: Sequence[str], avoided: range, chance: random.Random) -> str:
    """Any sentence but those avoided, each with the same chance."""
    drawn = chance.randrange(len(sentences) - len(avoided))
    return sentences[drawn if drawn < avoided.start else drawn + len(avoided)]


@dataclass(frozen=True)
class NextSentence(Task):
    """seed: of the pairs that are made."""

    seed: int = 0

    name = "nsp"
    model_class = BertForNextSentencePrediction
    reads = "[CLS]"
    saved = ("seed",)

    def read(self, path: Path, labelled: bool = True) -> Examples:
        if labelled:
            return read_sentence_pairs(path, self.seed)
        return read_classification(path, text_pair="text_pair", label=None)

    def encode(self, examples: Examples, tokenizer: BertTokenizer, max_length: int, training: bool = False) -> Encoded:  # noqa: ARG002
        items, report = examples
        return Encoded(
            items, encode_texts(items, tokenizer, NEXT_SENTENCE_LABELS, max_length=max_length, report=report)
        )

    def answers(self, encoded: Encoded, kept: Sequence[Tensor]) -> list[dict[str, Any]]:
        shares = torch.stack(list(kept)).softmax(dim=-1)[:, 0].tolist()  # column 0: it follows
        found = []
        for example, share in zip(encoded.items, shares, strict=True):
            pair = {"text": example.text, "text_pair": example.text_pair}
            found.append({**pair, "label": NEXT_SENTENCE_LABELS.names[share < 0.5], "probability": share})
        return found
