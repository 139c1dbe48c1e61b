"""What becomes of a part: the same on both sides of the process that grades."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..checking import PASSED

WAITING = "waits"


@dataclass(frozen=True)
class Result:
    """One line of the ladder. status: PASSED, BLANK, WRONG or WAITING; blamed: the part at fault where it is WRONG; the rest as in `Finding`."""

    part: str
    status: str
    hint: str = ""
    blamed: str = ""
    apart: float = 0.0
    gradient_apart: float = 0.0
    bits: bool = False

    @property
    def passed(self) -> bool:
        return self.status == PASSED

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
