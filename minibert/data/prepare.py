"""From text files to a corpus of token ids: what `minibert data prepare` does.

Each file is split into sentences and tokenized by one of several processes, as a stream; the tokenized files are then joined in the
order of their names. The folder appears under its name only when it is whole, with a manifest of what went in.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, nullcontext
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

SENTENCES_AT_A_TIME = 128  # of up to LONGEST_PARAGRAPH characters
COPIED_AT_A_TIME = 1 << 24  # bytes
COUNTED_AT_A_TIME = 1 << 22  # tokens


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
        sources = []
        # Fresh processes: a fork of one that has used threads may hang.
        alone = processes <= 1 or len(ordered) == 1
        with nullcontext() if alone else ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for number, found in enumerate((pool.map if pool else map)(convert, range(len(ordered)), ordered)):
                sources.append({**found, "part": HELD_OUT if is_held_out(number, held_out) else TRAIN})
                progress(ordered[number].stat().st_size)
        parts = {}
        for part in (TRAIN, HELD_OUT):
            pieces = [draft / f"file-{number}" for number, source in enumerate(sources) if source["part"] == part]
            parts[part] = _join(pieces, draft / part)
        if not parts[TRAIN]["tokens"]:
            raise ValueError("There are no words to train on: every file is empty, or held out (see --held-out).")
        manifest = {
            "format": "minibert-corpus-1",
            "dtype": dtype,
            "vocab_size": len(tokenizer),
            "vocab_sha256": _sha256(draft / "vocab.txt"),
            "one_sentence_per_line": one_sentence_per_line,
            "unigram_entropy": unigram_entropy(draft / TRAIN / "tokens.bin", dtype),
            "parts": parts,
            "sources": sources,
        }
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def is_held_out(number: int, every: int) -> bool:
    """Whether the file of this number, from 0 in sorted order, is kept for evaluation. every: 0 keeps none."""
    return every > 0 and number % every == 0


def tokenize_file(number: int, source: Path, draft: Path, dtype: str, one_sentence_per_line: bool) -> dict[str, Any]:
    """Write one file's tokens and borders, counted from its beginning, to `draft/file-number`. Returns the manifest's words on it."""
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
    return {"name": source.name, "sha256": _sha256(source), "characters": characters, "tokens": tokens}


def _join(pieces: list[Path], folder: Path) -> dict[str, int]:
    """Put tokenized files behind one another in `folder`, and remove them. Returns how much there is."""
    folder.mkdir()
    totals = {"files": len(pieces), "tokens": 0, "sentences": 0, "documents": 0}
    with ExitStack() as stack:
        joined = {name: stack.enter_context((folder / f"{name}.bin").open("wb")) for name in list(totals)[1:]}
        joined["sentences"].write(bytes(8))  # the first border is 0
        joined["documents"].write(bytes(8))
        for piece in pieces:
            with (piece / "tokens.bin").open("rb") as file:
                shutil.copyfileobj(file, joined["tokens"], COPIED_AT_A_TIME)
            sentences, documents = (np.fromfile(piece / f"{name}.bin", "<i8") for name in ("sentences", "documents"))
            joined["sentences"].write((sentences + totals["tokens"]).tobytes())
            joined["documents"].write((documents + totals["sentences"]).tobytes())
            totals["tokens"] += int(sentences.max(initial=0))  # the last border
            totals["sentences"] += len(sentences)
            totals["documents"] += len(documents)
            shutil.rmtree(piece)
    return totals


def unigram_entropy(path: Path, dtype: str) -> float:
    """H = −Σ p log p over the words of a token file, in nats: the loss of a model that only counts words."""
    tokens = np.memmap(path, dtype, mode="r")
    counts = np.zeros(int(tokens.max()) + 1, dtype=np.int64)
    for start in range(0, len(tokens), COUNTED_AT_A_TIME):
        counts += np.bincount(tokens[start : start + COUNTED_AT_A_TIME], minlength=len(counts))
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(COPIED_AT_A_TIME):
            digest.update(block)
    return digest.hexdigest()
