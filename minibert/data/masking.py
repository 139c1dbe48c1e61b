"""Hide words for the model to predict.

15% of a text's tokens are chosen. Of these, 80% become [MASK], 10% a random word, and 10% stay: since any word it sees may be
wrong, the model keeps a good idea of every word, hidden or not. Labels are −100 everywhere else, the index that
`cross_entropy` leaves out.

Source: Devlin et al. 2019, §3.1 and appendix C.2; whole words: Google's BERT, May 2019.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.checks import IGNORED

CHOSEN, BECOME_MASK, BECOME_RANDOM = 0.15, 0.8, 0.1


@dataclass(frozen=True)
class Vocabulary:
    """What masking needs to know of a tokenizer.

    special: (vocab,) bool, the tokens that are never hidden and never replace a word: [CLS], [SEP], [PAD], [UNK], [MASK].
    continues: (vocab,) bool, whether a piece continues the word of the piece before it (##).
    ordinary: the ids of all tokens that are not special.
    """

    mask_id: int
    special: NDArray[np.bool_]
    continues: NDArray[np.bool_]
    ordinary: NDArray[np.int64]

    @classmethod
    def of(cls, tokenizer: Any) -> "Vocabulary":
        """Read it off a `BertTokenizer`."""
        pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        special = np.isin(np.arange(len(pieces)), tokenizer.all_special_ids)
        continues = np.array([str(piece).startswith("##") for piece in pieces])
        return cls(tokenizer.mask_token_id, special, continues, ordinary=np.flatnonzero(~special))


def mask(
    ids: NDArray[np.int64], vocabulary: Vocabulary, noise: np.random.Generator, whole_words: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(seq,) ids of a text with its [CLS] and [SEP] → (seq,) ids to read and labels to predict."""
    candidates = np.flatnonzero(~vocabulary.special[ids])
    number = max(1, round(CHOSEN * len(candidates))) if len(candidates) else 0
    if whole_words:
        begins = ~vocabulary.continues[ids[candidates]] | (np.diff(candidates, prepend=-2) > 1)
        chosen = choose_whole_words(np.split(candidates, np.flatnonzero(begins)[1:]), number, noise)
    else:
        chosen = noise.permutation(candidates)[:number]
    labels = np.full_like(ids, IGNORED)
    labels[chosen] = ids[chosen]
    fate = noise.random(len(chosen))
    read = ids.copy()
    read[chosen[fate < BECOME_MASK]] = vocabulary.mask_id
    random = chosen[(fate >= BECOME_MASK) & (fate < BECOME_MASK + BECOME_RANDOM)]
    read[random] = noise.choice(vocabulary.ordinary, size=len(random))
    return read, labels


def choose_whole_words(words: list[NDArray[np.int64]], number: int, noise: np.random.Generator) -> NDArray[np.int64]:
    """At most `number` positions: whole words in random order. Where even one word has more, the shortest is hidden all the same."""
    chosen: list[int] = []
    for i in noise.permutation(len(words)).tolist():
        if len(chosen) + len(words[i]) <= number:
            chosen += words[i].tolist()
    return np.array(chosen, dtype=np.int64) if chosen else min(words, key=len)
