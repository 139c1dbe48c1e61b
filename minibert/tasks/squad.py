"""Questions about a text, from SQuAD's JSON (1.1 and 2.0), as rows for the model.

    {"data": [{"paragraphs": [{"context": "…", "qas": [
        {"id": "…", "question": "…", "answers": [{"text": "…", "answer_start": 17}], "is_impossible": false}]}]}]}

An answer is a stretch of the context's characters, context[start : start + len(text)]. A long context becomes windows that overlap:

    [CLS] question [SEP] context pieces   0 … 99   [SEP]
    [CLS] question [SEP] context pieces  72 … 171  [SEP]        stride 28: each window repeats 28 pieces of the one before

The labels are the positions of the answer's first and last piece; 0, [CLS], where a window does not hold all of it.

Source: Rajpurkar et al. 2016; Rajpurkar, Jia & Liang 2018; Devlin et al. 2019, §4.2 and §4.3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from ..checkpoints.files import parse_json
from ..tokenization import BertTokenizer
from .task import Row
from .task_files import Examples, PathName, Report, read_text

Offset = tuple[int, int]
NOT_HERE = (0, 0)
SPECIAL_TOKENS = 3  # [CLS] and two [SEP]
QUESTION_PIECES = 64  # a longer question is cut, as in Google's run_squad
ANSWER_PIECES = 30  # a longer answer is not given unless that is asked for, as in run_squad


class Answer(NamedTuple):
    text: str
    start: int  # its first character in the context


@dataclass(frozen=True)
class Question:
    """A question with its context. No answers: there is none in the context, or it is not known."""

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] = ()
    location: str = field(default="", compare=False)


def read_squad(path: PathName, *, labelled: bool = True) -> Examples:
    """The `Question`s of a SQuAD file, and a report on them.

    labelled=False reads questions without answers. Left out and reported: empty questions and contexts, and questions with no
    answer at the characters where it should be. Raises ValueError, naming file and location, for what is not SQuAD's JSON.
    """
    found = list(_entries(path))
    questions, seen, report = [], set(), Report(str(path), found=len(found))
    for location, context, entry in found:
        member = partial(_member, location=location)
        name = str(member(entry, "id", (str, int)))
        if name in seen:
            raise ValueError(f"{location}: the id {name!r} comes a second time.")
        seen.add(name)
        text = member(entry, "question", str).strip()
        empty = not text or not context.strip()
        listed = member(entry, "answers", list) if labelled and not empty else []
        given = [Answer(member(each, "text", str), member(each, "answer_start", int)) for each in listed]
        there = tuple(a for a in given if a.text.strip() and a.start >= 0 and context.startswith(a.text, a.start))
        impossible, elsewhere = entry.get("is_impossible"), any(a.text.strip() and a.text in context for a in given)
        unfit = {
            "its question or context is empty": empty,
            "it is marked is_impossible and has an answer": impossible and given,
            "it has no answer and is not marked is_impossible": labelled and not impossible and not given,
            "the answer is not at its answer_start": given and not there and elsewhere,
            "the answer is not in its context": given and not there,
        }
        if reasons := [reason for reason, holds in unfit.items() if holds]:
            report.leave_out(location, reasons[0])
            continue
        if len(there) < len(given):
            report.change(location, "an answer that is not in the context was dropped, others are")
        questions.append(Question(name, text, context, answers=there, location=location))
    report.require_some()
    if labelled:
        answered = sum(bool(question.answers) for question in questions)
        report.understood = [f"questions: {answered:,} with an answer, {len(questions) - answered:,} without"]
    return Examples(questions, report)


def _entries(path: PathName) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(location, context, question) of every question."""
    text = read_text(path)
    try:
        whole = parse_json(text, finite=False)
    except ValueError as error:
        raise ValueError(f"'{path}', line {getattr(error, 'lineno', 1)}: not JSON ({error}).") from error
    for i, article in enumerate(_member(whole, "data", list, location=f"'{path}'")):
        for j, paragraph in enumerate(_member(article, "paragraphs", list, location=f"'{path}', data[{i}]")):
            location = f"'{path}', data[{i}].paragraphs[{j}]"
            context = _member(paragraph, "context", str, location=location)
            for k, entry in enumerate(_member(paragraph, "qas", list, location=location)):
                yield f"{location}.qas[{k}]", context, entry


def _member(whole: Any, name: str, wanted: type | tuple[type, ...], *, location: str) -> Any:
    if not isinstance(whole, dict):
        raise ValueError(f"{location}: not SQuAD's JSON: an object with {name!r} should stand here.")
    value = whole.get(name)
    if not isinstance(value, wanted) or isinstance(value, bool):
        what = f"is {value!r:.40}" if name in whole else "is missing"
        raise ValueError(f"{location}: not SQuAD's JSON: {name!r} {what}.")
    return value


class AnswerWindow(NamedTuple):
    """A question with a stretch of its context."""

    row: Row  # for the model, with `start_positions` and `end_positions` if labelled
    question: int  # its number
    offsets: tuple[Offset | None, ...]  # of each position, the characters of the context that it covers


def encode_questions(
    questions: Sequence[Question],
    tokenizer: BertTokenizer,
    report: Report,
    *,
    max_length: int = 384,
    stride: int = 128,
    longest: int = ANSWER_PIECES,
    labelled: bool = True,
    keep_all: bool = False,
) -> list[AnswerWindow]:
    """Windows of at most `max_length` pieces, each with `stride` pieces of the one before.

    labelled=True is for training: a question whose answer is whole in no window is left out and reported, unless
    `keep_all`. labelled=False only asks. Questions of more than 64 pieces are cut and reported.
    longest: pieces of the longest answer that will be given. A question of which no true answer can be given whole is noted.
    """
    if longest < 1:
        raise ValueError(f"The longest answer must have at least 1 piece; max_answer_length is {longest}.")
    max_pieces = max_length - QUESTION_PIECES - SPECIAL_TOKENS
    if max_pieces < 1:
        least = QUESTION_PIECES + SPECIAL_TOKENS + 1
        raise ValueError(
            f"max_length={max_length} leaves no piece for a context. Choose at least {least}, and a model of as many positions."
        )
    if not 0 <= stride < max_pieces:
        demand = f"the stride of {stride} must be 0 or more, and less. Choose a larger max_length or a smaller stride."
        raise ValueError(f"max_length={max_length} leaves {max_pieces} pieces for a context, and {demand}")
    windows: list[AnswerWindow] = []
    too_long: list[tuple[str, int]] = []  # location, pieces of the shortest true answer
    context, pieces, characters = "", [], []
    for number, question in enumerate(questions):
        if question.context != context:  # questions about one context are neighbours: it is tokenized once
            context = question.context
            encoding = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
            pieces, characters = encoding["input_ids"], encoding["offset_mapping"]
        asked = tokenizer(question.question, add_special_tokens=False, verbose=False)["input_ids"]
        if len(asked) > QUESTION_PIECES:
            report.change(question.location, f"question cut to {QUESTION_PIECES} pieces")
            asked = asked[:QUESTION_PIECES]

        before = [None] * (len(asked) + 2)  # [CLS] question [SEP]
        max_pieces = max_length - len(asked) - SPECIAL_TOKENS
        of_question = []
        for start in range(0, max(len(pieces) - stride, 1), max_pieces - stride):
            stretch = slice(start, start + max_pieces)
            row = dict(tokenizer.prepare_for_model(asked, pieces[stretch]))
            of_question.append(AnswerWindow(row, number, (*before, *characters[stretch], None)))
        if labelled:
            offsets = [window.offsets for window in of_question]
            answers = question.answers or (Answer("", 0),)
            places = [answer_positions(answer, offsets) for answer in (answers if keep_all else answers[:1])]
            if question.answers and all(set(positions) == {NOT_HERE} for positions in places):
                unseen = f"the answer is whole in no window of {max_length} pieces"
                if not keep_all:
                    report.leave_out(question.location, unseen)
                    continue
                report.note(question.location, f"{unseen}, so it is never given whole")
            if (shortest := min(len(held_by(answer, characters)) for answer in answers)) > longest:
                too_long.append((question.location, shortest))
            for window, (first, last) in zip(of_question, places[0], strict=True):
                window.row["start_positions"], window.row["end_positions"] = first, last
        windows += of_question
    most = max((length for _, length in too_long), default=0)
    for location, _ in too_long:
        note = f"the answer is longer than {longest} pieces, and no answer so long is ever given"
        report.note(location, f"{note}: max_answer_length={most} would allow all of them")
    return windows


def answer_positions(answer: Answer, windows: Sequence[Sequence[Offset | None]]) -> list[tuple[int, int]]:
    """For each window, the positions of the first and last piece that hold a character of the answer; (0, 0) if not all do.

    windows: the offsets of each window's positions. What no piece holds, such as a space at the answer's end, is not missed.
    """
    of_windows = [held_by(answer, window) for window in windows]
    held = [offset for window in of_windows for _, offset in window]
    whole = min(held, default=None), max(held, default=None)
    return [(w[0][0], w[-1][0]) if w and (w[0][1], w[-1][1]) == whole else NOT_HERE for w in of_windows]


def held_by(answer: Answer, offsets: Sequence[Offset | None]) -> list[tuple[int, Offset]]:
    """(position, characters) of the pieces that hold a character of the answer."""
    begin, end = answer.start, answer.start + len(answer.text)
    return [(i, at) for i, at in enumerate(offsets) if at and at[0] < end and at[1] > begin]
