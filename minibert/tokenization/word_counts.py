"""Count the words of text files, as BERT's basic tokenizer splits them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from .basic import BasicTokenizer
from .characters import lower_each

READ = 1 << 24  # characters of a file held at a time


def count_words(files: Iterable[str | os.PathLike[str]], basic: BasicTokenizer) -> Counter[str]:
    """How often each word occurs in UTF-8 text files, in the order of first appearance.

    Words that only differ before cleaning (`Hello,` and `"hello`) are split once each, however often they occur.
    Raises ValueError naming the file that is missing or is not UTF-8.
    """
    chunks: Counter[str] = Counter()
    for file in files:
        for text in _blocks(Path(file)):
            chunks.update(text.split(" "))
    words: Counter[str] = Counter()
    for chunk, count in chunks.items():
        for word in basic.tokenize(lower_each(chunk) if basic.do_lower_case else chunk):
            words[word] += count
    return words


def _blocks(path: Path) -> Iterator[str]:
    """A file's text in blocks that end between words, so that a file of any size fits."""
    if not path.is_file():
        raise ValueError(f"There is no text file at '{path}'.")
    rest = ""
    try:
        with path.open(encoding="utf-8") as file:
            while block := file.read(READ):
                head, _, rest = (rest + block).replace("\n", " ").rpartition(" ")
                yield head
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
    yield rest
