"""Questions about a text, whose answers stand in the text, from SQuAD's JSON (1.1 and 2.0).

    {"data": [{"paragraphs": [{"context": "…", "qas": [
        {"id": "…", "question": "…", "answers": [{"text": "…", "answer_start": 17}], "is_impossible": false}]}]}]}

An answer is a stretch of the context's characters, context[start : start + len(text)]. `answer_windows.py` makes rows for the
model of these, and `answers.py` makes answers of the model's scores.

Source: Rajpurkar et al. 2016; Rajpurkar, Jia & Liang 2018.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .files import read_text
from .report import Report


@dataclass(frozen=True)
class Answer:
    """The answer's text, and where in the context it begins, in characters."""

    text: str
    start: int


@dataclass(frozen=True)
class Question:
    """A question with its context. No answers: there is none in the context, or it is not known."""

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] = ()
    place: str = field(default="", compare=False)


class UnfitError(Exception):
    """A question that cannot be used, and why."""


def read_squad(path: str | os.PathLike[str], *, labelled: bool = True) -> tuple[list[Question], Report]:
    """The questions of a SQuAD file, and what became of them.

    labelled=False reads questions without answers. Left out and reported: empty questions and contexts, and questions of
    whose answers none stands in the context where it should. Raises ValueError, naming file and place, for what is not
    SQuAD's JSON, and for an id that comes twice.
    """
    found = list(_questions(path))
    questions, report = [], Report(str(path), found=len(found))
    seen: set[str] = set()
    for place, context, entry in found:
        question_id = str(_part(entry, "id", (str, int), place))
        if question_id in seen:
            raise ValueError(f"{place}: the id {question_id!r} comes a second time.")
        seen.add(question_id)
        text = _part(entry, "question", str, place).strip()
        try:
            if not text or not context.strip():
                raise UnfitError("its question or context is empty")
            answers = _answers(entry, context, place, report) if labelled else ()
        except UnfitError as unfit:
            report.leave_out(place, str(unfit))
            continue
        questions.append(Question(question_id, text, context, answers, place))
    report.require_some()
    return questions, report


def _questions(path: str | os.PathLike[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(place, context, question) of every question of a file, in order."""
    try:
        whole = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"'{path}', line {error.lineno}: not JSON ({error.msg}).") from error
    except RecursionError as error:
        raise ValueError(f"'{path}': not SQuAD's JSON (lists within lists without end).") from error
    for i, article in enumerate(_part(whole, "data", list, f"'{path}'")):
        for j, paragraph in enumerate(_part(article, "paragraphs", list, f"'{path}', data[{i}]")):
            place = f"'{path}', data[{i}].paragraphs[{j}]"
            context = _part(paragraph, "context", str, place)
            for k, entry in enumerate(_part(paragraph, "qas", list, place)):
                yield f"{place}.qas[{k}]", context, entry


def _part(whole: Any, name: str, kind: type | tuple[type, ...], place: str) -> Any:
    if not isinstance(whole, dict):
        raise ValueError(f"{place}: not SQuAD's JSON: an object with {name!r} should stand here.")
    part = whole.get(name)
    if not isinstance(part, kind) or isinstance(part, bool):
        told = f"is {part!r:.40}" if name in whole else "is missing"
        raise ValueError(f"{place}: not SQuAD's JSON: {name!r} {told}.")
    return part


def _answers(entry: dict[str, Any], context: str, place: str, report: Report) -> tuple[Answer, ...]:
    """The answers that stand where they say; none if the question is marked as having none."""
    given = [
        Answer(_part(answer, "text", str, place), _part(answer, "answer_start", int, place))
        for answer in _part(entry, "answers", list, place)
    ]
    if entry.get("is_impossible", False):
        if given:
            raise UnfitError("it is marked is_impossible and has an answer")
        return ()
    if not given:
        raise UnfitError("it has no answer and is not marked is_impossible")
    fit = tuple(answer for answer in given if _stands_there(answer, context))
    if not fit:
        elsewhere = any(answer.text.strip() and answer.text in context for answer in given)
        where = "not at its answer_start" if elsewhere else "not in its context"
        raise UnfitError(f"the answer is {where}")
    if len(fit) < len(given):
        report.change(place, "an answer that is not in the context was dropped, others are")
    return fit


def _stands_there(answer: Answer, context: str) -> bool:
    return bool(answer.text.strip()) and answer.start >= 0 and context.startswith(answer.text, answer.start)
