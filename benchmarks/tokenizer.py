"""How fast text becomes ids: minibert against the installed transformers, and simple-bert-pytorch if it is there.

    python benchmarks/tokenizer.py NOVEL.txt … [--vocab FOLDER] [--rounds 5]

Each text is split into paragraphs (its non-empty lines) and encoded in one batch call, `tokenizer(paragraphs)`, by each
library in turn, several rounds; the best round of each counts, as it is the least disturbed. "first" is minibert with
nothing remembered: a fresh tokenizer's first call. transformers uses its own threads, minibert one.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Encode = Callable[[list[str]], Any]


def contenders(folder: Path) -> dict[str, Callable[[], Encode]]:
    """Name → what makes a tokenizer of that library over the same vocabulary."""
    from minibert.tokenization import BertTokenizer

    logging.disable(logging.WARNING)
    makers: dict[str, Callable[[], Encode]] = {"minibert": lambda: BertTokenizer.from_pretrained(folder)}
    if importlib.util.find_spec("transformers"):
        import transformers
        from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

        makers["transformers, Rust"] = lambda: transformers.BertTokenizer.from_pretrained(folder)
        makers["transformers, Python"] = lambda: BertTokenizerLegacy(str(folder / "vocab.txt"))
    if importlib.util.find_spec("simple_bert_pytorch"):
        from simple_bert_pytorch.tokenizer import Tokenizer

        pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
        makers["simple-bert-pytorch"] = lambda: Tokenizer({piece: index for index, piece in enumerate(pieces)})
    return makers


def seconds(encode: Encode, paragraphs: list[str]) -> float:
    """Time of one call, with no garbage of others' left to collect."""
    gc.collect()
    start = time.perf_counter()
    encoded = encode(paragraphs)
    taken = time.perf_counter() - start
    del encoded
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--vocab", type=Path, default=ROOT / "weights" / "novels-4l-256h")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    makers = contenders(options.vocab)
    for path in options.texts:
        paragraphs = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        size = sum(map(len, paragraphs)) / 1e6
        encoders = {name: make() for name, make in makers.items()}
        best: dict[str, float] = {}
        for _ in range(options.rounds):
            encoders["minibert, first"] = makers["minibert"]()
            for name, encode in encoders.items():
                taken = seconds(encode, paragraphs)
                best[name] = min(taken, best.get(name, taken))
        ours = encoders["minibert"](paragraphs)["input_ids"]
        print(f"\n{path.name}: {len(paragraphs):,} paragraphs, {size:.2f} M characters")
        for name, taken in sorted(best.items(), key=lambda item: item[1]):
            theirs = encoders[name](paragraphs)["input_ids"]
            print(
                f"  {name:24} {size / taken:7.2f} M characters/s   minibert is {taken / best['minibert']:5.2f} times as fast"
                f"   {sum(map(list.__ne__, ours, theirs))} paragraphs differ"
            )


if __name__ == "__main__":
    main()
