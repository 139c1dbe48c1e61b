"""What the columns and cells of published tables mean: which hold texts, labels and endings, and how several labels are written.

    pairs, texts    columns of a name below, in any letter case, if only one pair or text is there; of pairs both must be
    several labels  ["joy", "calm"], ('joy', 'calm'), [0, 3], joy|calm, joy;calm or joy,calm, or [1, 0, 1], 1 0 1 or 101: a 0 or 1 for
                    each label; or a column of 0 and 1, or of True and False, for each label
    endings         a list, or a column each: ending0, option1, answerA
    the right one   its number from 0, or from 1 where columns and numbers begin so; its letter; or its text

Where two could be meant nothing is guessed: that is an error. A row is a `TableRow` of `minibert.tasks.task_files`.
"""

import ast
import re
import string
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

from ..checkpoints.files import parse_json

PAIRS = [
    *(("text", "text_pair"), ("sentence1", "sentence2"), ("premise", "hypothesis"), ("question1", "question2")),
    *(("question", "sentence"), ("text_a", "text_b"), ("text1", "text2"), ("sentence_a", "sentence_b")),
    *(("#1 string", "#2 string"), ("context", "hypothesis"), ("question", "passage"), ("query", "passage")),
]
TEXTS = ("text", "sentence", "review", "content", "comment_text", "tweet")
LABELS = ("label", "labels", "gold_label", "quality", "is_duplicate", "sentiment", "class", "category", "score")
CONTEXTS = {"sent1": "sent2", "ctx": "", "article": "question", "context": "question", "premise": "question"}
CONTEXTS |= {"question": "", "question_stem": "", "goal": "", "sentence": ""}  # without a beginning
_LISTS = ("endings", "options", "choices", "answers")
_NUMBERED = re.compile(r"(ending|option|choice|answer|sol)_?(\d+|[A-H])", re.IGNORECASE)
_NO_LITERAL = (ValueError, SyntaxError, TypeError, RecursionError, MemoryError)  # what Python's own reader may raise
_SIGNS = ("1", "0"), ("true", "false"), ("1.0", "0.0")  # whether a label is there, in a column of its own


def find_columns(
    rows: Sequence[Any], text: str | None, text_pair: str | None, *, label: str | None, several: bool
) -> dict[str, str]:
    """The columns of the texts, of their partners, "" for none, and of the labels. text, text_pair, label: those that are known, as
    `read_classification` takes them; label=None: there are none. several: of more than one label each, perhaps a column for each.
    """
    columns = _columns(rows)
    there = _spelled(columns)
    pairs = [(there[a], there[b]) for a, b in PAIRS if a in there and b in there]
    pairs = [(a, b) for a, b in pairs if text in (None, a) and text_pair in (None, b)]
    single = text or next((there[name] for name in TEXTS if name in there), "text")
    partners = [there[b] for _, b in PAIRS if b in there and b not in TEXTS]
    beside = pairs or [(single, name) for name in partners if single in columns]  # pairs that may be meant
    alone = [single] if single in columns and not (pairs and single in pairs[0]) else []
    if text_pair is None and not text and (len(pairs) > 1 or (beside and alone)):
        found = [f"{a} + {b}" for a, b in beside] + alone
        raise _two(rows, f'columns are the texts, {" or ".join(found)}? Say it: text="…", text_pair="…"')
    first, second = pairs[0] if pairs and text_pair != "" else (single, text_pair or "")
    rest = [name for name in columns if name not in (first, second, "id", "idx", "index")]
    usual = [there[name] for name in LABELS if there.get(name) in rest]
    if label == "" and len(usual) > 1 and there.get("label") not in usual:
        raise _two(rows, f'column is the label, {" or ".join(usual)}? Say it: label="…"')
    cells = {name: {_cell(row, name).lower() for row in rows} for name in rest if several}
    signs = next((found for both in _SIGNS if len(found := [name for name in cells if cells[name] <= {*both}]) > 1), [])
    found = [*usual[:1], *([",".join(signs)] if signs else []), "label"]
    return {"text": first, "text_pair": second} | ({} if label is None else {"label": label or found[0]})


def _two(rows: Sequence[Any], which: str) -> ValueError:
    return ValueError(f"{rows[0].location}: which {which}.")


def _columns(rows: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.values))


def _spelled(columns: Sequence[str]) -> dict[str, str]:
    """The columns by their names in small letters; of "Text" and "text" that is the second."""
    return {name.casefold(): name for name in sorted(columns, key=str.islower)}


def _cell(row: Any, column: str) -> str:
    return str(row.values.get(column)).strip()


def understood(rows: Sequence[Any], read: dict[str, str], labels: list[Any], counted: Callable[..., str]) -> list[str]:
    """What was read, in words. labels: of each example, a name, several or a number; counted: says how often each name is there."""
    names = f"pairs: {read['text']} + {read['text_pair']}" if read["text_pair"] else f"texts: {read['text']}"
    if "label" not in read:
        return [names]
    if isinstance(labels[0], float):
        said = f"numbers from {min(labels):g} to {max(labels):g}, mean {sum(labels) / len(labels):.3g}"
    else:
        said = counted(name for each in labels for name in ([each] if isinstance(each, str) else each))
    known = {part for name in read.values() for part in (name, *name.split(","))}
    rest = [name for name in _columns(rows) if name not in known]
    column = [f"labels in {read['label']}"] if read["label"] != "label" else []
    spelled = Counter(name.casefold() for name in {each for each in labels if isinstance(each, str)})
    if twice := [name for name, times in spelled.items() if times > 1]:
        column.append(f"several labels that differ in letter case alone: {', '.join(sorted(twice))}")
    return [names, said, *column, *([f"not read: {', '.join(rest)}"] if rest else [])]


def several_labels(rows: Sequence[Any], column: str, known: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """The labels of each row: of one column, of names or numbers, or of several, joined by commas. Raises ValueError for what is none.

    known: the labels of the training file, so that another file is not read in another way.
    """
    if "," in column and column not in _columns(rows):
        names = column.split(",")
        yes, yes_or_no = {sign for sign, _ in _SIGNS}, {sign for both in _SIGNS for sign in both}
        for row, name in ((row, name) for row in rows for name in names if _cell(row, name).lower() not in yes_or_no):
            raise row.error(name, "must be 0 or 1, as a column for each label has it")
        return [tuple(name for name in names if _cell(row, name).lower() in yes) for row in rows]
    cells = [list_in(row.values.get(column)) for row in rows]
    texts = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip() not in known]
    between = next((sign for sign in "|;," if any(sign in text for text in texts)), "")
    signs = all(re.fullmatch("[01]( ?[01])+", text) for text in texts)  # "1 0 1", or "101" if there is an "011"
    signs = signs and any(text.startswith("0") or " " in text for text in texts)
    found: list[list[Any]] = []
    for row, values in zip(rows, cells, strict=True):
        if isinstance(values, str) and values.strip() in known:
            values = [values]
        elif isinstance(values, str):
            alone = [word for word in values.split() if word != values.strip() and word in texts]
            if alone and not (between or signs):
                raise row.error(column, f"must have | between its labels if {alone[0]!r} is one")
            values = re.findall("[01]", values) if signs else values.split(between or "|")
        values = values if isinstance(values, list) else [None]
        found.append([value.strip() if isinstance(value, str) else value for value in values])
    lengths, kinds = {len(values) for values in found}, [value for values in found for value in values]
    marks = len(lengths) == 1 and max(lengths) > 1 and all(value in (0, 1, "0", "1") for value in kinds)
    # Known numbers up to that of the last mark may be those of columns, of which one had no 1 in the training file.
    numbers = [name.removeprefix("LABEL_") for name in known]
    if marks and all(number.isdecimal() and int(number) < max(lengths) for number in numbers):
        # As names, all rows would have the same labels.
        found = [[index for index, value in enumerate(values) if value in (1, "1")] for values in found]
    for row, values in zip(rows, found, strict=True):
        if not all(type(value) in (str, int) for value in values):
            raise row.error(column, "must be a list of names")
    return [tuple(dict.fromkeys(name for value in values if (name := str(value).strip()))) for values in found]


def list_in(cell: Any) -> Any:
    """The list that a cell is, or that its text is in JSON, Python's or NumPy's writing; None for one written otherwise, else the cell."""
    if not isinstance(cell, str) or not cell.strip().startswith(("[", "{", "(")):
        return cell
    with suppress(ValueError):
        return parse_json(cell, finite=False)
    with suppress(*_NO_LITERAL):
        found = ast.literal_eval(re.sub(r"(?<=['\"\d])\s+(?=['\"\d])", ", ", cell.strip()))  # NumPy writes no commas
        found = sorted(found, key=str) if isinstance(found, set | tuple) else found
        return found if isinstance(found, list | dict) else cell
    return None if re.fullmatch(r"\[.*\]", cell.strip(), re.DOTALL) else cell


def check_one_label(
    rows: Sequence[Any], column: str, names: Sequence[str], trained: Collection[str] = ()
) -> str | None:
    """What stands in a column of one label each where there is none; None for nothing. Raises ValueError where a cell holds several.

    Annotators may not have agreed, or a test set hides its labels: SNLI's "-", and -1 where the labels are 0, 1, 2, …
    trained: the labels of the training file, which a cell may name however it is written.
    """
    known = set(names)
    parts = {name: {part.strip() for part in re.split(r"[|;,]", name)} for name in known}
    shared = {part for part, times in Counter(part for some in parts.values() for part in some).items() if times > 1}
    numbers = {name: float(name) for name in known if re.fullmatch(r"-?\d*\.?\d+", name)}
    times = Counter[float | None](numbers.values())
    for row, name in zip(rows, names, strict=True):
        several = len(parts[name]) > 1 and (parts[name] <= shared or ("," not in name and parts[name] & shared))
        listed = re.fullmatch(r"\d+([|;,\s]+\d+)+", name) or not isinstance(list_in(name), str)
        problems = {
            ", not several (those are read with --labels multi, problem_type='multi_label_classification')": several
            or listed,
            ", not a number (those are read with --labels number, problem_type='regression')": numbers.get(name, 0) % 1,
            " in one way, and another row has the same number written otherwise": times[numbers.get(name)] > 1,
            "": name.lower() == "nan",  # pandas's empty cell
        }
        for problem in filter(problems.get, problems if name not in trained else ()):
            raise row.error(column, f"must name one label{problem}")
    if trained:
        return next((sign for sign in ("-", "-1") if sign in known and sign not in trained), None)
    others = known - {"-1"}
    if "-1" in known and len(others) > 2 and others == {str(index) for index in range(len(others))}:
        return "-1"
    return "-" if len(known) > 2 and "+" not in known else None  # beside "+" it is a label


def read_questions(
    rows: Sequence[Any], text: str | None, text_pair: str | None, *, label: str | None
) -> tuple[list[dict[str, Any]], dict[str, str], list[str]]:
    """The fields of each row's `ChoiceExample`; the columns of context, beginning ("" for none) and right ending; all of it in words.

    text, text_pair, label: the columns that are known, as `read_choices` takes them; label=None reads no right endings.
    """
    rows = list(map(_flat, rows))
    columns = _columns(rows)
    there = _spelled(columns)
    context = text or next((there[name] for name in CONTEXTS if name in there), "sent1")
    usual = there.get(CONTEXTS.get(context.casefold(), ""), "")
    read = {"text": context, "text_pair": usual if text_pair is None else text_pair}
    endings = next(([there[name]] for name in _LISTS if name in there), []) or _numbered(rows, columns)
    first, questions = 0, []
    if label is not None:
        names = ("label", "answer", "answerkey", "correct")
        read["label"] = right = label or next((there[name] for name in names if name in there), "label")
        given = {_cell(row, right) for row in rows}
        if len(endings) > 1 and endings[0][-1] != "0" and "0" not in given and any(map(str.isdigit, given)):
            first = 1
            if str(len(endings)) not in given:
                raise _two(rows, f"number does {right!r} begin at, 0 or 1? No row has 0 or {len(endings)}")
    texts = [_endings(row, endings) for row in rows]
    answers = [{}] * len(rows) if label is None else _right(rows, right, texts, first=first)
    for row, those, answer in zip(rows, texts, answers, strict=True):
        start = row.text(read["text_pair"]) if read["text_pair"] else ""
        question = {"context": row.text(context), "beginning": start, "endings": those, "location": row.location}
        questions.append(question | answer)
    counts = " or ".join(map(str, sorted({len(question["endings"]) for question in questions})))
    asked = " + ".join(filter(None, (context, read["text_pair"])))
    return questions, read, [f"contexts: {asked}", f"{counts} endings: {', '.join(endings)}"]


def _flat(row: Any) -> Any:
    """A row of CommonsenseQA or ARC, whose question is an object of its own, as the Hub has it."""
    question = row.values.get("question")
    if not isinstance(question, dict) or not isinstance(question.get("choices"), list):
        return row
    choices = {key: [dict(each).get(key) for each in question["choices"]] for key in ("text", "label")}
    return row._replace(values=row.values | {"question": question.get("stem"), "choices": choices})


def _numbered(rows: Sequence[Any], columns: Sequence[str]) -> list[str]:
    found = sorted((name for name in columns if _NUMBERED.fullmatch(name)), key=lambda name: (len(name), name))
    if len(found) < 2:
        advice = "there must be at least the columns 'ending0' and 'ending1', or a list 'endings'"
        raise ValueError(f"{rows[0].location}: {advice}; the columns are {', '.join(columns)}.")
    if not found[0][-1].isdigit():
        return found
    return [f"{found[0][:-1]}{int(found[0][-1]) + number}" for number in range(len(found))]  # none is left out between


def _endings(row: Any, columns: Sequence[str]) -> tuple[str, ...]:
    """The endings of a row, without the empty ones at its end: questions may have different numbers of them."""
    if columns[0].casefold() not in _LISTS:
        found: Any = ["" if row.values.get(name, "") is None else row.text(name) for name in columns]
    else:
        found = list_in(row.values.get(columns[0]))
        found = found.get("text") if isinstance(found, dict) else found  # the Hub's, beside their letters
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise row.error(columns[0], "must be a list of texts")
    while found and not found[-1].strip():
        found.pop()
    return tuple(each.strip() for each in found)


def _right(rows: Sequence[Any], column: str, texts: Sequence[Sequence[str]], *, first: int) -> list[dict[str, int]]:
    """The "label" of each row, the place of the ending that its cell names: by its letter, its number or its text, in all rows alike."""
    meant: list[dict[str, int]] = []
    given = [list_in(row.values.get("choices")) for row in rows]
    named = all(
        isinstance(each, dict) and _cell(row, column) in each.get("label", ())
        for row, each in zip(rows, given, strict=True)
    )
    for row, choices, endings in zip(rows, given, texts, strict=True):
        value = _cell(row, column)
        letters = list(choices.get("label", ()) if isinstance(choices, dict) else string.ascii_uppercase)
        if named:  # each row names its own endings
            meant.append({"letter": letters.index(value)})
            continue
        numbers = [str(first + number) for number in range(len(endings))]
        said = list(endings) if isinstance(row.values.get(column), str) else []  # a number in JSON is no text
        written = {"letter": letters[: len(endings)], "number": numbers, "text": said}
        meant.append({way: names.index(value) for way, names in written.items() if value in names})
    everywhere = set(meant[0]).intersection(*meant)  # a file has one way, unless it has a mixture
    found = []
    for row, endings, ways in zip(rows, texts, meant, strict=True):
        if not ways or max(ways.values()) >= len(endings):
            raise row.error(column, f"must be {first} to {first + len(endings) - 1}")
        places = {place for way, place in ways.items() if way in everywhere or not everywhere}
        if len(places) > 1:
            raise _two(
                rows, f"ending does {_cell(row, column)!r} in {column!r} name, that of this {' or of this '.join(ways)}"
            )
        found.append({"label": places.pop()})
    return found
