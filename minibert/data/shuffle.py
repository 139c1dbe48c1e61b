"""A shuffled order without a list: where index i goes is computed, so that any step of a run can be asked for its place.

A Feistel network maps pairs of half-numbers (left, right) → (right, left ⊕ f(right)). Whatever f is, that can be undone, so it is
a permutation of the numbers below 2²ᵏ. Those that land beyond `size` are sent through again until they do not ("cycle walking").
Source: Luby & Rackoff 1988; Black & Rogaway 2002.
"""

from __future__ import annotations

ROUNDS = 4
_MIX = 0x9E3779B97F4A7C15  # 2⁶⁴ / golden ratio: spreads neighbours far apart
_MASK = (1 << 64) - 1


def shuffled(index: int, size: int, key: int) -> int:
    """Where `index` stands in the shuffled order of 0 … size − 1 that belongs to `key`."""
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    low = (1 << half) - 1
    while True:
        left, right = index >> half, index & low
        for turn in range(ROUNDS):
            left, right = right, left ^ (_hash(right, key + turn) & low)
        index = left << half | right
        if index < size:
            return index


def _hash(value: int, key: int) -> int:
    """64 well-mixed bits of two numbers (the finalizer of SplitMix64). Source: Steele, Lea & Flood 2014."""
    z = (value + key * _MIX + _MIX) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
