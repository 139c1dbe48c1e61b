"""What the columns and cells of published tables mean: which hold texts, labels and endings, and how several labels are written.

    pairs, texts    columns of a name below, if only one pair or text is there; of pairs both must be
    several labels  ["joy", "calm"], ['joy', 'calm'], [0, 3], joy|calm, joy;calm or joy,calm, or [1, 0, 1]: a 0 or 1 for each label;
                    or a column of 0 and 1 for each label
    endings         a list, or a column each: ending0, option1, answerA
    the right one   its number from 0, or from 1 where columns and numbers begin so; its letter; or its text

Where two could be meant nothing is guessed: that is an error. A row is a `TableRow` of `minibert.tasks.task_files`.
"""

import ast
import json
import re
import string
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

PAIRS = [
    *(("text", "text_pair"), ("sentence1", "sentence2"), ("premise", "hypothesis"), ("question1", "question2")),
    *(("question", "sentence"), ("text_a", "text_b"), ("text1", "text2"), ("sentence_A", "sentence_B")),
    ("#1 String", "#2 String"),
]
TEXTS = ("text", "sentence", "review", "content", "comment_text", "tweet")
LABELS = ("label", "labels", "gold_label", "Quality", "is_duplicate", "sentiment", "class", "category", "score")
CONTEXTS = {"sent1": "sent2", "ctx": "", "article": "question", "context": "question", "premise": "question"}
CONTEXTS |= {"question": "", "goal": "", "sentence": ""}  # without a beginning
_LISTS, _NUMBERED = ("endings", "options", "choices"), re.compile(r"(ending|option|choice|answer|sol)_?(\d+|[A-H])")


def find_columns(
    rows: Sequence[Any], text: str | None, text_pair: str | None, *, label: str | None, several: bool
) -> dict[str, str]:
    """The columns of the texts, of their partners, "" for none, and of the labels. text, text_pair, label: those that are known, as
    `read_classification` takes them; label=None: there are none. several: of more than one label each, perhaps a column for each.
    """
    columns = _columns(rows)
    pairs = [(a, b) for a, b in PAIRS if a in columns and b in columns and text in (None, a) and text_pair in (None, b)]
    single = text or next((name for name in TEXTS if name in columns), "text")
    if text_pair is None and not text and (len(pairs) > 1 or (pairs and "text" in columns and "text" not in pairs[0])):
        found = [f"{a} + {b}" for a, b in pairs] + ["text"] * ("text" in columns)
        raise _two(rows, f"columns are the texts, {' or '.join(found)}? Say it: --text, --text-pair")
    first, second = pairs[0] if pairs and text_pair != "" else (single, text_pair or "")
    rest = [name for name in columns if name not in (first, second, "id", "idx", "index")]
    usual = [name for name in LABELS if name in rest]
    if label == "" and len(usual) > 1 and "label" not in usual:
        raise _two(rows, f"column is the label, {' or '.join(usual)}? Say it: --label")
    signs = [name for name in rest if several and {_cell(row, name) for row in rows} <= {"0", "1"}]
    found = [*usual[:1], *([",".join(signs)] if len(signs) > 1 else []), "label"]
    return {"text": first, "text_pair": second} | ({} if label is None else {"label": label or found[0]})


def _two(rows: Sequence[Any], which: str) -> ValueError:
    return ValueError(f"{rows[0].location}: which {which}.")


def _columns(rows: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.values))


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
    return [names, said, *column, *([f"not read: {', '.join(rest)}"] if rest else [])]


def several_labels(rows: Sequence[Any], column: str) -> list[tuple[str, ...]]:
    """The labels of each row: of one column, of names or numbers, or of several, joined by commas. Raises ValueError for what is none."""
    if "," in column and column not in _columns(rows):
        names = column.split(",")
        for row, name in ((row, name) for row in rows for name in names if _cell(row, name) not in ("0", "1")):
            raise row.error(name, "must be 0 or 1, as a column for each label has it,")
        return [tuple(name for name in names if _cell(row, name) == "1") for row in rows]
    between = next(
        (sign for sign in "|;," if any(sign in _cell(row, column) for row in rows if _is_text(row, column))), "|"
    )
    found: list[list[Any]] = []
    for row in rows:
        values = list_in(row.values.get(column))
        if not isinstance(values, list):
            values = values.split(between) if _is_text(row, column) else [None]
        if not all(type(value) in (str, int) for value in values):
            raise row.error(column, "must be a list of names")
        found.append(values)
    lengths, signs = {len(values) for values in found}, {str(value) for values in found for value in values}
    if len(lengths) == 1 and max(lengths) > 1 and signs <= {"0", "1"}:  # as names, all rows would have the same labels
        found = [[index for index, value in enumerate(values) if str(value) == "1"] for values in found]
    return [tuple(dict.fromkeys(name for value in values if (name := str(value).strip()))) for values in found]


def _is_text(row: Any, column: str) -> bool:
    """Whether a cell is text that looks like no list."""
    return isinstance(row.values.get(column), str) and not re.fullmatch(r"\[.*\]", _cell(row, column), re.DOTALL)


def list_in(cell: Any) -> Any:
    """The list that a cell is, or that its text is in JSON, Python's or NumPy's writing; else the cell."""
    if not isinstance(cell, str) or not cell.strip().startswith(("[", "{")):
        return cell
    with suppress(ValueError):
        return json.loads(cell)
    with suppress(ValueError, SyntaxError):
        return ast.literal_eval(re.sub(r"(?<=['\"\d])\s+(?=['\"\d])", ", ", cell.strip()))  # NumPy writes no commas
    return cell


def check_one_label(rows: Sequence[Any], column: str, names: Sequence[str]) -> str | None:
    """What stands in a column of one label each where there is none; None for nothing. Raises ValueError where a cell holds several.

    Annotators may not have agreed, or a test set hides its labels: SNLI's "-", and -1 where the labels are 0, 1, 2, …
    """
    known = set(names)
    for row, name in zip(rows, names, strict=True):
        parts = {part.strip() for part in re.split(r"[|;,]", name)} - {name}
        if re.fullmatch(r"\[.*\]", name, re.DOTALL) or (parts and parts <= known):
            raise row.error(column, "must name one label, not several (those are read with --labels multi),")
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
    context = text or next((name for name in CONTEXTS if name in columns), "sent1")
    usual = CONTEXTS.get(context, "") if CONTEXTS.get(context) in columns else ""
    read = {"text": context, "text_pair": usual if text_pair is None else text_pair}
    endings = next(([name] for name in _LISTS if name in columns), []) or _numbered(rows, columns)
    first, questions = 0, []
    if label is not None:
        read["label"] = right = label or next(
            (name for name in ("label", "answer", "answerKey") if name in columns), "label"
        )
        given = {_cell(row, right) for row in rows}
        if len(endings) > 1 and endings[0][-1] != "0" and "0" not in given and any(map(str.isdigit, given)):
            first = 1
            if str(len(endings)) not in given:
                raise _two(rows, f"number does {right!r} begin at, 0 or 1? No row has 0 or {len(endings)}")
    for row in rows:
        those = _endings(row, endings)
        start = row.text(read["text_pair"]) if read["text_pair"] else ""
        question = {"context": row.text(context), "beginning": start, "endings": those, "location": row.location}
        questions.append(
            question | ({} if label is None else {"label": _right(row, read["label"], those, first=first)})
        )
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
        advice = "there must be at least the columns 'ending0' and 'ending1', or a list 'endings'."
        raise ValueError(f"{rows[0].location}: {advice}")
    if not found[0][-1].isdigit():
        return found
    return [f"{found[0][:-1]}{int(found[0][-1]) + number}" for number in range(len(found))]  # none is left out between


def _endings(row: Any, columns: Sequence[str]) -> tuple[str, ...]:
    """The endings of a row, without the empty ones at its end: questions may have different numbers of them."""
    if columns[0] not in _LISTS:
        found: Any = ["" if row.values.get(name, "") is None else row.text(name) for name in columns]
    else:
        found = list_in(row.values.get(columns[0]))
        found = found.get("text") if isinstance(found, dict) else found  # the Hub's, beside their letters
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise row.error(columns[0], "must be a list of texts")
    while found and not found[-1].strip():
        found.pop()
    return tuple(each.strip() for each in found)


def _right(row: Any, column: str, endings: Sequence[str], *, first: int) -> int:
    value, choices = _cell(row, column), list_in(row.values.get("choices"))
    letters = list(choices.get("label", ()) if isinstance(choices, dict) else string.ascii_uppercase)
    for names in (letters, [str(first + number) for number in range(len(endings))], list(endings)):
        if value in names[: len(endings)]:
            return names.index(value)
    raise row.error(column, f"must be {first} to {first + len(endings) - 1}")
