"""Small sample files of every kind that `minibert.data.tasks` reads, written for this project, for tests and first attempts.

reviews.csv       texts with one label                  entities.conll   words with tags
paraphrases.tsv   pairs with one label                  questions.json   SQuAD 2.0
similarity.csv    pairs with a number, 0 to 5           endings.csv      multiple choice, as SWAG has it
topics.jsonl      texts with several labels, or none    sentences.txt    documents, a sentence a line
"""

from pathlib import Path

_FOLDER = Path(__file__).parent
SAMPLES = tuple(sorted(path.name for path in _FOLDER.iterdir() if path.suffix not in (".py", "") and path.is_file()))


def sample(name: str) -> Path:
    """The path of a sample file. Raises ValueError, with the names there are, for another name."""
    if name not in SAMPLES:
        raise ValueError(f"There is no sample {name!r}. There are: {', '.join(SAMPLES)}.")
    return _FOLDER / name
