"""Words and tags as they are published: in columns (CoNLL, Universal Dependencies' .conllu, tables between commas) or in JSON objects.

    text → lines of cells → without comments → the columns' names → sentences of words and tags
    text → objects of an array or of lines → a list of words and a list of tags each

Columns are named by a header, by the caller, or by what they hold: the first is the word and the last the tag, but in .conllu the tag is UPOS,
behind a column that counts the words (GermEval's) comes the word, and where tags stand before words (MIT's files) they are read so.
Where the tag could be in several columns nothing is guessed: that is an error.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Record = tuple[str, list[str]]  # a line's location and its cells; no cells where a sentence ends
Found = tuple[list[str], list[Any] | None, str]  # the words of a sentence, its tags, its location
WORDS = ("word", "words", "token", "tokens", "form", "text", "chars")
TAGS = (
    *("tag", "tags", "ner_tag", "ner_tags", "ner", "label", "labels", "bio", "iob", "entity"),
    *("upos", "pos", "pos_tags"),
)
SENTENCES = ("sentence #", "sentence_id", "sentence_idx", "sent_id")
CONLLU = ["id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc"]
DOCSTART = "-DOCSTART-"  # begins a document in CoNLL's files


class TagColumns(NamedTuple):
    """Which columns are read. word, tag: a name, or a number from 1; columns: the names of all, for a file without a header."""

    word: str | None = None
    tag: str | None = None
    columns: Sequence[str] = ()


def read_columns(path: Path, text: str, *, labelled: bool, where: TagColumns, notes: list[str]) -> list[Found]:
    """The sentences of a file's text. notes: what was understood is appended. Raises ValueError, naming file and line."""
    passed_over = Counter[str]()
    conllu = path.suffix.lower() == ".conllu"
    records = _without_comments(_records(path, text), conllu, passed_over)
    if not any(cells for _, cells in records):
        raise ValueError(f"'{path}' has no words: all its lines are empty or comments.")
    names = _given_names(path, records, where=where, passed_over=passed_over)
    names = names or _conllu_names(path, records, passed_over) or _found_names(records)
    if names == ["word"] and labelled:
        hint = "A line has both, between tabs or spaces; between commas in a .csv."
        raise ValueError(f"{_rows(records)[0][0]}: a word without a tag. {hint}")
    word = tag = 0 if len(names) == 1 else _place(path, names, WORDS, asked=where.word, what="word")
    if labelled:
        tag = _place(path, names, TAGS, asked=where.tag, what="tag")
    if len(names) > 2 or word:
        notes.append(f"word in column {word + 1}" + (f", tag in column {tag + 1}" if labelled else ""))
    if passed_over:
        notes.append(f"passed over: {', '.join(f'{count:,} × {what}' for what, count in passed_over.items())}")
    for location, cells in _rows(records):
        if len(cells) != len(names) or not cells[word] or not cells[tag]:
            count = len(cells) - cells.count("")
            raise ValueError(f"{location}: {count} columns where the file began with {len(names)}.")
    blocks = _sentences(records, next((names.index(name) for name in SENTENCES if name in names), None))
    return [([c[word] for _, c in b], [c[tag] for _, c in b] if labelled else None, b[0][0]) for b in blocks]


def _records(path: Path, text: str) -> list[Record]:
    lines = text.split("\n")
    plain = [line for line in lines if line.strip() and not line.startswith("#")] or lines
    tabs = any("\t" in line for line in plain)
    sign = next((sign for sign in ",;" if path.suffix.lower() == ".csv" and sign in plain[0]), None)
    records: list[Record] = []
    for number, line in enumerate(lines, start=1):
        location = f"'{path}', line {number}"
        try:
            if sign:  # line by line: no word holds a line's end, so a quote that does was opened by mistake
                cells = next(csv.reader([line], delimiter=sign, strict=True), [])
            elif "\t" in line or (tabs and line.startswith("#")):  # a word may then be, or hold, a space of some kind
                cells = line.split("\t")
            else:
                cells = re.split(" +", line.strip(" "))
        except csv.Error as error:
            hint = 'Is a quote opened here and never closed? " as a word of its own is written """".'
            raise ValueError(f"{location}: not CSV ({error}). {hint}") from error
        cells = [cell.strip(" ") for cell in cells]
        records.append((location, cells if any(cells) else []))
    return records


def _without_comments(records: list[Record], conllu: bool, passed_over: "Counter[str]") -> list[Record]:
    """Lines of words, and the ends of sentences. A line that begins with # is a comment in .conllu, and elsewhere before a sentence's
    first word, unless it is as wide as the file's lines and ends in a tag: then # is a word."""
    plain = [cells for _, cells in records if cells and not cells[0].startswith(("#", DOCSTART))]
    width, tags = len(plain[0]) if plain else None, {"#", *(cells[-1] for cells in plain)}
    kept: list[Record] = []
    for location, cells in records:
        if cells and cells[0].startswith("#") and (conllu or not kept or not kept[-1][1]):
            tagged = cells[0][1:].strip() or cells[-1] in tags or _are_tags(cells[-1:])
            remark = cells[0].startswith("# ") or cells[2:3] == ["="]
            if conllu or remark or not tagged or len(cells) != (width or len(cells)):
                passed_over["comments"] += 1
                continue
        if cells and cells[0] == DOCSTART:
            passed_over[DOCSTART] += 1
            cells = []
        kept.append((location, cells))
    return kept


def _given_names(path: Path, records: list[Record], *, where: TagColumns, passed_over: "Counter[str]") -> list[str]:
    """The columns' names, in small letters, that the caller gives or a header, which is removed; none where neither does."""
    first, *others = _rows(records)
    header, width = [cell.lower() for cell in first[1]], len(first[1])
    if where.columns and width > 1:
        if len(where.columns) != width:
            listed = ", ".join(where.columns)
            raise ValueError(f"'{path}' has {width} columns, and {len(where.columns)} names: {listed}.")
        return [name.lower() for name in where.columns]
    chosen = {name.lower() for name in (where.word, where.tag) if name and not name.isdecimal()}
    if chosen & set(header) or (set(WORDS) & set(header) and {*TAGS, *SENTENCES} & set(header)):
        records.remove(first)
        passed_over["header"] += 1
        return header
    last = first[1][-1]
    if set(WORDS) & set(header[:-1]) and not _are_tags([last]) and last not in {cells[-1] for _, cells in others}:
        advice = "name the columns with --word and --tag; if not, name them all: --columns word,tag"
        raise ValueError(f"{first[0]}: is this a header ({', '.join(first[1])})? If so, {advice}.")
    return []


def _conllu_names(path: Path, records: list[Record], passed_over: "Counter[str]") -> list[str]:
    """The names of .conllu's columns, if these are they; multiword ranges (1-2) and empty nodes (1.1) are removed."""
    rows = _rows(records)
    width, conllu = len(rows[0][1]), path.suffix.lower() == ".conllu"
    if width != len(CONLLU):
        if conllu and width > 1:
            raise ValueError(f"'{path}' has {width} columns, and .conllu has {len(CONLLU)}: {', '.join(CONLLU)}.")
        return []
    if not conllu and not all(cells[0][:1].isdecimal() for _, cells in rows):
        return []
    words = [(location, cells) for location, cells in records if not cells or cells[0].isdecimal()]
    if len(words) < len(records):
        passed_over["multiword ranges and empty nodes"] += len(records) - len(words)
        records[:] = words
    return CONLLU


def _found_names(records: list[Record]) -> list[str]:
    """Names by what the columns hold; a number where nothing is known."""
    width = len(_rows(records)[0][1])
    rows = [cells for _, cells in _rows(records) if len(cells) == width]
    numbers = [str(place) for place in range(1, width + 1)]
    blocks = [[cells for _, cells in block if len(cells) == width] for block in _sentences(records, None)]
    for place in range(min(3, width - 2)):
        counted = (tuple(cells[place] for cells in block) for block in blocks)
        if len(rows) > 1 and all(each in (_counting(len(each), 0), _counting(len(each), 1)) for each in counted):
            rest = numbers[place + 2 :]
            if len(rest) == 2 and _are_tags(cells[at] for cells in rows for at in (-2, -1)):
                rest = ["tag", "nested tag"]
            return [*numbers[: place + 1], "word", *(rest if len(rest) > 1 else ["tag"])]
    first, last = ([cells[at] for cells in rows] for at in (0, -1))
    if width == 2 and _are_tags(first) and set(first) != {"O"} and not _are_tags(last):
        return ["tag", "word"]
    return ["word", *numbers[1:-1], "tag"] if width > 1 else ["word"]


def _are_tags(cells: Iterable[str]) -> bool:
    """Whether all are O or begin as tags of entities do."""
    return all(re.match(r"O\Z|[BIESLUM]-", cell) for cell in cells)


def _counting(length: int, start: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(start, start + length))


def _rows(records: list[Record]) -> list[Record]:
    return [(location, cells) for location, cells in records if cells]


def _sentences(records: list[Record], number: int | None) -> list[list[Record]]:
    """The lines between empty ones, and between changes in the column that numbers the sentences, if there is one."""
    blocks, current = list[list[Record]]([[]]), ""
    for location, cells in records:
        new = cells[number] if number is not None and cells else ""
        if not cells or new not in ("", current):
            blocks.append([])
        current = new or current
        if cells:
            blocks[-1].append((location, cells))
    return [block for block in blocks if block]


def _place(path: Path, names: list[str], usual: Sequence[str], *, asked: str | None, what: str) -> int:
    """The position of a column: asked for by name or number, or of a usual name."""
    if asked and asked.isdecimal() and 1 <= int(asked) <= len(names):
        return int(asked) - 1
    known = [asked.lower()] if asked else usual
    found = next((names.index(name) for name in known if name in names), None)
    if found is None:
        problem = f"none is {asked!r}" if asked else f"which holds the {what}s is not known"
        advice = f"Choose one: --{what} NAME, or its number"
        raise ValueError(f"'{path}' has the columns {', '.join(names)}; {problem}. {advice}.")
    return found


def without_language(found: list[Found], notes: list[str]) -> list[Found]:
    """WikiANN writes the language before every word, as in "en:Paris": without it."""
    words = [word for of_sentence, _, _ in found for word in of_sentence]
    before = re.match(r"[a-z]{2,}(-[a-z]+)*:", words[0]) if len(words) > 1 else None
    if not before or not all(word.startswith(before[0]) for word in words):
        return found
    notes.append(f"{before[0]!r} taken off every word")
    return [([w.removeprefix(before[0]) or w for w in words], tags, location) for words, tags, location in found]


def read_objects(path: Path, text: str, *, labelled: bool, where: TagColumns, notes: list[str]) -> list[Found]:
    """The same of JSON: objects with a list of words and a list of tags. Tags that are numbers get names, or are names themselves."""
    objects = _objects(path, text)
    keys = dict.fromkeys(key for _, each in objects for key in each)
    word = where.word or next((name for name in WORDS if name in keys), "words")
    tag = where.tag or next((name for name in TAGS if name in keys), "tags")
    if (word, tag) != ("words", "tags"):
        notes.append(f"words from {word!r}" + (f", tags from {tag!r}" if labelled else ""))
    found: list[Found] = []
    for location, each in objects:
        for key in (word, tag)[: 1 + labelled]:
            values, kinds = each.get(key), {type(value) for value in each.get(key) or ()}
            if not isinstance(values, list) or not (
                (kinds <= {str} and all(map(str.strip, values))) or (key == tag and kinds == {int})
            ):
                shown = repr(values) if key in each else f"missing (there are {', '.join(each) or 'none'})"
                raise ValueError(
                    f"{location}: {key!r} must be a list of words, none empty, and is {shown}. Choose with --word and --tag."
                )
        words, tags = each[word], each[tag] if labelled else None
        if tags is not None and len(words) != len(tags):
            raise ValueError(f"{location}: {len(words)} words and {len(tags)} tags. Each word needs one.")
        found.append((words, tags, location))
    kinds = {type(value) for _, tags, _ in found for value in tags or ()}
    if len(kinds) > 1:
        raise ValueError(
            f"'{path}' has tags that are numbers and tags that are names, in {tag!r}: only one is possible."
        )
    return _named(path, tag, found, notes=notes) if kinds == {int} else found


def _objects(path: Path, text: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects, with their locations, of an array, of the one list in an object (such as "data"), or of the lines."""
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        whole = None  # an object a line
    if isinstance(whole, dict) and len(whole) == 1:
        [whole] = whole.values()
    if isinstance(whole, list) and all(isinstance(each, dict) for each in whole):
        return [(f"'{path}', item {number}", each) for number, each in enumerate(whole, start=1)]
    lines = [text.replace("\n", " ")] if isinstance(whole, dict) else text.split("\n")
    numbered = ((f"'{path}', line {number}", line) for number, line in enumerate(lines, start=1) if line.strip())
    return [(location, _object(location, line)) for location, line in numbered]


def _object(location: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{location}: not JSON ({error}).") from error
    if not isinstance(found, dict):
        raise ValueError(f"{location}: must be a JSON object, not {text.strip()[:40]!r}.")
    return found


def _named(path: Path, column: str, found: list[Found], *, notes: list[str]) -> list[Found]:
    """Numbers as names: those that the Hub's dataset_info.json, beside the file, lists for the column; else the numbers."""
    files = (path.with_name(name) for name in ("dataset_info.json", "dataset_infos.json"))
    infos = [_object(f"'{file}'", file.read_text(encoding="utf-8")) for file in files if file.is_file()]
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
