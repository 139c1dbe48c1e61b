"""A corpus of token ids on disk, memory-mapped: only the pages that a batch touches are read.

    tokens.bin      every token of the corpus, one after the other, uint16 or uint32
    sentences.bin   where each sentence begins in it, and its end: int64
    documents.bin   where each document begins among the sentences, and the end: int64

`minibert data prepare` writes the folder (`prepare.py`); `manifest.json` above it says what is in there.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checkpoints import read_json

MANIFEST = "manifest.json"
TRAIN, HELD_OUT = "train", "held-out"
DTYPES = ("<u2", "<u4")  # of token ids


@dataclass(frozen=True)
class Corpus:
    """Token ids with the borders of sentences and documents; a border list has one entry more than there are pieces."""

    tokens: NDArray[Any]
    sentences: NDArray[np.int64]
    documents: NDArray[np.int64]

    @classmethod
    def open(cls, folder: Path, dtype: str) -> "Corpus":
        """Map the three files of a folder. Raises ValueError where one is missing or they do not fit each other."""

        def mapped(name: str, dtype: str) -> NDArray[Any]:
            path = folder / name
            if not path.is_file():
                raise ValueError(f"'{path}' is missing. Prepare the corpus again: minibert data prepare.")
            whole = path.stat().st_size and path.stat().st_size % np.dtype(dtype).itemsize == 0
            return np.asarray(np.memmap(path, dtype, "r")) if whole else np.empty(0, dtype)  # memmaps are slow to slice

        corpus = cls(mapped("tokens.bin", dtype), mapped("sentences.bin", "<i8"), mapped("documents.bin", "<i8"))
        for borders, end in (corpus.sentences, len(corpus.tokens)), (corpus.documents, len(corpus.sentences) - 1):
            if [*borders[:1], *borders[-1:]] != [0, end] or end < 1 or not (np.diff(borders) > 0).all():
                raise ValueError(f"The files in '{folder}' do not fit each other. Prepare the corpus again.")
        return corpus

    def sentence_at(self, token: int) -> int:
        """The sentence in which a token stands."""
        return int(self.sentences.searchsorted(token, side="right")) - 1

    def document_of(self, sentence: int) -> int:
        """The document in which a sentence stands."""
        return int(self.documents.searchsorted(sentence, side="right")) - 1

    def document_around(self, token: int) -> tuple[int, int]:
        """The tokens with which the document of a token begins and, exclusive, ends."""
        document = self.document_of(self.sentence_at(token))
        return int(self.sentences[self.documents[document]]), int(self.sentences[self.documents[document + 1]])

    def borders(self, first: int, end: int) -> NDArray[np.int64]:
        """Which tokens from `first` to before `end` begin a sentence."""
        return self.sentences[slice(*self.sentences.searchsorted((first, end)))]

    def beginning(self, tokens: int) -> "Corpus":
        """The sentences up to that of about this many tokens, as a corpus of their own."""
        last = self.sentence_at(min(tokens, len(self.tokens)) - 1) + 1
        documents = np.append(self.documents[self.documents < last], last)
        return Corpus(self.span(0, last), self.sentences[: last + 1], documents)

    def span(self, first: int, last: int) -> NDArray[Any]:
        """The tokens of the sentences from `first` to before `last`."""
        return self.tokens[int(self.sentences[first]) : int(self.sentences[last])]


@dataclass(frozen=True)
class PreparedData:
    """A folder made by `minibert data prepare`: text to train on, held-out text, the tokenizer and the manifest."""

    folder: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "PreparedData":
        """Raises ValueError where there is no manifest, it is damaged, or vocab.txt is not the one that the text was prepared with."""
        path = folder / MANIFEST
        if not path.is_file():
            raise ValueError(f"'{folder}' holds no prepared text ({MANIFEST} is missing): run minibert data prepare.")
        manifest = read_json(path)
        try:
            counts = [manifest["vocab_size"], *(manifest["parts"][part]["tokens"] for part in (TRAIN, HELD_OUT))]
            hashes = [manifest["vocab_sha256"], *(source["sha256"] for source in manifest["sources"])]
            kinds = {*map(type, counts)} == {int} and {*map(type, hashes)} == {str}
            whole = kinds and manifest["dtype"] in DTYPES and 0 <= manifest["unigram_entropy"] < float("inf")
        except (KeyError, TypeError):
            whole = False
        if not whole:
            raise ValueError(f"'{path}' is damaged. Prepare the corpus again: minibert data prepare.")
        vocab = folder / "vocab.txt"
        if not vocab.is_file() or sha256(vocab) != manifest["vocab_sha256"]:
            raise ValueError(f"'{vocab}' is not the one that the text was prepared with. Prepare the corpus again.")
        return cls(folder, manifest)

    def corpus(self, split: str) -> Corpus:
        """The split to train on ("train") or the one held out ("held-out"). Raises ValueError where it is empty."""
        if not self.manifest["parts"][split]["tokens"]:
            raise ValueError(f"The {split} part of '{self.folder}' is empty. Prepare it again, with held_out=….")
        return Corpus.open(self.folder / split, self.manifest["dtype"])

    def check_vocabulary(self, tokenizer: Any) -> None:
        """Raises ValueError unless this tokenizer has the vocabulary that the text was prepared with."""
        if tokenizer.get_vocab() != type(tokenizer).from_pretrained(self.folder).get_vocab():
            raise ValueError(
                f"'{self.folder}' was prepared with another vocabulary than this model's. Name the model that was trained on it "
                "(--model), or prepare the text again with this model's: minibert data prepare --tokenizer."
            )

    @property
    def unigram_entropy(self) -> float:
        """Nats per word of a model that knows how often each word occurs and nothing else."""
        return float(self.manifest["unigram_entropy"])


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
