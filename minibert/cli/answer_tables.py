"""Answers of fine-tuned models as tables. The keys of an answer show its task, and so the layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..terminal import table

WIDEST = 60
NUMBERS = ("value", "probability", "score", "characters")  # columns aligned to the right
Answer = dict[str, Any]
Lines = Sequence[tuple[str, ...]]


def answer_table(answers: Sequence[Answer], top_k: int) -> str:
    """A table of all answers, of each at most `top_k` lines; entities and words all. What was asked is printed once."""
    key, columns, asked, lines_of = next(layout for layout in LAYOUTS if layout[0] in answers[0])
    rows = []
    for answer in answers:
        lines = lines_of(answer)
        shown = lines if key in ("entities", "words") else lines[:top_k]
        rows += [(_short(asked(answer)) if number == 0 else "", *line) for number, line in enumerate(shown)]
    return table(columns, rows, right=[i for i, name in enumerate(columns) if name in NUMBERS])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"


def _share(each: Answer) -> str:
    return f"{each['probability']:.1%}"


def _texts(answer: Answer) -> str:
    return " │ ".join(answer[name] for name in ("text", "text_pair") if name in answer)


def _sentence(answer: Answer) -> str:
    return " ".join(answer["words"])


def _labels(answer: Answer) -> Lines:
    return [(name, f"{probability:.1%}") for name, probability in answer["probabilities"].items()]


def _several_labels(answer: Answer) -> Lines:
    return [(*line, "given" if line[0] in answer["labels"] else "") for line in _labels(answer)]


def _entities(answer: Answer) -> Lines:
    return [(each["text"], each["type"], _share(each)) for each in answer["entities"]] or [("none", "", "")]


def _words(answer: Answer) -> Lines:
    words = zip(answer["words"], answer["tags"], answer["probabilities"], strict=True)
    return [(word, tag, f"{probability:.1%}") for word, tag, probability in words]


def _candidates(answer: Answer) -> Lines:
    lines = []
    for each in answer["candidates"]:
        characters = f"{each['start']}–{each['end']}" if each["text"] else ""
        lines.append((_short(each["text"]) or "no answer", _share(each), f"{each['score']:.2f}", characters))
    return lines


def _endings(answer: Answer) -> Lines:
    ordered = sorted(answer["endings"], key=lambda each: -each["probability"])
    return [(_short(each["text"]), _share(each)) for each in ordered]


LAYOUTS: tuple[tuple[str, tuple[str, ...], Callable[[Answer], str], Callable[[Answer], Lines]], ...] = (
    # a key of the answer, the columns, what was asked, the lines that answer it
    ("value", ("text", "value"), _texts, lambda answer: [(f"{answer['value']:.3f}",)]),
    ("entities", ("text", "entity", "type", "probability"), _sentence, _entities),
    ("words", ("text", "word", "tag", "probability"), _sentence, _words),
    ("candidates", ("question", "answer", "probability", "score", "characters"), lambda a: a["question"], _candidates),
    ("endings", ("text", "ending", "probability"), lambda a: f"{a['context']} {a['beginning']}", _endings),
    ("labels", ("text", "label", "probability", ""), _texts, _several_labels),
    ("probabilities", ("text", "label", "probability"), _texts, _labels),
    (
        "text_pair",
        ("text", "next?", "probability"),
        lambda a: a["text"],
        lambda a: [(_short(a["text_pair"]), _share(a))],
    ),
)
