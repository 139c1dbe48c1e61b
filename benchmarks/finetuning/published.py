"""From published data sets, as their authors give them, to task files of minibert's formats.

Each function reads one and writes `train` and `eval`; `prepare` writes them all. Nothing is drawn that a seed does not decide.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from minibert.data.prepare import is_held_out
from minibert.data.sentences import read_documents

RTE_TEST = "rte2_test.xml"
RTE_TRAIN = ("rte1_dev.xml", "rte1_test.xml", "rte2_dev.xml", "rte3_dev.xml", "rte3_test.xml")
"""RTE 1 to 3 have development and test sets of their own; the test set of RTE 2 is what we measure on."""

HELD_OUT_NOVEL = 25
"""One novel in so many is measured on: the same four that were kept from the bundled weights."""


def trec(data: Path, out: Path, *, fine: bool) -> None:
    """Li & Roth 2002: `LABEL:fine question` a line. The label is LABEL (6 of them), or LABEL:fine (50)."""
    for source, name in (("train.txt", "train"), ("test.txt", "eval")):
        rows = []
        for line in (data / "trec" / source).read_text(encoding="latin-1").splitlines():
            label, _, question = line.partition(" ")
            rows.append({"text": question, "label": label if fine else label.partition(":")[0]})
        write_lines(out / f"{name}.jsonl", rows)


def rte(data: Path, out: Path) -> None:
    """Dagan et al. 2006 and its successors: pairs of a text and a hypothesis, entailed or not."""
    for sources, name in ((RTE_TRAIN, "train"), ((RTE_TEST,), "eval")):
        rows = []
        for source in sources:
            for pair in ElementTree.parse(data / "rte" / source).getroot().iter("pair"):
                said = pair.get("entailment") or pair.get("value")
                entailed = said in ("YES", "TRUE")
                texts = {"text": pair.findtext("t", "").strip(), "text_pair": pair.findtext("h", "").strip()}
                rows.append({**texts, "label": "entailed" if entailed else "not entailed"})
        write_lines(out / f"{name}.jsonl", rows)


def wnut17(data: Path, out: Path) -> None:
    """Derczynski et al. 2017: a word and its tag a line. In the test file some words have several tags, between commas: the first counts."""
    for source, name in (("wnut17train.conll", "train"), ("emerging.test.conll", "eval")):
        lines = []
        for line in (data / "wnut17" / source).read_text(encoding="utf-8").splitlines():
            word, _, tags = line.rstrip().partition("\t")
            lines.append(f"{word}\t{tags.partition(',')[0]}" if tags else "")
        write_text(out / f"{name}.conll", "\n".join(lines) + "\n")


def xquad(data: Path, out: Path) -> None:
    """Artetxe et al. 2020, the English part. A fifth of the paragraphs, with all their questions, is kept for the test."""
    articles = json.loads((data / "xquad" / "xquad.en.json").read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    random.Random("paragraphs").shuffle(paragraphs)
    kept = len(paragraphs) // 5
    for chosen, name in ((paragraphs[kept:], "train"), (paragraphs[:kept], "eval")):
        squad = {"version": "1.1", "data": [{"title": "XQuAD", "paragraphs": chosen}]}
        write_text(out / f"{name}.json", json.dumps(squad, ensure_ascii=False))


def next_sentences(novels: Path, out: Path, train: int = 2000, evaluation: int = 500) -> None:
    """From novels: a sentence, and which of four follows? The other three stand elsewhere in the same book.

    The novels that are measured on are none of those trained on.
    """
    files = sorted(novels.glob("*.txt"))
    test = [file for number, file in enumerate(files) if is_held_out(number, HELD_OUT_NOVEL)]
    for chosen, name, count in (
        ([file for file in files if file not in test], "train", train),
        (test, "eval", evaluation),
    ):
        chance = random.Random(f"choices {name}")
        books = [readable_sentences(file) for file in chosen]
        distinct = [list(dict.fromkeys(book)) for book in books]
        rows = [choice(books[n % len(books)], distinct[n % len(books)], chance) for n in range(count)]
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)


def readable_sentences(novel: Path) -> list[str]:
    """The sentences of a book in order; only those between five and forty words, so that a row fits and says something."""
    return [sentence for sentence in read_documents(novel) if sentence and 5 <= len(sentence.split()) <= 40]


def choice(sentences: Sequence[str], distinct: Sequence[str], chance: random.Random) -> dict[str, str | int]:
    """A sentence, four different endings, and the number of the right one. distinct: the book's sentences, each once."""
    place = chance.randrange(len(sentences) - 1)
    right = sentences[place + 1]
    known = (sentences[place], right)
    endings = [right, *[other for other in chance.sample(distinct, 5) if other not in known][:3]]
    chance.shuffle(endings)
    columns: dict[str, str | int] = {f"ending{number}": ending for number, ending in enumerate(endings)}
    return {"sent1": sentences[place], "sent2": "", **columns, "label": endings.index(right)}


WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "trec-coarse": lambda data, out: trec(data, out, fine=False),
    "trec-fine": lambda data, out: trec(data, out, fine=True),
    "wnut17": wnut17,
    "rte": rte,
    "xquad": xquad,
    "choices": lambda data, out: next_sentences(data / "novels", out),
}


def prepare(data: Path, out: Path) -> None:
    """All of them, each in a folder of its own; what is there already stays."""
    for name, write in WRITERS.items():
        folder = out / name
        if not folder.exists():
            unfinished = out / f"{name}.unfinished"
            unfinished.mkdir(parents=True, exist_ok=True)
            write(data, unfinished)
            unfinished.rename(folder)


def write_lines(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """JSON lines."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
