"""What counting alone knows of a hidden word, to stand beside a model's loss: python -m scripts.neighbour_models CORPUS

CORPUS is a folder of `minibert data prepare`. Words are counted in its training part, and each word of its held-out part is guessed
from none, one or both of the words beside it. The guesses are mixtures of relative frequencies (Jelinek & Mercer 1980),

    p(w | l, r) = λ₀/V + λ₁ f(w) + λ₂ f(w | l) + λ₃ f(w | r) + λ₄ f(w | l, r)

whose weights λ go by how often (l, r) was seen, and are fitted by expectation maximisation to every tenth held-out document; the
figures, nats a word, are of the others.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minibert.data.corpus import HELD_OUT, TRAIN, Corpus, PreparedData

FITTED_EVERY = 10  # documents
ROUNDS = 30
SEEN = np.array([1, 2, 4, 8, 16, 64])  # where the classes of how often (l, r) was seen begin
Ints = NDArray[np.int64]


def neighbours(corpus: Corpus, size: int) -> tuple[Ints, Ints, Ints]:
    """Each word with the words on its left and right; beyond a document's ends stands the number `size`."""
    words = np.asarray(corpus.tokens, dtype=np.int64)
    left, right = np.roll(words, 1), np.roll(words, -1)
    first = np.asarray(corpus.sentences)[np.asarray(corpus.documents)]  # where each document begins, and the end
    left[first[:-1]], right[first[1:] - 1] = size, size
    return left, words, right


class Counts:
    """How often each number occurs among many."""

    def __init__(self, numbers: Ints):
        self.numbers, self.times = np.unique(numbers, return_counts=True)

    def of(self, numbers: Ints) -> Ints:
        """How often each of these numbers was counted."""
        places = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        return np.where(self.numbers[places] == numbers, self.times[places], 0)


def frequencies(train: Corpus, held_out: Corpus, size: int) -> tuple[NDArray[np.float64], Ints]:
    """(5, words): the five frequencies of each held-out word, and how often the pair around it was seen."""
    base = size + 1
    seen, asked = neighbours(train, size), neighbours(held_out, size)

    def together(*which: int) -> tuple[Ints, Ints]:
        code_seen = code_asked = np.zeros((), dtype=np.int64)
        for number in which:
            code_seen, code_asked = code_seen * base + seen[number], code_asked * base + asked[number]
        return code_seen, code_asked

    def counted(*which: int) -> Ints:
        code_seen, code_asked = together(*which)
        return Counts(code_seen).of(code_asked)

    word, pair = counted(1), counted(0, 2)
    rows = [
        np.full(len(word), 1 / size),
        word / len(seen[1]),
        counted(0, 1) / np.maximum(counted(0), 1),
        counted(1, 2) / np.maximum(counted(2), 1),
        counted(0, 1, 2) / np.maximum(pair, 1),
    ]
    return np.stack(rows), pair


def mixed(fit: NDArray[np.float64], scored: NDArray[np.float64]) -> NDArray[np.float64]:
    """(words,): the mixture that makes `fit` most likely, at `scored`. Both (frequencies, words)."""
    weights = np.full(len(fit), 1 / len(fit))
    for _ in range(ROUNDS):
        shares = weights[:, None] * fit
        weights = (shares / shares.sum(0)).mean(1)
    return np.asarray(weights @ scored)


def losses(train: Corpus, held_out: Corpus, size: int) -> dict[str, float]:
    """Nats a held-out word, by what of its neighbours is known."""
    found, pair = frequencies(train, held_out, size)
    starts = np.asarray(held_out.sentences)[np.asarray(held_out.documents)]
    document = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    fitted = document % FITTED_EVERY == 0
    kind = np.searchsorted(SEEN, pair, side="right")
    result = {}
    for name, rows in {"no neighbour": [0, 1], "the left one": [0, 1, 2], "both": [0, 1, 2, 3, 4]}.items():
        total = 0.0
        for number in range(len(SEEN) + 1) if name == "both" else [None]:
            here = np.ones_like(fitted) if number is None else kind == number
            fit = here & fitted if (here & fitted).any() else fitted
            total -= np.log(mixed(found[rows][:, fit], found[rows][:, here & ~fitted])).sum()
        result[name] = total / (~fitted).sum()
    return result


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(str(__doc__))
    data = PreparedData.open(Path(sys.argv[1]))
    for known, nats in losses(data.corpus(TRAIN), data.corpus(HELD_OUT), data.manifest["vocab_size"]).items():
        print(f"{known:<14} {nats:.3f} nats a word")
