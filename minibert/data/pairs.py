"""Segment pairs for next-sentence prediction, as in the paper.

A is a run of whole sentences. B is, half of the time, the sentences that follow it; otherwise sentences from a random position in
another document. Together they fill the positions of a row, then are cut: the longer one loses tokens, at random from its beginning
or its end, so that neither end is always whole.

Source: Devlin et al. 2019, appendix A.2, and Google's `create_pretraining_data.py`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .corpus import Corpus

SHORT = 0.1  # the share of shorter examples, for fine-tuning will bring short texts too
TRIES = 10  # random sentences to try until one is from another document


@dataclass(frozen=True)
class Pair:
    """Two segments of token ids; `second` is None for a text without a partner."""

    first: NDArray[Any]
    second: NDArray[Any] | None
    is_next: bool


def draw_span(corpus: Corpus, token: int, max_tokens: int) -> Pair:
    """`max_tokens` tokens from `token` on, within its document, without a partner."""
    document = corpus.document_of(corpus.sentence_at(token))
    begin = int(corpus.sentences[corpus.documents[document]])
    end = int(corpus.sentences[corpus.documents[document + 1]])
    start = max(begin, min(token, end - max_tokens))
    return Pair(corpus.tokens[start : min(start + max_tokens, end)], None, True)


def draw_pair(corpus: Corpus, token: int, max_tokens: int, noise: np.random.Generator) -> Pair:
    """A pair of at most `max_tokens` tokens whose first segment begins with the sentence around `token`.

    A document that is a single sentence is its own successor: it is cut in two.
    """
    if noise.random() < SHORT:
        max_tokens = int(noise.integers(2, max_tokens + 1))
    is_next = bool(noise.random() < 0.5)
    sentence = corpus.sentence_at(token)
    document = corpus.document_of(sentence)
    begin, end = (int(corpus.documents[document + i]) for i in (0, 1))
    if is_next and end - begin > 1:
        sentence = min(sentence, end - 2)  # the last sentence of a document has no successor
    stop = _fill(corpus, sentence, end, max_tokens=max_tokens)
    if is_next and stop - sentence == 1 and stop < end:
        stop += 1
    cut = sentence + int(noise.integers(1, max(2, stop - sentence)))
    first = corpus.span(sentence, cut)
    if not is_next:
        second = _from_elsewhere(corpus, document, max_tokens - len(first), noise=noise)
    elif cut < stop:
        second = corpus.span(cut, stop)
    else:
        middle = int(noise.integers(1, max(2, len(first))))
        first, second = first[:middle], first[middle:]
    return Pair(*cut_to(first, second, max_tokens, noise=noise), is_next)


def _fill(corpus: Corpus, sentence: int, end: int, max_tokens: int) -> int:
    """The sentence before which a run from `sentence` stops: it holds `max_tokens` tokens, or the document ends at `end`."""
    wanted = int(corpus.sentences[sentence]) + max_tokens
    enough = int(np.searchsorted(corpus.sentences[sentence : end + 1], wanted, side="left")) + sentence
    return min(max(enough, sentence + 1), end)


def _from_elsewhere(corpus: Corpus, document: int, max_tokens: int, noise: np.random.Generator) -> NDArray[Any]:
    """Sentences from a random position, in another document wherever the corpus has one."""
    for _ in range(TRIES):
        sentence = corpus.sentence_at(int(noise.integers(len(corpus.tokens))))
        other = corpus.document_of(sentence)
        if other != document:
            break
    else:
        others = [i for i in (0, len(corpus.documents) - 2) if i != document]
        other = others[0] if others else document
        sentence = int(noise.integers(corpus.documents[other], corpus.documents[other + 1]))
    end = int(corpus.documents[other + 1])
    return corpus.span(sentence, _fill(corpus, sentence, end, max_tokens=max(max_tokens, 1)))


def cut_to(
    first: NDArray[Any], second: NDArray[Any], max_tokens: int, noise: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Cut two segments to `max_tokens` tokens together: always from the longer one, at random from the front or the back."""
    excess = len(first) + len(second) - max_tokens
    if excess <= 0:
        return first, second
    lengths = [len(first), len(second)]
    uneven = min(excess, abs(lengths[0] - lengths[1]))
    lengths[int(lengths[1] > lengths[0])] -= uneven
    both = excess - uneven  # from here on they take turns, the second first
    lengths = [lengths[0] - both // 2, lengths[1] - (both + 1) // 2]
    fronts = [int(noise.binomial(len(segment) - n, 0.5)) for segment, n in zip((first, second), lengths, strict=True)]
    return first[fronts[0] : fronts[0] + lengths[0]], second[fronts[1] : fronts[1] + lengths[1]]
