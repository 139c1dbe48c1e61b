"""Learn a WordPiece vocabulary from text.

Begin with single characters; then join, again and again, the two neighbouring pieces whose union makes the text most
likely. Text is taken to be drawn piece by piece, each with its relative frequency n/N, so that

    log-likelihood  L = Σ_pieces n log n − N log N                 n: occurrences of a piece, N: of all pieces

and joining a and b, which stand side by side n_ab times, changes L by

    ΔL = f(n_a − n_ab) + f(n_b − n_ab) + f(n_ab) − f(n_a) − f(n_b) + f(N) − f(N − n_ab)          f(x) = x log x

Source: Schuster & Nakajima 2012, section 3, which Wu et al. 2016 and BERT took over. No reference class: the code that made BERT's
vocabularies is not public, and `tokenizers.trainers.WordPieceTrainer` joins the most frequent pair instead.
"""

import heapq
import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from .words import BasicTokenizer, lower_each

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LONGEST_WORD = 100  # characters: a tokenizer makes a longer one [UNK]
LETTERS = 1000  # different characters that pieces are made of, unless the caller says otherwise
READ = 1 << 24  # characters of a file held at a time
Pair = tuple[str, str]


def train_wordpiece(
    files: Iterable[str | os.PathLike[str]],
    size: int,
    *,
    do_lower_case: bool = True,
    strip_accents: bool | None = None,
    tokenize_chinese_chars: bool = True,
    **learning: Any,
) -> list[str]:
    """A vocabulary of at most `size` pieces, in the order of their ids: special tokens, characters, joined pieces.

    files: UTF-8 text. do_lower_case, strip_accents, tokenize_chinese_chars: as the tokenizer will be used.
    learning: the arguments of `learn_pieces`.

    The same text gives the same vocabulary on every machine. Raises ValueError when a file is missing or not UTF-8, the
    text holds no words, or its characters alone exceed `size`.
    """
    chunks: Counter[str] = Counter()  # what stands between spaces: `Hello,` and `"hello` are split once each
    for file in files:
        for block in _blocks(Path(file)):
            chunks.update(block.split(" "))
    basic = BasicTokenizer(do_lower_case, tokenize_chinese_chars=tokenize_chinese_chars, strip_accents=strip_accents)
    words: Counter[str] = Counter()
    for chunk, count in chunks.items():
        for word in basic.tokenize(lower_each(chunk) if do_lower_case else chunk):
            if len(word) <= LONGEST_WORD:  # a longer one is [UNK], whatever the vocabulary
                words[word] += count
    return learn_pieces(words, size, **learning)


def _blocks(path: Path) -> Iterator[str]:
    """A file's text in blocks that end between words, so that a file of any size fits."""
    if not path.is_file():
        raise ValueError(f"There is no {'regular ' * path.is_fifo()}text file at '{path}'.")
    rest = ""
    try:
        with path.open(encoding="utf-8") as file:
            while block := file.read(READ):
                head, _, rest = (rest + block).replace("\n", " ").rpartition(" ")
                yield head
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
    yield rest


def learn_pieces(
    word_counts: Counter[str],
    size: int,
    special_tokens: Sequence[str] = SPECIAL_TOKENS,
    alphabet_limit: int | None = None,
    min_frequency: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """`train_wordpiece` from words that are counted already.

    size: pieces in all, special tokens and characters included.
    alphabet_limit: how many different characters are kept, the most frequent; words with others become `[UNK]`. None: 1,000,
        and as many more as fit of those that are always a word of their own, as Chinese characters are.
    min_frequency: pieces that would stand side by side less often are not joined.
    progress: called with (pieces so far, size) after each one.
    """
    characters: Counter[str] = Counter()
    for word, count in word_counts.items():
        for char in word:
            characters[char] += count
    if not characters:
        raise ValueError("There is nothing to learn from: the text holds no words.")
    frequent_first = sorted(characters, key=lambda char: (-characters[char], char))
    kept = set(frequent_first[: LETTERS if alphabet_limit is None else alphabet_limit])
    if alphabet_limit is None:
        spelled = set().union(*(word for word in word_counts if len(word) > 1))
        alone = [char for char in frequent_first[LETTERS:] if char not in spelled and characters[char] >= min_frequency]
        inside = kept & spelled  # which may become two pieces, "a" and "##a"
        kept.update(alone[: max(0, size - len(special_tokens) - len(kept) - len(inside))])
    pieces = Pieces({word: count for word, count in word_counts.items() if kept.issuperset(word)})
    vocab = dict.fromkeys([*special_tokens, *sorted(pieces.counts)])
    if len(vocab) > size:
        lower = "" if alphabet_limit is None else f", or lower alphabet_limit={alphabet_limit}"
        needed = f"{len(vocab)} pieces are needed for special tokens and single characters alone, more than size={size}"
        raise ValueError(f"{needed}. Raise size{lower}.")
    while len(vocab) < size and (pair := pieces.best_pair(min_frequency)):
        vocab[pieces.join(pair)] = None
        if progress:
            progress(len(vocab), size)
    return list(vocab)


class Pieces:
    """Words cut into pieces, and what joining two neighbours anywhere would gain.

    words: the pieces of each different word. times: how often each word occurs.
    counts: piece → occurrences (n). total: of all pieces (N). pairs: (left, right) → occurrences side by side (n_ab).
    """

    def __init__(self, word_counts: dict[str, int]):
        self.words = [[word[0], *(f"##{char}" for char in word[1:])] for word in word_counts]
        self.times = list(word_counts.values())
        self.total = 0
        self.counts: Counter[str] = Counter()
        self.pairs: Counter[Pair] = Counter()
        self.holders: defaultdict[Pair, set[int]] = defaultdict(set)  # words a pair is in, or was
        self.partners: defaultdict[str, set[Pair]] = defaultdict(set)  # pairs a piece is in
        # Highest gain first, ties by text. Entries are not removed when a gain changes: they are outdated, and skipped.
        self.gains: dict[Pair, float] = {}
        self.heap: list[tuple[float, Pair]] = []
        for index, count in enumerate(self.times):
            self._count(index, count)
        self._rank(set(self.pairs))

    def best_pair(self, min_frequency: int) -> Pair | None:
        """The pair whose joining makes the text most likely; None when no pair is left that is frequent enough."""
        while self.heap:
            negative_gain, pair = heapq.heappop(self.heap)
            if self.gains.get(pair) == -negative_gain and self.pairs[pair] >= min_frequency:
                return pair
        return None

    def join(self, pair: Pair) -> str:
        """Join `pair` wherever it stands. Returns the piece it becomes."""
        left, right = pair
        joined = left + right.removeprefix("##")
        for index in self.holders.pop(pair):
            word = self.words[index]
            self._count(index, -self.times[index])
            start = 0
            while start < len(word) - 1:
                if word[start : start + 2] == [left, right]:
                    word[start : start + 2] = [joined]
                start += 1
            self._count(index, self.times[index])
        self._rank(self.partners[left] | self.partners[right] | self.partners[joined])
        return joined

    def _count(self, index: int, count: int) -> None:
        """Count the pieces and pairs of a word `count` times more; a negative count takes them back."""
        word = self.words[index]
        self.total += count * len(word)
        for piece in word:
            self.counts[piece] += count
        for pair in pairwise(word):
            if pair not in self.pairs:
                for piece in pair:
                    self.partners[piece].add(pair)
            self.pairs[pair] += count
            self.holders[pair].add(index)

    def _rank(self, pairs: set[Pair]) -> None:
        for pair in pairs:
            if not self.pairs[pair]:  # joined everywhere
                for known in (self.pairs, self.gains, self.holders):
                    known.pop(pair, None)
                for piece in pair:
                    self.partners[piece].discard(pair)
            elif self.gains.get(pair) != (gain := self._gain(pair)):
                self.gains[pair] = gain
                heapq.heappush(self.heap, (-gain, pair))

    def _gain(self, pair: Pair) -> float:
        """ΔL of joining `pair`. A piece joined with itself is used up twice as fast."""
        left, right, both = self.counts[pair[0]], self.counts[pair[1]], self.pairs[pair]
        if pair[0] == pair[1]:
            change = _f(left - 2 * both) - _f(left)
        else:
            change = _f(left - both) + _f(right - both) - _f(left) - _f(right)
        return change + _f(both) + _f(self.total) - _f(self.total - both)


def _f(count: int) -> float:
    return count * math.log(count) if count > 0 else 0.0
