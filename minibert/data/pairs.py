"""Segment pairs for next-sentence prediction, as in the paper.

    a stretch of text     … at all. [ It rained. │ We stayed in. He read, ] and she …      next: A │ B
    and one elsewhere     … the dog [ barked. │ Nobody was there. Then the ] wind …        not: A │ B of the other, or A of the other │ B

A row shows a stretch of its document, cut in two where a sentence ends, so that B truly follows A; one sentence that fills it is cut
anywhere. Half of the time the shorter part is replaced by the same part of a stretch elsewhere. Both kinds of pairs are made of the same
pieces, so neither lengths nor ends give the answer away; each row shows half of its stretch or more, so a few passes show all tokens.

Source: Devlin et al. 2019, appendix A.2; `docs/pretraining.md` says how Google's `create_pretraining_data.py` differs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .corpus import Corpus

SHORT = 0.1  # the share of shorter examples, for fine-tuning will bring short texts too
NEARBY = 8  # a stretch of n tokens begins with the next sentence if that is at most n/8 tokens away
NEARLY_ALL = 0.9  # of the corpus: if a document is more, there are too few others to be a surprise
TRIES = 32  # other stretches, until one has a sentence that ends where it is needed


@dataclass(frozen=True)
class Pair:
    """Two segments of token ids; `second` is None for a text without a partner."""

    first: NDArray[Any]
    second: NDArray[Any] | None
    is_next: bool


def draw_span(corpus: Corpus, token: int, max_tokens: int) -> Pair:
    """`max_tokens` tokens from `token` on, within its document, without a partner."""
    begin, end = corpus.document_around(token)
    start = max(begin, min(token, end - max_tokens))
    return Pair(corpus.tokens[start : min(start + max_tokens, end)], None, True)


def draw_pair(corpus: Corpus, token: int, max_tokens: int, noise: np.random.Generator) -> Pair:
    """A pair of at most `max_tokens` tokens, 2 or more, from the stretch at `token`. Raises ValueError for a corpus of one token."""
    tokens = corpus.tokens
    if len(tokens) < 2:
        raise ValueError("This corpus has fewer than 2 tokens: no pair can be made of it. Prepare more text.")
    if noise.random() < SHORT:
        max_tokens = int(noise.integers(2, max_tokens + 1))
    is_next = bool(noise.random() < 0.5)
    document = corpus.document_around(token)
    begin, end = _stretch(corpus, document, token, max_tokens=max_tokens)
    borders = corpus.borders(begin + 1, end)
    cuts = borders if len(borders) else range(begin + 1, max(end, begin + 2))
    cut = int(cuts[noise.integers(len(cuts))])
    if is_next and cut < end:
        return Pair(tokens[begin:cut], tokens[cut:end], True)

    # Elsewhere is another document; in a corpus of one, what neither belongs to this stretch nor soon follows it.
    is_most = document[1] - document[0] > NEARLY_ALL * len(tokens)
    apart = (begin, min(end + max_tokens, document[1])) if is_most else document
    if apart == (0, len(tokens)):
        return Pair(tokens[cut:end], tokens[begin:cut], False)  # nothing is elsewhere: the two in the wrong order
    first_stays = cut - begin >= end - cut
    size = apart[1] - apart[0]
    for _ in range(TRIES):
        place = int(noise.integers(len(tokens) - size))
        place += size * (place >= apart[0])
        low, limit = corpus.document_around(place)
        low, limit = (low, min(limit, apart[0])) if place < apart[0] else (max(low, apart[1]), limit)
        place -= (place - low) % max_tokens  # as often at a document's beginning as the rows' own stretches are
        start, stop = _stretch(corpus, (low, limit), place, max_tokens=max_tokens)
        least, most = (start, stop - 1) if first_stays else (start + 1, stop)
        other_cut = min(max(start + cut - begin, least), most)
        ends = corpus.borders(least, other_cut + 1)  # where a sentence ends, up to where the stretch is to be cut
        if len(ends) or not len(borders):
            break
    if len(borders) and len(ends):
        other_cut = int(ends[-1])
    if not first_stays:
        return Pair(tokens[start:other_cut], tokens[cut : apart[1]][: max_tokens - (other_cut - start)], False)
    ends = corpus.borders(other_cut + 1, limit + 1)
    if end - begin < max_tokens and len(ends):  # a short document: no more sentences than B would have had
        limit = int(ends[max(0, int(np.searchsorted(ends, other_cut + end - cut, side="right")) - 1)])
    return Pair(tokens[begin:cut], tokens[other_cut:limit][: max_tokens - (cut - begin)], False)


def _stretch(corpus: Corpus, bounds: tuple[int, int], token: int, max_tokens: int) -> tuple[int, int]:
    """Where a stretch of `max_tokens` tokens from about `token` on begins and ends, within bounds."""
    low, high = bounds
    begin = max(low, min(token, high - max_tokens))
    borders = corpus.borders(begin, min(begin + max_tokens // NEARBY + 1, high))
    begin = int(borders[0]) if len(borders) else begin
    return begin, min(begin + max_tokens, high)
