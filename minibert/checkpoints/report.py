"""What loading did with every tensor, and why.

Of a model's parameters each was read, is tied to another, or is new; of a checkpoint's tensors each was read or is left
over. The report gives the reason for the last three, and says whether any of it needs the user's attention.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One tensor that was not simply read: its name, the reason, and whether the user should act on it."""

    name: str
    reason: str
    needs_attention: bool = False


@dataclass
class LoadingReport:
    """The result of loading `checkpoint` into a `model` class.

    read: model name → the checkpoint's name for it. tied: parameters that are the same tensor as another.
    new: parameters that the checkpoint has no values for. left_over: the checkpoint's tensors without a place.
    """

    checkpoint: str
    model: str
    read: dict[str, str] = field(default_factory=dict)
    tied: list[Finding] = field(default_factory=list)
    new: list[Finding] = field(default_factory=list)
    left_over: list[Finding] = field(default_factory=list)
    mismatched: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)

    @property
    def attention(self) -> list[Finding]:
        """The findings that the user should act on."""
        return [finding for finding in (*self.tied, *self.new, *self.left_over) if finding.needs_attention]

    @property
    def needs_attention(self) -> bool:
        """Whether loading has something to say that the user did not ask for."""
        return bool(self.attention)

    def loading_info(self) -> dict[str, list[object]]:
        """The same in the reference's words: missing_keys, unexpected_keys, mismatched_keys, error_msgs."""
        mismatched = {name for name, _, _ in self.mismatched}
        return {
            "missing_keys": [finding.name for finding in self.new if finding.name not in mismatched],
            "unexpected_keys": [finding.name for finding in self.left_over if finding.needs_attention],
            "mismatched_keys": list(self.mismatched),
            "error_msgs": [],
        }

    def warning(self) -> str:
        """The findings that need attention, as a message: which tensors, why, and so what to do."""
        lines = [f"{self.model} from {self.checkpoint}:"]
        lines += _grouped("newly initialised", [f for f in self.new if f.needs_attention])
        lines += _grouped("left over", [f for f in self.left_over if f.needs_attention])
        lines += _grouped("tied", [f for f in self.tied if f.needs_attention])
        if any(finding.needs_attention for finding in self.new):
            lines.append("Train the new parameters before you use what they predict.")
        return "\n".join(lines)

    def __str__(self) -> str:
        lines = [f"{self.model} from {self.checkpoint}", f"  read: {len(self.read)} tensors"]
        renamed = {name: source for name, source in self.read.items() if name != source}
        if renamed:
            name, source = next(iter(renamed.items()))
            lines.append(f"    {len(renamed)} under another name, such as {source} → {name}")
        lines += _grouped("tied", self.tied)
        lines += _grouped("newly initialised", self.new)
        lines += _grouped("left over", self.left_over)
        return "\n".join(lines)


def _grouped(title: str, findings: list[Finding], shown: int = 4) -> list[str]:
    """A line for each reason, naming the first few tensors it is true of."""
    by_reason: dict[str, list[str]] = {}
    for finding in findings:
        by_reason.setdefault(finding.reason, []).append(finding.name)
    lines = []
    for reason, names in by_reason.items():
        rest = f" and {len(names) - shown} more" if len(names) > shown else ""
        lines.append(f"  {title}: {', '.join(names[:shown])}{rest}: {reason}")
    return lines
