"""Record what sentence-transformers makes of all-MiniLM-L6-v2: python tests/parity/real/record_sentence_vectors.py

Its package is asked for here and by the live comparisons alone; the suite compares with sentence_vectors.json, which this writes.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from trained import MINILM, SENTENCES

FILE = Path(__file__).parent / "sentence_vectors.json"
TEXTS = [
    *SENTENCES,
    "",
    "  spaces \t and\nlines  ",
    "他走了。你呢？",
    "a [MASK] in the text, and [SEP] too",
    "supercalifragilistic" * 6,
    "It was the best of times, it was the worst of times, " * 40,  # longer than max_seq_length
]
MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
SHOWN = 24  # numbers of each vector that are recorded beside the default's, of which all are


def theirs(*modes: str) -> Any:
    """The published model with other modes, of which the last module, Normalize, is left out."""
    body = Transformer(str(MINILM), max_seq_length=256)
    return SentenceTransformer(modules=[body, Pooling(384, pooling_mode=modes)], device="cpu")


def main() -> None:
    version = importlib.metadata.version("sentence-transformers")
    published = SentenceTransformer(str(MINILM), device="cpu").encode(TEXTS, batch_size=4)
    modes = {mode: theirs(mode).encode(TEXTS, batch_size=4)[:, :SHOWN] for mode in MODES}
    rounded = {mode: [[round(float(x), 7) for x in row] for row in rows] for mode, rows in modes.items()}
    vectors = [[round(float(x), 7) for x in row] for row in published]
    found = {"sentence-transformers": version, "texts": TEXTS, "published": vectors, "modes": rounded}
    FILE.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
