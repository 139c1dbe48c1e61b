"""From text files to a corpus of token ids: what `minibert data prepare` does.

Each file is split into sentences and tokenized by one of several processes, as a stream; the tokenized files are then joined in the
order of their names. The folder appears under its name only when it is whole, with a manifest of what went in.
"""

import hashlib
import json
import os
import shutil
from array import array
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checkpoints import CheckpointError
from ..checkpoints.changes import making
from ..tokenization import BertTokenizer
from .corpus import DTYPES, HELD_OUT, MANIFEST, TRAIN, Corpus, sha256
from .pretraining_batches import PretrainingBatches
from .sentences import read_documents

SENTENCES_AT_A_TIME = 128  # of up to LONGEST_PARAGRAPH characters
COUNTED_AT_A_TIME = 1 << 22  # tokens
SAMPLE, USUAL_LENGTH, PASSES = 1 << 18, 128, 3  # tokens that are measured; positions of a row; passes
ONE_DOCUMENT = "Of one document nothing can be held out: give several, in files of their own or a sentence a line (--lines), or say held_out=0."


def prepare(
    files: Sequence[Path],
    out: Path,
    tokenizer: BertTokenizer,
    *,
    held_out: int = 25,
    held_out_by: str | None = None,
    one_sentence_per_line: bool = False,
    processes: int = 1,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> dict[str, Any]:
    """Write the folder `out` and return its manifest.

    held_out: every so many files, or documents, in sorted order, beginning with the first, are kept for evaluation; 0 keeps none.
    held_out_by: "files" or "documents"; None for files, of a single one documents. What the training part has too is not held out:
    `copies` in the manifest counts such documents. progress: called with the size of each file that is done.
    Raises ValueError for files that are missing, without a word or not UTF-8, and where `out` exists or is being made, OSError where it cannot be written.
    """
    ordered = sorted({path.resolve() for path in files}, key=lambda path: (path.name, str(path)))
    if out.exists():
        raise ValueError(f"'{out}' exists already. Choose another folder, or remove it.")
    if not ordered:
        raise ValueError("There are no text files to prepare.")
    if missing := [path for path in ordered if not path.is_file()]:
        raise ValueError(f"There is no text file at '{missing[0]}'.")
    if held_out_by not in (None, "files", "documents"):
        raise ValueError(f"held_out_by is '{held_out_by}': it must be 'files' or 'documents'.")
    by = held_out_by or ("documents" if len(ordered) == 1 else "files")
    out.parent.mkdir(parents=True, exist_ok=True)
    with _alone(out) as draft:
        tokenizer.save_pretrained(draft)
        dtype = DTYPES[len(tokenizer) > 1 << 16]
        convert = partial(tokenize_file, draft=draft, dtype=dtype, one_sentence_per_line=one_sentence_per_line)
        sources = []
        alone = processes <= 1 or len(ordered) == 1
        with nullcontext() if alone else _workers(processes) as pool:
            for number, found in enumerate((pool.map if pool else map)(convert, range(len(ordered)), ordered)):
                sources.append(found)
                progress(ordered[number].stat().st_size)
        pieces = [draft / f"file-{number}" for number in range(len(ordered))]
        held, copies = choose_held_out([np.fromfile(piece / "hashes.bin", "<u8") for piece in pieces], held_out, by)
        wanted = {TRAIN: [~documents for documents in held], HELD_OUT: held}
        parts = {part: _join(pieces, wanted[part], draft / part, dtype=dtype) for part in wanted}
        for piece, source, documents in zip(pieces, sources, held, strict=True):
            source["part"] = TRAIN if not documents.any() else HELD_OUT if documents.all() else f"{TRAIN}, {HELD_OUT}"
            shutil.rmtree(piece)
        if not parts[TRAIN]["tokens"]:
            raise ValueError(f"There are no words to train on: every document is empty or held out. {ONE_DOCUMENT}")
        manifest = {
            "format": "minibert-corpus-1",
            "dtype": dtype,
            "vocab_size": len(tokenizer),
            "vocab_sha256": sha256(draft / "vocab.txt"),
            "one_sentence_per_line": one_sentence_per_line,
            "held_out_by": by,
            "copies": copies,
            "unigram_entropy": unigram_entropy(draft / TRAIN / "tokens.bin", dtype),
            "sample": measure(Corpus.open(draft / TRAIN, dtype), tokenizer),
            "parts": parts,
            "sources": sources,
        }
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


@contextmanager
def _alone(out: Path) -> Iterator[Path]:
    try:
        with making(out) as draft:
            yield draft
    except BlockingIOError as error:
        wrong = f"Another process is preparing '{out}'."
        raise ValueError(f"{wrong} Wait until it has ended, or choose another folder.") from error
    except CheckpointError:
        raise
    except OSError as error:
        raise OSError(f"'{out}' could not be prepared, and is not there ({error.strerror or error}).") from error


@contextmanager
def _workers(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes, since a fork of one that has used threads may hang. They end with this one, or with an error."""
    earlier = active_children()
    with ProcessPoolExecutor(processes, get_context("spawn"), _end_with_parent) as pool:
        try:
            yield pool
        except BaseException:
            for worker in {*active_children()} - {*earlier}:
                worker.terminate()
            raise


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for its next file for ever."""

    def wait() -> None:
        if parent := parent_process():
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def is_held_out(number: int, every: int) -> bool:
    """Whether the file or document of this number, from 0 in sorted order, is kept for evaluation. every: 0 keeps none."""
    return every > 0 and number % every == 0


def choose_held_out(hashes: list[NDArray[np.uint64]], every: int, by: str) -> tuple[list[NDArray[np.bool_]], int]:
    """Which documents of each file, given by their hashes, are held out; and how many are not, as the training part has the same."""
    sizes = [len(documents) for documents in hashes]
    numbers = np.repeat(np.arange(len(sizes)), sizes) if by == "files" else np.arange(sum(sizes))
    chosen = np.array([is_held_out(int(number), every) for number in numbers], dtype=bool)
    every_hash = np.concatenate(hashes)
    copies = chosen & np.isin(every_hash, every_hash[~chosen])
    return np.split(chosen & ~copies, np.cumsum(sizes)[:-1]), int(copies.sum())


def measure(corpus: Corpus, tokenizer: BertTokenizer) -> dict[str, Any]:
    """How much of the beginning of a corpus is [UNK], and how much of it the pairs of a few passes show: shares of its tokens."""
    sample = corpus.beginning(SAMPLE)
    shown = PretrainingBatches(sample, tokenizer, seed=0).share_shown(USUAL_LENGTH, PASSES)
    found = {"shown": shown, "unknown": float(np.mean(sample.tokens == tokenizer.unk_token_id))}
    return {"tokens": len(sample.tokens), "length": USUAL_LENGTH, "passes": PASSES, **found}


def tokenize_file(number: int, source: Path, draft: Path, dtype: str, one_sentence_per_line: bool) -> dict[str, Any]:
    """Write one file's tokens, lengths and hashes of documents to `draft/file-number`. Returns the manifest's words on it."""
    tokenizer = BertTokenizer.from_pretrained(draft)
    folder = draft / f"file-{number}"
    folder.mkdir()
    sentences, documents, hashes = array("q"), array("q"), bytearray()  # their sizes, in tokens and in sentences
    characters = before = 0
    content = hashlib.blake2b(digest_size=8)  # of the document's tokens
    stream = read_documents(source, one_sentence_per_line)
    with (folder / "tokens.bin").open("wb") as file:
        while batch := list(islice(stream, SENTENCES_AT_A_TIME)):
            encoded = tokenizer([text or "" for text in batch], add_special_tokens=False, verbose=False)
            for text, ids in zip(batch, encoded["input_ids"], strict=True):
                characters += len(text or "")
                if ids:
                    written = np.array(ids, dtype=dtype).tobytes()
                    file.write(written)
                    content.update(written)
                    sentences.append(len(ids))
                if text is None and len(sentences) > before:
                    documents.append(len(sentences) - before)
                    before = len(sentences)
                    hashes += content.digest()
                    content = hashlib.blake2b(digest_size=8)
    np.array(sentences, dtype="<i8").tofile(folder / "sentences.bin")
    np.array(documents, dtype="<i8").tofile(folder / "documents.bin")
    (folder / "hashes.bin").write_bytes(hashes)
    return {"name": source.name, "sha256": sha256(source), "characters": characters, "tokens": sum(sentences)}


def _join(pieces: list[Path], chosen: list[NDArray[np.bool_]], folder: Path, dtype: str) -> dict[str, int]:
    """Put the chosen documents of tokenized files behind one another in `folder`. Returns how much there is."""
    folder.mkdir()
    lengths, sizes = [np.zeros(1, dtype="<i8")], [np.zeros(1, dtype="<i8")]  # the first border is 0
    with (folder / "tokens.bin").open("wb") as file:
        for piece, wanted in zip(pieces, chosen, strict=True):
            length, size = (np.fromfile(piece / f"{name}.bin", "<i8") for name in ("sentences", "documents"))
            lengths.append(length[np.repeat(wanted, size)])
            sizes.append(size[wanted])
            borders = np.append(0, np.cumsum(length))[np.append(0, np.cumsum(size))]
            tokens = np.memmap(piece / "tokens.bin", dtype, "r") if len(size) else np.empty(0, dtype)
            for document in np.flatnonzero(wanted):
                tokens[borders[document] : borders[document + 1]].tofile(file)
    sentences, documents = np.cumsum(np.concatenate(lengths)), np.cumsum(np.concatenate(sizes))
    sentences.tofile(folder / "sentences.bin")
    documents.tofile(folder / "documents.bin")
    files = sum(wanted.any() or (not len(wanted) and folder.name == TRAIN) for wanted in chosen)  # empty: to train on
    totals = {"files": files, "tokens": sentences[-1], "sentences": len(sentences) - 1, "documents": len(documents) - 1}
    return {name: int(number) for name, number in totals.items()}


def unigram_entropy(path: Path, dtype: str) -> float:
    """H = −Σ p log p over the words of a token file, in nats: the loss of a model that only counts words."""
    tokens = np.memmap(path, dtype, mode="r")
    counts = np.zeros(int(tokens.max()) + 1, dtype=np.int64)
    for start in range(0, len(tokens), COUNTED_AT_A_TIME):
        counts += np.bincount(tokens[start : start + COUNTED_AT_A_TIME], minlength=len(counts))
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
