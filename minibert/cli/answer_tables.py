"""Answers of fine-tuned models as tables. What an answer holds tells of which kind it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..terminal import table

WIDEST = 60
Lines = Sequence[tuple[str, ...]]


def answer_table(answers: Sequence[dict[str, Any]], top_k: int) -> str:
    """A table of all answers, of each at most `top_k` lines; entities and words all."""
    first = answers[0]
    if "value" in first:
        return table(("text", "value"), [(_texts(each), f"{each['value']:.3f}") for each in answers], right=(1,))
    if "entities" in first:
        return _lines_of(("text", "entity", "type", "probability"), answers, _entities, right=(3,))
    if "words" in first:
        return _lines_of(("text", "word", "tag", "probability"), answers, _words, right=(3,))
    if "candidates" in first:
        header = ("question", "answer", "probability", "score", "characters")
        return _lines_of(header, answers, _candidates, right=(2, 3, 4), most=top_k)
    if "endings" in first:
        return _lines_of(("text", "ending", "probability"), answers, _endings, right=(2,), most=top_k)
    if "labels" in first:
        return _lines_of(("text", "label", "probability", ""), answers, _several_labels, right=(2,), most=top_k)
    if "probabilities" in first:
        return _lines_of(("text", "label", "probability"), answers, _labels, right=(2,), most=top_k)
    rows = [(_short(each["text"]), _short(each["text_pair"]), f"{each['probability']:.1%}") for each in answers]
    return table(("text", "next?", "probability"), rows, right=(2,))


def _lines_of(
    header: Sequence[str],
    answers: Sequence[dict[str, Any]],
    lines: Callable[[dict[str, Any]], Lines],
    right: Sequence[int],
    most: int | None = None,
) -> str:
    """The table of answers that have several lines: what was asked stands in the first only."""
    rows = []
    for answer in answers:
        for number, line in enumerate(lines(answer)[:most]):
            rows.append((_asked(answer) if number == 0 else "", *line))
    return table(header, rows, right)


def _asked(answer: dict[str, Any]) -> str:
    if "words" in answer:
        return _short(" ".join(answer["words"]))
    if "question" in answer:
        return _short(answer["question"])
    if "context" in answer:
        return _short(f"{answer['context']} {answer['beginning']}".strip())
    return _texts(answer)


def _texts(answer: dict[str, Any]) -> str:
    return _short(" │ ".join(answer[name] for name in ("text", "text_pair") if name in answer))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"


def _labels(answer: dict[str, Any]) -> Lines:
    return [(name, f"{probability:.1%}") for name, probability in answer["probabilities"].items()]


def _several_labels(answer: dict[str, Any]) -> Lines:
    return [(*line, "given" if line[0] in answer["labels"] else "") for line in _labels(answer)]


def _entities(answer: dict[str, Any]) -> Lines:
    found = [(each["text"], each["type"], f"{each['probability']:.1%}") for each in answer["entities"]]
    return found or [("none", "", "")]


def _words(answer: dict[str, Any]) -> Lines:
    parts = zip(answer["words"], answer["tags"], answer["probabilities"], strict=True)
    return [(word, tag, f"{probability:.1%}") for word, tag, probability in parts]


def _candidates(answer: dict[str, Any]) -> Lines:
    return [
        (
            _short(each["text"]) or "no answer",
            f"{each['probability']:.1%}",
            f"{each['score']:.2f}",
            f"{each['start']}–{each['end']}" if each["text"] else "",
        )
        for each in answer["candidates"]
    ]


def _endings(answer: dict[str, Any]) -> Lines:
    ordered = sorted(answer["endings"], key=lambda each: -each["probability"])
    return [(_short(each["text"]), f"{each['probability']:.1%}") for each in ordered]
