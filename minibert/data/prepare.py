"""From text files to a corpus of token ids: what `minibert data prepare` does.

Each file is split into sentences and tokenized by one of several processes, as a stream; the tokenized files are then joined in the
order of their names. The folder appears under its name only when it is whole, with a manifest of what went in.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints import replacing
from ..tokenization import BertTokenizer
from .corpus import HELD_OUT, MANIFEST, TRAIN
from .sentences import read_documents

SENTENCES_AT_A_TIME = 4096
COPIED_AT_A_TIME = 1 << 24  # bytes


@dataclass(frozen=True)
class TokenizedFile:
    """One text file's tokens and borders, in a folder of their own, and how many there are."""

    source: Path
    folder: Path
    sha256: str
    characters: int
    tokens: int
    sentences: int
    documents: int


def prepare(
    files: Sequence[Path],
    out: Path,
    tokenizer: BertTokenizer,
    *,
    held_out: int = 25,
    one_sentence_per_line: bool = False,
    processes: int = 1,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> dict[str, Any]:
    """Write the folder `out` and return its manifest.

    held_out: every so many files in sorted order, beginning with the first, are kept for evaluation; 0 keeps none.
    progress: called with the size of each file that is done.
    Raises ValueError for files that are missing, without a word or not UTF-8, and where `out` exists.
    """
    ordered = sorted({path.resolve() for path in files}, key=lambda path: (path.name, str(path)))
    if out.exists():
        raise ValueError(f"'{out}' exists already. Choose another folder, or remove it.")
    if not ordered:
        raise ValueError("There are no text files to prepare.")
    if missing := [path for path in ordered if not path.is_file()]:
        raise ValueError(f"There is no text file at '{missing[0]}'.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as draft:
        tokenizer.save_pretrained(draft)
        dtype = "<u2" if len(tokenizer) <= 1 << 16 else "<u4"
        convert = partial(tokenize_file, draft=draft, dtype=dtype, one_sentence_per_line=one_sentence_per_line)
        done = []
        # Fresh processes: a fork of one that has used threads may hang.
        alone = processes <= 1 or len(ordered) == 1
        with nullcontext() if alone else ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for file in (pool.map if pool else map)(convert, range(len(ordered)), ordered):
                done.append(file)
                progress(file.source.stat().st_size)
        kept = [file for number, file in enumerate(done) if is_held_out(number, held_out)]
        read = [file for file in done if file not in kept]
        if not any(file.tokens for file in read):
            raise ValueError("There are no words to train on: every file is empty, or held out (see --held-out).")
        counts = {TRAIN: _join(read, draft / TRAIN), HELD_OUT: _join(kept, draft / HELD_OUT)}
        manifest = {
            "format": "minibert-corpus-1",
            "dtype": dtype,
            "vocab_size": len(tokenizer),
            "vocab_sha256": _sha256(draft / "vocab.txt"),
            "one_sentence_per_line": one_sentence_per_line,
            "unigram_entropy": unigram_entropy(draft / TRAIN / "tokens.bin", dtype),
            "parts": counts,
            "sources": [
                {"name": file.source.name, "sha256": file.sha256, "part": HELD_OUT if file in kept else TRAIN}
                | {"characters": file.characters, "tokens": file.tokens}
                for file in done
            ],
        }
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def is_held_out(number: int, every: int) -> bool:
    """Whether the file of this number, from 0 in sorted order, is kept for evaluation. every: 0 keeps none."""
    return every > 0 and number % every == 0


def tokenize_file(number: int, source: Path, draft: Path, dtype: str, one_sentence_per_line: bool) -> TokenizedFile:
    """Write one file's tokens and borders into a folder in `draft`; borders count from the file's beginning."""
    tokenizer = BertTokenizer.from_pretrained(draft)
    folder = draft / f"file-{number}"
    folder.mkdir()
    sentence_ends, document_ends = list[int](), list[int]()
    tokens = characters = 0
    stream = read_documents(source, one_sentence_per_line)
    with (folder / "tokens.bin").open("wb") as file:
        while batch := list(islice(stream, SENTENCES_AT_A_TIME)):
            encoded = tokenizer([text or "" for text in batch], add_special_tokens=False, verbose=False)
            for text, ids in zip(batch, encoded["input_ids"], strict=True):
                characters += len(text or "")
                if ids:
                    file.write(np.array(ids, dtype=dtype).tobytes())
                    tokens += len(ids)
                    sentence_ends.append(tokens)
                if text is None and len(sentence_ends) > (document_ends[-1] if document_ends else 0):
                    document_ends.append(len(sentence_ends))
    np.array(sentence_ends, dtype="<i8").tofile(folder / "sentences.bin")
    np.array(document_ends, dtype="<i8").tofile(folder / "documents.bin")
    counts = {"tokens": tokens, "sentences": len(sentence_ends), "documents": len(document_ends)}
    return TokenizedFile(source, folder, sha256=_sha256(source), characters=characters, **counts)


def _join(files: list[TokenizedFile], folder: Path) -> dict[str, int]:
    """Put tokenized files behind one another in `folder`, and remove them. Returns how much there is."""
    folder.mkdir()
    totals = {"files": len(files), "tokens": 0, "sentences": 0, "documents": 0}
    counted = {"sentences": "tokens", "documents": "sentences"}  # the borders of which are counted in which
    with ExitStack() as stack:
        joined = {name: stack.enter_context((folder / f"{name}.bin").open("wb")) for name in ("tokens", *counted)}
        for borders in counted:
            joined[borders].write(np.zeros(1, dtype="<i8").tobytes())
        for each in files:
            with (each.folder / "tokens.bin").open("rb") as file:
                shutil.copyfileobj(file, joined["tokens"], COPIED_AT_A_TIME)
            for borders, of in counted.items():
                ends = np.fromfile(each.folder / f"{borders}.bin", dtype="<i8")
                joined[borders].write((ends + totals[of]).tobytes())
            for name in joined:
                totals[name] += getattr(each, name)
            shutil.rmtree(each.folder)
    return totals


def unigram_entropy(path: Path, dtype: str) -> float:
    """H = −Σ p log p over the words of a token file, in nats: the loss of a model that only counts words."""
    counts = np.zeros(0, dtype=np.int64)
    with path.open("rb") as file:
        while block := file.read(COPIED_AT_A_TIME):
            found = np.bincount(np.frombuffer(block, dtype=dtype))
            size = max(len(counts), len(found))
            counts = np.pad(counts, (0, size - len(counts))) + np.pad(found, (0, size - len(found)))
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(COPIED_AT_A_TIME):
            digest.update(block)
    return digest.hexdigest()
