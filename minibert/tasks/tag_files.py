"""Files of words and tags: columns or JSON, as `published_tags.py` reads them, and what was understood of them.

columns          a word and its tag a line, between tabs or spaces (between commas in .csv); an empty line after each sentence
.json, .jsonl    objects with a list of words and a list of tags: {"words": ["Ada", "sang"], "tags": ["B-person", "O"]}
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..tokenization import BasicTokenizer
from ..tokenization.alignment import word_spans
from ..tokenization.wordpiece import TextTokenizer
from .entities import TagScheme, entities
from .published_tags import TagColumns, read_columns, read_objects, without_language
from .task_files import SHOWN, Examples, PathName, counted, read_text, usable

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
    read = read_objects if path.suffix.lower() in (".json", ".jsonl", ".ndjson") else read_columns
    found = read(path, _text(path, notes), labelled=labelled, where=where or TagColumns(), notes=notes)
    found = without_language(found, notes)
    for words, tags, location in found:
        if tags is not None and len(words) != len(tags):
            raise ValueError(f"{location}: {len(words)} words and {len(tags)} tags. Each word needs one.")
        if odd := [tag for tag in tags or () if re.fullmatch(r"-?\d*\.\d+", str(tag))]:
            raise ValueError(f'{location}: {odd[0]} is a number, no tag. Choose the tags\' column: tag="…".')
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
    if len(tags) > 20 and len(set(tags)) > len(tags) / 2:
        yield "most tags occur once: is their column right?"
    scheme = TagScheme.of(tags)
    stray = counted((tag for tag in tags if tag in scheme.stray), "tags").partition(": ")[2]
    if scheme.marks and scheme.marks_entities:
        types = [entity.type for of_sentence in tagged for entity in entities(of_sentence, scheme)]
        yield f"entities in {scheme.name(tagged)}, {counted(types, 'types')}"
        if scheme.stray:
            yield f"as O, for they mark no entity: {stray}"
    else:
        yield "no entities" + (f", for most tags mark none: {stray}" if scheme.marks and stray else "")
    words = Counter(word for each in sentences for word in each.words)
    if cut := [word for word, _ in words.most_common() if len(BasicTokenizer().tokenize(word)) > 1]:
        yield f"words that predict cuts in a TEXT, not in a --file: {len(cut):,}, such as {' '.join(cut[:SHOWN])}"
