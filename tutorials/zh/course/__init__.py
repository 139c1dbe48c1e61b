"""What the chapters import: the folder tutorials/course, which both editions share."""

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[2] / "course")]
