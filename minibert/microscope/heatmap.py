"""A matrix of attention drawn with letters, for any terminal, in black and white.

Rows are the pieces that look, columns those looked at; a cell's shade is the weight: blank below 5%, then ░ ▒ ▓ █.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..terminal import display_width, pad

SHADES = ((0.05, " "), (0.2, "░"), (0.4, "▒"), (0.7, "▓"), (float("inf"), "█"))
"""Each shade with the weight below which it is used."""


def heatmap(tokens: Sequence[str], weights: Sequence[Sequence[float]]) -> str:
    """Draw weights (seq × seq, rows that sum to 1) under column numbers, each row with its piece and number.

    Beside each row stands the piece it looks at most and how much.
    """
    width = max(display_width(token) for token in tokens)
    digits = len(str(len(tokens) - 1))
    margin = " " * (digits + 1 + width + 2)
    lines = [margin + " ".join(str(column).rjust(digits) for column in range(len(tokens)))]
    for row, (token, row_weights) in enumerate(zip(tokens, weights, strict=True)):
        cells = " ".join(shade(weight) * digits for weight in row_weights)
        best = max(range(len(tokens)), key=lambda column: row_weights[column])
        lines.append(f"{row:>{digits}} {pad(token, width)}  {cells}  → {tokens[best]} {row_weights[best]:.0%}")
    lines.append(f"{margin}blank < 5%   ░ < 20%   ▒ < 40%   ▓ < 70%   █ above")
    return "\n".join(lines)


def shade(weight: float) -> str:
    """The letter whose ink is nearest to a weight between 0 and 1."""
    return next(letter for limit, letter in SHADES if weight < limit)
