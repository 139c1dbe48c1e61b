"""A question and its context as rows for the model; a long context as windows that overlap.

    [CLS] question [SEP] context pieces   0 … 99   [SEP]
    [CLS] question [SEP] context pieces  72 … 171  [SEP]        stride 28: each window repeats 28 pieces of the one before

The labels are the positions of the answer's first and last piece. Where the answer is not whole in a window, both are 0, the place of
[CLS]: "not here". The windows are the tokenizer's own (`return_overflowing_tokens=True`).

Source: Devlin et al. 2019, §4.2 and §4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...tokenization import BertTokenizer
from .question_answering import Answer, Question
from .report import Report

Offset = tuple[int, int]
NOT_HERE = (0, 0)
SPECIAL_TOKENS = 3  # [CLS] and two [SEP]
QUESTION_PIECES = 64  # a longer question is cut, as in Google's run_squad


@dataclass(frozen=True)
class AnswerWindow:
    """A part of a context with its question.

    row: for the model, with `start_positions` and `end_positions` if labelled. question: its number. offsets: for each position, the
    characters of the context it stands for; None for those of no context.
    """

    row: dict[str, Any]
    question: int
    offsets: tuple[Offset | None, ...]


def encode_questions(
    questions: Sequence[Question],
    tokenizer: BertTokenizer,
    report: Report,
    *,
    max_length: int = 384,
    stride: int = 128,
    labelled: bool = True,
) -> list[AnswerWindow]:
    """Windows of at most `max_length` pieces, each with `stride` pieces of the one before.

    labelled=True is for training: a question whose answer is whole in no window is left out and reported. labelled=False keeps every
    question, to be answered. Questions of more than 64 pieces are cut and reported.
    """
    room = max_length - QUESTION_PIECES - SPECIAL_TOKENS
    if not 0 <= stride < room:
        raise ValueError(
            f"max_length={max_length} leaves {room} pieces for the context beside a question of {QUESTION_PIECES}, and the "
            f"stride of {stride} must be at least 0 and smaller than that. Choose a larger max_length or a smaller stride."
        )
    windows = []
    context, pieces, places = "", [], []
    for number, question in enumerate(questions):
        if question.context != context:  # questions about one context stand together: its places are worked out once
            context = question.context
            encoding = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
            pieces, places = encoding["input_ids"], encoding["offset_mapping"]
        asked = tokenizer(question.question, add_special_tokens=False, verbose=False)["input_ids"]
        if len(asked) > QUESTION_PIECES:
            report.change(question.place, f"question cut to {QUESTION_PIECES} pieces")
            asked = asked[:QUESTION_PIECES]

        room = max_length - len(asked) - SPECIAL_TOKENS
        parts = [slice(start, start + room) for start in range(0, max(len(pieces) - stride, 1), room - stride)]
        before: tuple[None, ...] = (None,) * (len(asked) + 2)  # [CLS] question [SEP]
        offsets = [(*before, *places[part], None) for part in parts]
        positions = [NOT_HERE] * len(parts)
        if labelled and question.answers:
            positions = answer_positions(question.answers[0], offsets)
            if all(position == NOT_HERE for position in positions):
                report.leave_out(question.place, f"the answer is whole in no window of {max_length} pieces")
                continue
        for part, of_part, (first, last) in zip(parts, offsets, positions, strict=True):
            row = _row(asked, pieces[part], tokenizer)
            if labelled:
                row["start_positions"], row["end_positions"] = first, last
            windows.append(AnswerWindow(row, number, of_part))
    return windows


def _row(asked: list[int], part: list[int], tokenizer: BertTokenizer) -> dict[str, Any]:
    input_ids = tokenizer.build_inputs_with_special_tokens(asked, part)
    columns = {
        "input_ids": input_ids,
        "token_type_ids": tokenizer.create_token_type_ids_from_sequences(asked, part),
        "attention_mask": [1] * len(input_ids),
    }
    return {name: columns[name] for name in tokenizer.model_input_names}


def answer_positions(answer: Answer, windows: Sequence[Sequence[Offset | None]]) -> list[tuple[int, int]]:
    """For each window, the positions of the first and last piece that hold a character of the answer; (0, 0) if not all do.

    windows: the offsets of each window's positions. What no piece holds, such as a space at the answer's end, is not missed.
    """
    begin, end = answer.start, answer.start + len(answer.text)
    held = [
        [(place, offset) for place, offset in enumerate(offsets) if offset and offset[0] < end and offset[1] > begin]
        for offsets in windows
    ]
    if not any(held):
        return [NOT_HERE] * len(windows)
    first = min(offset for window in held for _, offset in window)
    last = max(offset for window in held for _, offset in window)
    whole = [bool(window) and window[0][1] == first and window[-1][1] == last for window in held]
    return [
        (window[0][0], window[-1][0]) if is_whole else NOT_HERE for window, is_whole in zip(held, whole, strict=True)
    ]
