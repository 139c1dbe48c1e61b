"""Words with tags, from the files in which they are published: columns (see `compat/published_tags.py`) or JSON.

    .json, .jsonl    objects, one a line or in an array, with a list of words (words, tokens) and one of tags (tags, ner_tags, ner, labels).
                     Tags that are numbers have the names that a dataset_info.json beside the file gives them, or are their own names
    any other        columns

What a file was read as stands in its report: words and sentences, tags, entities, and what was passed over.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..compat.published_tags import TAGS, WORDS, Found, TagColumns, read_columns
from ..tokenization.alignment import word_spans
from ..tokenization.wordpiece import TextTokenizer
from .entities import TagScheme, entities
from .task_files import Examples, PathName, TableRow, counted, json_object, read_text, usable

_NO_SPACE = re.compile("(?<=[{0}]) (?=[{0}])".format("\u3000-\u9fff\uff00-\uffef\U00020000-\U0002fa1f"))


@dataclass(frozen=True)
class TaggedSentence:
    """Words and as many tags, if known. whole: the text they were cut from, if any; spans: (start, end) of each word in it."""

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None
    location: str = field(default="", compare=False)
    spans: tuple[tuple[int, int], ...] = ()
    whole: str = ""

    @classmethod
    def of_text(cls, text: str, location: str = "", steps: TextTokenizer | None = None) -> "TaggedSentence":
        """A text cut into words by `word_spans`: with a tokenizer's `steps()`, or as `BasicTokenizer` cuts."""
        spans = tuple(word_spans(text, steps))
        return cls(tuple(text[start:end] for start, end in spans), None, location, spans=spans, whole=text)

    def text(self, start: int = 0, end: int | None = None) -> str:
        """words[start:end] as they stand in the text; without one, a space between words that are not Chinese or Japanese."""
        if spans := self.spans[start:end]:
            return self.whole[spans[0][0] : spans[-1][1]]
        return _NO_SPACE.sub("", " ".join(self.words[start:end]))


def read_tags(path: PathName, *, labelled: bool = True, where: TagColumns | None = None) -> Examples:
    """The `TaggedSentence`s of a file, where=None: its words and tags where they usually are.

    Raises ValueError, naming file and line, where the file is broken, or may mean several things.
    """
    path, notes = Path(path), list[str]()
    read = _read_json if path.suffix.lower() in (".json", ".jsonl", ".ndjson") else read_columns
    found = read(path, _text(path, notes), labelled=labelled, where=where or TagColumns(), notes=notes)
    found = _without_language(found, notes)
    sentences = [TaggedSentence(tuple(w), None if t is None else tuple(t), location) for w, t, location in found]
    examples = usable(path, sentences, lambda sentence: sentence.words, reason="it has no words")
    examples.report.understood += [*_described(examples.items), *notes]
    return examples


def _text(path: Path, notes: list[str]) -> str:
    """A file's text, lines ended by "\\n" whatever ended them: no word holds a line's end."""
    try:
        text = read_text(path)
    except ValueError:  # one well-known file is in another encoding: Kaggle's ner_dataset.csv
        if not path.is_file() or not path.read_bytes().lower().startswith(b"sentence #,"):
            raise
        text = path.read_bytes().decode("cp1252", errors="replace")
        notes.append("not UTF-8, so read as Windows-1252")
    return re.sub(r"\r*\n|\r", "\n", text)


def _described(sentences: Sequence[TaggedSentence]) -> Iterator[str]:
    yield f"sentences: {len(sentences):,}, words: {sum(len(each.words) for each in sentences):,}"
    tagged = [each.tags for each in sentences if each.tags]
    tags = [tag for of_sentence in tagged for tag in of_sentence]
    if not tags:
        return
    yield counted(tags, "tags")
    scheme = TagScheme.of(tags)
    stray = counted((tag for tag in tags if tag in scheme.stray), "tags").partition(": ")[2]
    if not scheme.marks or not scheme.marks_entities:
        yield "no entities" + (f", for most tags mark none: {stray}" if scheme.marks else "")
        return
    types = [entity.type for of_sentence in tagged for entity in entities(of_sentence, scheme)]
    yield f"{len(types):,} entities in {scheme.name(tagged)} of {counted(types, 'types')}"
    if scheme.stray:
        yield f"as O, for they mark no entity: {stray}"


def _without_language(found: list[Found], notes: list[str]) -> list[Found]:
    """WikiANN writes the language before every word, as in "en:Paris": without it."""
    words = [word for of_sentence, _, _ in found for word in of_sentence]
    before = re.match(r"[a-z]{2,}(-[a-z]+)*:", words[0]) if len(words) > 1 else None
    if not before or not all(word.startswith(before[0]) for word in words):
        return found
    notes.append(f"{before[0]!r} taken off every word")
    return [([w.removeprefix(before[0]) or w for w in words], tags, location) for words, tags, location in found]


def _read_json(path: Path, text: str, *, labelled: bool, where: TagColumns, notes: list[str]) -> list[Found]:
    rows = _objects(path, text)
    names = dict.fromkeys(name for row in rows for name in row.values)
    wanted = {"words": (where.word, WORDS), "tags": (where.tag, TAGS)}
    word, tag = (asked or next((n for n in usual if n in names), what) for what, (asked, usual) in wanted.items())
    if (word, tag) != ("words", "tags"):
        notes.append(f"words from {word!r}" + (f", tags from {tag!r}" if labelled else ""))
    found: list[Found] = []
    for row in rows:
        for column in (word, tag)[: 1 + labelled]:
            values = row.values.get(column)
            if isinstance(values, list) and column == tag and all(type(value) is int for value in values):
                continue
            if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
                raise row.error(column, "must be a list of words, none empty")
        words, tags = row.values[word], row.values[tag] if labelled else None
        if tags is not None and len(words) != len(tags):
            raise ValueError(f"{row.location}: {len(words)} words and {len(tags)} tags. Each word needs one.")
        found.append((words, tags, row.location))
    numbered = {type(tag) is int for _, tags, _ in found for tag in tags or ()}
    if len(numbered) > 1:
        raise ValueError(
            f"'{path}' has tags that are numbers and tags that are names, in {tag!r}: only one is possible."
        )
    return _named(path, tag, found, notes=notes) if numbered == {True} else found


def _objects(path: Path, text: str) -> list[TableRow]:
    """The objects of an array, of the one list in an object (such as "data"), or of the lines."""
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        whole = None
    if isinstance(whole, dict) and len(whole) == 1:
        [whole] = whole.values()
    if isinstance(whole, list) and all(isinstance(each, dict) for each in whole):
        return [TableRow(f"'{path}', [{number}]", values) for number, values in enumerate(whole)]
    lines = [text.replace("\n", " ")] if isinstance(whole, dict) else text.split("\n")
    numbered = ((f"'{path}', line {number}", line) for number, line in enumerate(lines, start=1) if line.strip())
    return [TableRow(location, json_object(location, line)) for location, line in numbered]


def _named(path: Path, column: str, found: list[Found], *, notes: list[str]) -> list[Found]:
    """Numbers as names: those that the Hub's dataset_info.json, beside the file, lists for the column; else the numbers."""
    files = (path.with_name(name) for name in ("dataset_info.json", "dataset_infos.json"))
    infos = [json_object(f"'{file}'", file.read_text(encoding="utf-8")) for file in files if file.is_file()]
    names = next(filter(None, (_listed(info, column) for info in infos)), None)
    told = "named by dataset_info.json" if names else "and no dataset_info.json is there to name them"
    notes.append(f"tags are numbers, {told}")
    named = []
    for words, tags, location in found:
        if names and not all(0 <= number < len(names) for number in map(int, tags or ())):
            raise ValueError(f"{location}: {tags} are not all numbers of the {len(names)} tags {', '.join(names)}.")
        named.append((words, tags and [names[int(n)] if names else str(n) for n in tags], location))
    return named


def _listed(info: Any, column: str, inside: bool = False) -> list[str] | None:
    """The list called "names" somewhere under a column's own."""
    if not isinstance(info, dict):
        return None
    if inside and isinstance(info.get("names"), list):
        return list(map(str, info["names"]))
    below = (_listed(each, column, inside or name == column) for name, each in info.items())
    return next(filter(None, below), None)
