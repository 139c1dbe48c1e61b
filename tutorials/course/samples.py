"""The small sample files in tutorials/samples, by their names."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "samples"
SAMPLES = tuple(sorted(path.name for path in FOLDER.iterdir() if path.is_file() and path.suffix != ".md"))


def sample(name: str) -> Path:
    """The path of a sample file. Raises ValueError, with the names there are, for another name."""
    if name not in SAMPLES:
        raise ValueError(f"There is no sample {name!r}. There are: {', '.join(SAMPLES)}.")
    return FOLDER / name
