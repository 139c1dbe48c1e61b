"""What became of a file's examples: how many are used, which are left out or changed, and why. Nothing goes silently."""

from __future__ import annotations

from dataclasses import dataclass, field

SHOWN = 3  # places a reason is shown with; the report itself keeps all of them


@dataclass
class Report:
    """The account of one file.

    source: the file. found: examples in it. left_out, changed: reason → the places it holds for. A changed example is used
    too, though not as it stood: its text was cut, say.
    """

    source: str
    found: int
    left_out: dict[str, list[str]] = field(default_factory=dict)
    changed: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, place: str, reason: str) -> None:
        """Note an example that is not used."""
        self.left_out.setdefault(reason, []).append(place)

    def change(self, place: str, reason: str) -> None:
        """Note an example that is used, though not as it stood."""
        self.changed.setdefault(reason, []).append(place)

    @property
    def used(self) -> int:
        """How many examples are used."""
        return self.found - sum(map(len, self.left_out.values()))

    def require_some(self) -> None:
        """Raise ValueError if there is no example left to use."""
        if self.used == 0:
            reasons = f" Left out: {self._told(self.left_out)}" if self.left_out else ""
            raise ValueError(f"'{self.source}' has no example that can be used.{reasons}")

    def __str__(self) -> str:
        lines = [f"'{self.source}': {self.used:,} of {self.found:,} examples used."]
        if self.left_out:
            lines.append(f"  left out: {self._told(self.left_out)}")
        if self.changed:
            lines.append(f"  changed: {self._told(self.changed)}")
        return "\n".join(lines)

    def _told(self, reasons: dict[str, list[str]]) -> str:
        told = []
        for reason, places in reasons.items():
            first = ", ".join(place.removeprefix(f"'{self.source}', ") for place in places[:SHOWN])
            more = ", …" if len(places) > SHOWN else ""
            told.append(f"{len(places):,} × {reason} ({first}{more})")
        return "; ".join(told) + "."
