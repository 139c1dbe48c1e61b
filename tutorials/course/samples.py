"""The small sample files in tutorials/samples, by their names: "reviews.csv", and in Chinese "zh/reviews.csv"."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "samples"
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.suffix != ".md")
SAMPLES = tuple(path.relative_to(FOLDER).as_posix() for path in FILES)


def sample(name: str) -> Path:
    """The path of a sample file. Raises ValueError, with the names there are, for another name."""
    if name not in SAMPLES:
        raise ValueError(f"There is no sample {name!r}. There are: {', '.join(SAMPLES)}.")
    return FOLDER / name
