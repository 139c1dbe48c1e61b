"""The lines of a text file, found by meaning: the score of a line is the cosine of its vector with the question's.

    vectors (lines, dim), each of length 1        scores = vectors @ (q / |q|)        the largest first

An index may be saved (.npz: the vectors, and hashes of the lines and of the encoder that they are of). It is used again only for the same
lines and the same encoder; else it is made anew, and `said` says why. Exact: every line is scored; no reference class, ours.
"""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..checkpoints.files import replacing
from ..data.sentences import check_plain_text
from ..tasks import Report
from ..tasks.task_files import read_lines
from .sentence_encoder import SentenceEncoder

HASHES = {"lines": "the file has changed", "encoder": "the model is another, or its settings are"}


class Found(NamedTuple):
    """A line by its number, from 1; its cosine with the question; its text."""

    line: int
    score: float
    text: str


@dataclass(frozen=True, eq=False)
class LineIndex:
    """lines: number and text of those that are not empty. vectors: (lines, dim), each of length 1. said: how it came about."""

    lines: list[tuple[int, str]]
    vectors: NDArray[np.float32]
    encoder: SentenceEncoder
    said: str = ""

    @classmethod
    def of_file(
        cls, file: Path, encoder: SentenceEncoder, saved: Path | None = None, batch_size: int = 32
    ) -> "LineIndex":
        """Of a UTF-8 file of texts, one a line. saved: the index's own file, read if it is of these lines and this encoder, else written.

        Raises ValueError for a file without text, and for a `saved` that is no index.
        """
        check_plain_text(file)
        lines = [(n, text.strip()) for n, (_, text) in enumerate(read_lines(file), start=1) if text.strip()]
        if not lines:
            raise ValueError(f"'{file}' has no text to search.")
        hashes = {"lines": hashlib.sha256(repr(lines).encode()).hexdigest(), "encoder": encoder.fingerprint()}
        why = "there was none"
        if saved is not None and saved.exists():
            vectors, before = _load(saved)
            changed = [HASHES[name] for name, known in hashes.items() if before[name] != known]
            if not changed:
                return cls(lines, vectors, encoder, said=f"'{saved}': the index of {len(lines):,} lines is up to date.")
            why = " and ".join(changed)
        report = Report(str(file), found=len(lines))
        vectors = _unit(encoder.encode([text for _, text in lines], batch_size, report))
        said = str(report) if report.changed else ""
        if saved is not None:
            with replacing(saved) as temporary, temporary.open("wb") as opened:
                np.savez(opened, vectors=vectors, lines=np.array(hashes["lines"]), encoder=np.array(hashes["encoder"]))
            said = f"'{saved}': the index of {len(lines):,} lines was made: {why}.\n{said}".rstrip()
        return cls(lines, vectors, encoder, said=said)

    def search(self, question: str, top_k: int = 5, report: Report | None = None) -> list[Found]:
        """The `top_k` lines most like the question, best first; of equals, the first of the file. report: as of `encode`."""
        if top_k < 1:
            raise ValueError(f"top_k is {top_k}; it must be at least 1.")
        scores = self.vectors @ _unit(self.encoder.encode([question], report=report))[0]  # (lines)
        best = np.argsort(-scores, kind="stable")[:top_k]
        return [Found(self.lines[n][0], float(scores[n]), self.lines[n][1]) for n in best]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each vector at length 1; 0 stays 0."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-12))


def _load(saved: Path) -> tuple[NDArray[np.float32], dict[str, str]]:
    """The vectors and hashes of a saved index. Raises ValueError where the file is none, so that it is not written over."""
    try:
        with np.load(saved, allow_pickle=False) as opened:
            return opened["vectors"], {name: str(opened[name]) for name in HASHES}
    except (ValueError, KeyError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"'{saved}' is no index that minibert has saved: name another file, or remove it.") from error
