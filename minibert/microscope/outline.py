"""Names of stages as an outline: each inside the one around it, moved to the right."""

from __future__ import annotations

from collections.abc import Iterable


def outline(stages: Iterable[tuple[str, int, str]]) -> list[str]:
    """A line for each (path, depth, class name), in the order of their calls.

    The path is shortened by that of the stage around it, of those shown; the model itself goes by its class.
    """
    around: list[tuple[str, int]] = []
    lines = []
    for path, depth, class_name in stages:
        while around and around[-1][1] >= depth:
            around.pop()
        outer = around[-1][0] if around else ""
        lines.append("  " * len(around) + (path.removeprefix(f"{outer}.") or class_name))
        around.append((path, depth))
    return lines
