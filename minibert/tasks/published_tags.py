"""Words and tags as they are published: in columns (CoNLL, Universal Dependencies' .conllu, tables between commas) or in JSON objects.

Columns are named by a header, by the caller, or by what they hold: the first is the word and the last the tag, but in .conllu the tag is UPOS,
behind a column that counts the words (GermEval's) comes the word, and where tags stand before words (MIT's files) they are read so.
Where the tag could be in several columns nothing is guessed: that is an error.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .task_files import json_objects

Record = tuple[str, list[str]]  # a line's location and its cells; no cells where a sentence ends
Found = tuple[list[str], list[Any] | None, str]  # the words of a sentence, its tags, its location
ROWS = ("text", "sentence")  # columns that may hold a whole sentence a row, beside its tags
WORDS = ("word", "words", "token", "tokens", "form", "chars", *ROWS)
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
    passed_over = list[str]()
    records = _without_comments(_records(path, text), path.suffix.lower() == ".conllu", passed_over)
    told: dict[str, Any] = {"where": where, "labelled": labelled, "passed_over": passed_over}
    names = _names(path, records, **told) if any(c for _, c in records) else []
    first = next((location for location, cells in records if cells), None)
    if first is None:
        raise ValueError(
            f"'{path}' has no words: all its lines are empty or comments{', but for a header' * bool(names)}."
        )
    word = tag = 0
    if labelled or len(names) > 1:
        word = _place(first, names, WORDS, asked=where.word, what="word")
        tag = _place(first, names, TAGS, asked=where.tag, what="tag") if labelled else word
    if len(names) > 2 or word:
        notes.append(f"word in column {word + 1}" + (f", tag in column {tag + 1}" if labelled else ""))
    if passed_over:
        notes.append(f"passed over: {', '.join(f'{n:,} × {what}' for what, n in Counter(passed_over).items())}")
    for location, cells in records:
        if cells and (len(cells) != len(names) or not cells[word] or not cells[tag]):
            count = len(cells) - cells.count("")
            raise ValueError(f"{location}: {count} columns where the file began with {len(names)}.")
    there = [(location, cells) for location, cells in records if cells]
    columns = (_parts([cells[place] for _, cells in there]) for place in (word, tag))
    rows = [(location, *both) for (location, _), *both in zip(there, *columns, strict=True)]
    # One broken row makes no other kind of file.
    several = sum(len(words) == len(tags) > 1 for _, words, tags in rows)
    as_many = labelled and (2 * several > len(rows) or all(len(words) == len(tags) for _, words, tags in rows))
    long = 2 * sum(len(words) > 1 for _, words, _ in rows) > len(rows)
    in_rows = names[word] in ROWS or (not labelled and long and names[word] in ("tokens", "words"))
    if (in_rows or as_many) and any(len(tags) > 1 for _, _, tags in rows):  # unlabelled, tags are the words
        return [(words, tags if labelled else None, location) for location, words, tags in rows]
    blocks = _sentences(records, next((names.index(name) for name in SENTENCES if name in names), None))
    return [([c[word] for _, c in b], [c[tag] for _, c in b] if labelled else None, b[0][0]) for b in blocks]


def _records(path: Path, text: str) -> list[Record]:
    lines = text.split("\n")
    plain = [line for line in lines if line.strip() and not line.startswith("#")] or lines
    if all(line.endswith("\t") for line in plain):  # a last column of nothing
        lines = [line.removesuffix("\t") for line in lines]
    tabs = any("\t" in line for line in plain)
    sign = next((sign for sign in ",;" if path.suffix.lower() == ".csv" and sign in plain[0]), None)
    alone = path.suffix.lower() == ".csv" and plain[0].strip().lower() in WORDS  # one column with its header
    records: list[Record] = []
    for number, line in enumerate(lines, start=1):
        if alone:
            whole = re.fullmatch(r'"((?:[^"]|"")+)"', line.strip())
            cells = [whole[1].replace('""', '"') if whole else line]
        elif sign:  # line by line: no word holds a line's end, so a quote that does was opened by mistake
            try:
                cells = next(csv.reader([line], delimiter=sign, strict=True), [])
            except csv.Error as error:
                hint = 'Is a quote opened here and never closed? " as a word of its own is written """".'
                raise ValueError(f"'{path}', line {number}: not CSV ({error}). {hint}") from error
        elif "\t" in line or (tabs and line.startswith("#")):  # a word may then be, or hold, a space of some kind
            cells = line.split("\t")
        else:
            cells = re.split(" +", line.strip(" "))
        cells = [cell.strip(" ") for cell in cells]
        records.append((f"'{path}', line {number}", cells if any(cells) else []))
    return records


def _without_comments(records: list[Record], conllu: bool, passed_over: list[str]) -> list[Record]:
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
                passed_over.append("comments")
                continue
        if cells and cells[0] == DOCSTART:
            passed_over.append(DOCSTART)
            cells = []
        kept.append((location, cells))
    return kept


def _names(
    path: Path, records: list[Record], *, where: TagColumns, labelled: bool, passed_over: list[str]
) -> list[str]:
    """A name for each column, in small letters; a number where nothing is known. Removes a header, and what is no word in .conllu."""
    rows = [record for record in records if record[1]]
    first, tags = [cell.lower() for cell in rows[0][1]], {cells[-1] for _, cells in rows[1:]}
    chosen = {name.lower() for name in (where.word, where.tag) if name and not name.isdecimal()}
    counted = len(first) == len(CONLLU) and all(cells[0][:1].isdecimal() for _, cells in rows)
    given, first_tag = [name.lower() for name in where.columns], rows[0][1][-1]
    of_entities = len(first) > 1 and {"O"} < tags and _are_tags(tags)
    tables = (".csv", ".tsv") if len(first) == 1 else (".csv",)
    others = {*TAGS, *SENTENCES} & set(first) or (not labelled and path.suffix.lower() in tables)
    if given == first or chosen & set(first) or (set(WORDS) & set(first) and others):
        names = given or first
        # Of files put together, several; but in one column a word may be the header's name.
        headers = [row for row in rows if row[1] == rows[0][1]] if len(first) > 1 else rows[:1]
        passed_over += ["header"] * len(headers)
        records[:] = [record for record in records if record not in headers]
    elif given and len(first) > 1:
        names = given
    elif counted or path.suffix.lower() == ".conllu":
        names = CONLLU
        words = [(location, cells) for location, cells in records if not cells or cells[0].isdecimal()]
        passed_over += ["multiword ranges and empty nodes"] * (len(records) - len(words))
        records[:] = words
    elif first_tag not in tags and not _are_tags([first_tag]) and (set(WORDS) & set(first[:-1]) or of_entities):
        advice = 'name the columns with word="…" and tag="…"; if not, name them all: columns="word,tag"'
        raise ValueError(f"{rows[0][0]}: is this a header ({', '.join(rows[0][1])})? If so, {advice}.")
    elif len(first) > 1 and all(re.fullmatch(r".+/\S+", cell) for _, cells in rows for cell in cells):
        raise ValueError(f"{rows[0][0]}: word/tag, in one. A line has one word and its tag, between tabs or spaces.")
    else:
        names = _found_names(records, len(first))
    if len(names) != len(first):
        raise ValueError(f"'{path}' has {len(first)} columns, and {len(names)} names for them: {', '.join(names)}.")
    return names


def _found_names(records: list[Record], width: int) -> list[str]:
    blocks = [[cells for _, cells in block if len(cells) == width] for block in _sentences(records, None)]
    columns = [[cells[place] for block in blocks for cells in block] for place in range(width)]
    numbers = [str(place) for place in range(1, width + 1)]
    for place in range(min(3, width - 2)):
        counts = (
            [str(n) for block in blocks for n in range(len(block))],
            [str(n + 1) for b in blocks for n in range(len(b))],
        )
        if len(columns[0]) > 1 and columns[place] in counts:
            rest = numbers[place + 2 :] if place + 3 < width else ["tag"]
            nested = len(rest) == 2 and _are_tags(columns[-1] + columns[-2])
            return [*numbers[: place + 1], "word", *(["tag", "nested tag"] if nested else rest)]
    if width == 2 and _are_tags(columns[0]) and set(columns[0]) != {"O"} and not _are_tags(columns[1]):
        return ["tag", "word"]
    return ["word", *numbers[1:-1], "tag"] if width > 1 else ["word"]


def _parts(column: Sequence[str]) -> list[list[str]]:
    """The words, or tags, in each cell: between spaces, or in a list as Python or NumPy writes it."""
    bare = all(re.fullmatch(r"\[.*\]", cell) for cell in column) and any(re.search(r"[,\s]", cell) for cell in column)
    found = []
    for cell in column:
        quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"", cell) if re.fullmatch(r"\[\s*['\"].*\]", cell) else []
        rest = re.findall(r"[^,\s]+", cell[1:-1]) if bare else cell.split(" ")
        found.append([one or other for one, other in quoted] or rest)
    return found


def _are_tags(cells: Iterable[str]) -> bool:
    """Whether all are O or begin as tags of entities do."""
    return all(re.match(r"O\Z|[BIESLUM]-", cell) for cell in cells)


def _sentences(records: list[Record], number: int | None) -> list[list[Record]]:
    """The lines between empty ones, and between changes in the column that numbers the sentences, if there is one."""
    blocks, current = list[list[Record]]([[]]), ""
    for location, cells in records:
        new = cells[number] if number is not None and cells else ""
        if not cells or new not in ("", current):
            blocks.append([])
        current = new or current
        blocks[-1] += [(location, cells)] if cells else []
    return [block for block in blocks if block]


def _place(location: str, names: list[str], usual: Sequence[str], *, asked: str | None, what: str) -> int:
    """The position of a column: asked for by name or number, or of a usual name."""
    if asked and asked.isdecimal() and 1 <= int(asked) <= len(names):
        return int(asked) - 1
    for name in [asked.lower()] if asked else usual:
        if name in names:
            return names.index(name)
    if names == ["word"]:
        hint = "A line has both, between tabs or spaces; between commas in a .csv"
        raise ValueError(f"{location}: a word without a tag. {hint}.")
    problem = f"none is {asked!r}" if asked else f"which holds the {what}s is not known"
    advice = f'Choose one by name or number: {what}="…"'
    raise ValueError(f"{location}: the columns are {', '.join(names)}; {problem}. {advice}.")


def read_objects(path: Path, text: str, *, labelled: bool, where: TagColumns, notes: list[str]) -> list[Found]:
    """The same of JSON: objects, in an array or a line each, with a list of words and a list of tags. Numbers are their own names."""
    objects = json_objects(path, text)
    keys = {key for _, each in objects for key in each}
    word = where.word or next((name for name in WORDS if name in keys), "words")
    tag = where.tag or next((name for name in TAGS if name in keys), "tags")
    if (word, tag) != ("words", "tags"):
        notes.append(f"words from {word!r}" + (f", tags from {tag!r}" if labelled else ""))
    found, numbers = list[Found](), set[bool]()
    for location, each in objects:
        for key in (word, tag)[: 1 + labelled]:
            values: Any = each.get(key)
            kinds = {type(value) for value in values} if isinstance(values, list) else {None}
            if not (kinds <= {str} and all(map(str.strip, values))) and (key != tag or kinds != {int}):
                shown = repr(values) if key in each else f"missing (there are {', '.join(each) or 'none'})"
                advice = 'Choose with word="…" and tag="…"'
                raise ValueError(f"{location}: {key!r} must be a list of words, none empty, and is {shown}. {advice}.")
            if key == tag and kinds == {int} and min(values) < 0:
                raise ValueError(f"{location}: {key!r} has {min(values)}, which is no tag. Each word needs one.")
            numbers |= {int in kinds} if key == tag and values else set()
        words, tags = each[word], list(map(str, each[tag])) if labelled else None
        found.append((words, tags, location))
    if len(numbers) > 1:
        raise ValueError(
            f"'{path}' has tags that are numbers and tags that are names, in {tag!r}: only one is possible."
        )
    if True in numbers:
        notes.append("tags are numbers: their names are not in the file, so entities are not known")
    return found


def without_language(found: list[Found], notes: list[str]) -> list[Found]:
    """WikiANN writes the language before every word, as in "en:Paris": without it."""
    words = [word for of_sentence, _, _ in found for word in of_sentence]
    before = re.match(r"[a-z]{2,}(-[a-z]+)*:", words[0]) if len(words) > 1 else None
    if not before or not all(word.startswith(before[0]) for word in words):
        return found
    notes.append(f"{before[0]!r} taken off every word")
    return [([w.removeprefix(before[0]) or w for w in words], tags, location) for words, tags, location in found]
