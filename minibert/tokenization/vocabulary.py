"""Vocabulary files: one piece a line, its id the line's number, counted from 0. Reference function: `load_vocab`."""

import logging
import os
from pathlib import Path

from ..checkpoints import write_text_atomically

logger = logging.getLogger(__name__)


def load_vocab(vocab_file: str | os.PathLike[str]) -> dict[str, int]:
    """Piece → id, in the order of the file.

    As in the reference: line ends may be LF, CRLF or CR, a blank line is the empty piece, and a piece that stands
    on two lines has the id of the last.

    Raises ValueError when the file is missing, is not UTF-8, or begins with a byte-order mark (the mark would silently
    become part of the first piece, usually `[PAD]`).
    """
    path = Path(vocab_file)
    if not path.is_file():
        raise ValueError(
            f"There is no vocabulary file at '{path}'. Give the path of a vocab.txt (one piece a line), or load a "
            "folder or a published model with BertTokenizer.from_pretrained(...)."
        )
    try:
        with path.open(encoding="utf-8") as lines:
            vocab = {line.rstrip("\n"): index for index, line in enumerate(lines)}
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The vocabulary file '{path}' is not UTF-8 (byte {error.object[error.start]:#04x}: {error.reason}). "
            "Save it again as UTF-8."
        ) from error
    if next(iter(vocab), "").startswith("\ufeff"):
        raise ValueError(
            f"The vocabulary file '{path}' begins with a byte-order mark, which would become part of its first piece. "
            "Save it again as UTF-8 without one."
        )
    return vocab


def save_vocab(vocab: dict[str, int], vocab_file: str | os.PathLike[str]) -> None:
    """Write pieces in the order of their ids, one a line. Warns when the ids leave gaps, which lines cannot show."""
    pieces = sorted(vocab, key=vocab.__getitem__)
    if [vocab[piece] for piece in pieces] != list(range(len(pieces))):
        logger.warning(
            "The ids of the vocabulary are not 0, 1, 2, … without a gap: read back from '%s', pieces will have other ids.",
            vocab_file,
        )
    write_text_atomically(Path(vocab_file), "".join(f"{piece}\n" for piece in pieces))
