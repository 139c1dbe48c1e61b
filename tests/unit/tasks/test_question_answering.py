"""SQuAD: read, cut into windows, and answered from scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from course.samples import sample
from minibert.tasks import Answer, Question, answers_to, encode_questions, read_squad
from minibert.tasks.squad import QUESTION_PIECES, AnswerWindow
from minibert.tasks.task_files import Report
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer


def squad(tmp_path, context: str, *questions: dict):
    path = tmp_path / "t.json"
    entries = [{"id": f"q{n}", "question": "who ran", **each} for n, each in enumerate(questions)]
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": entries}]}]}), encoding="utf-8")
    return read_squad(path)


def answer(text: str, start: int) -> dict:
    return {"text": text, "answer_start": start}


def windows_of(question: Question, **options):
    report = Report("t.json", found=1)
    return encode_questions([question], tiny_tokenizer(), report, **options), report


def sure_scores(windows) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Scores that point at the labels, padded beyond the window."""
    rows = []
    for name in ("start_positions", "end_positions"):
        rows.append([np.eye(1, len(each.offsets) + 5, each.row[name])[0] * 9 for each in windows])
    return rows[0], rows[1]


def test_answers_are_read_with_their_places(tmp_path):
    [question], report = squad(tmp_path, "the cat ran", {"answers": [answer("cat", 4), answer("the cat", 0)]})
    assert question.answers == (Answer("cat", 4), Answer("the cat", 0))
    assert report.used == 1


def test_a_question_without_an_answer_is_one_that_says_so(tmp_path):
    questions, report = squad(
        tmp_path, "the cat ran", {"answers": [], "is_impossible": True}, {"answers": [], "id": "x"}
    )
    assert [question.answers for question in questions] == [()]
    assert list(report.left_out) == ["it has no answer and is not marked is_impossible"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"answers": [answer("dog", 4)]}, "the answer is not in its context"),
        ({"answers": [answer("cat", 5)]}, "the answer is not at its answer_start"),
        ({"answers": [answer("cat", -7)]}, "the answer is not at its answer_start"),
        ({"answers": [answer("", 4)]}, "the answer is not in its context"),
        ({"answers": [answer("cat", 4)], "is_impossible": True}, "it is marked is_impossible and has an answer"),
        ({"answers": [answer("cat", 4)], "question": " "}, "its question or context is empty"),
    ],
)
def test_what_does_not_fit_is_left_out_with_the_reason(tmp_path, given, reason):
    questions, report = squad(tmp_path, "the cat ran", {"answers": [answer("cat", 4)]}, given)
    assert [question.id for question in questions] == ["q0"]
    [(found, [place])] = report.left_out.items()
    assert found == reason
    assert place.endswith("data[0].paragraphs[0].qas[1]")


def test_of_several_answers_those_that_fit_are_kept(tmp_path):
    [question], report = squad(tmp_path, "the cat ran", {"answers": [answer("dog", 4), answer("ran", 8)]})
    assert question.answers == (Answer("ran", 8),)
    assert sum(map(len, report.changed.values())) == 1


def test_labels_are_the_first_and_last_piece_of_the_answer():
    [window], _ = windows_of(Question("q", "who ran", "the unables cat ran", (Answer("unables cat", 4),)))
    # [CLS] who ran [SEP] the un ##able ##s cat ran [SEP]
    assert (window.row["start_positions"], window.row["end_positions"]) == (5, 8)
    assert window.offsets[:4] == (None,) * 4
    assert window.offsets[4] == (0, 3)


def test_spaces_and_signs_without_a_piece_around_an_answer_do_not_hide_it():
    context = "the  \u200bcat\u200b  ran"
    [window], _ = windows_of(Question("q", "who ran", context, (Answer("  \u200bcat\u200b  ", 3),)))
    assert (window.row["start_positions"], window.row["end_positions"]) == (5, 5)


def test_a_question_without_an_answer_points_at_cls():
    [window], report = windows_of(Question("q", "who ran", "the cat ran"))
    assert (window.row["start_positions"], window.row["end_positions"]) == (0, 0)
    assert not report.left_out


@pytest.mark.parametrize(("max_length", "stride"), [(70, 0), (75, 2), (90, 10), (117, 16), (122, 16), (200, 100)])
def test_windows_are_the_tokenizer_s(max_length, stride):
    questions = [Question("a", "who ran", "the cat sat on 你 unables mat " * 17), Question("b", "who", "the cat")]
    windows = encode_questions(questions, tiny_tokenizer(), Report("t", 2), max_length=max_length, stride=stride)
    theirs = tiny_tokenizer()(
        [question.question for question in questions],
        [question.context for question in questions],
        truncation="only_second",
        max_length=max_length,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    assert [window.question for window in windows] == theirs.overflow_to_sample_mapping
    for index, window in enumerate(windows):
        for name in ("input_ids", "token_type_ids", "attention_mask"):
            assert window.row[name] == theirs[name][index]
        in_context = zip(theirs.offset_mapping[index], theirs.sequence_ids(index), strict=True)
        assert list(window.offsets) == [offset if text == 1 else None for offset, text in in_context]


def test_windows_cover_the_context_and_only_those_with_the_whole_answer_point_at_it():
    context = " ".join(["the dog sat on the mat"] * 20)
    begin = context.index("mat", 200)
    question = Question("q", "who ran", context, (Answer(context[begin : begin + 7], begin),))
    windows, _ = windows_of(question, max_length=90, stride=10)
    assert len(windows) > 1
    assert {offset for window in windows for offset in window.offsets if offset} >= {(begin, begin + 3)}
    pointing = [window for window in windows if window.row["start_positions"]]
    assert 0 < len(pointing) < len(windows)
    for window in pointing:
        first, last = (window.offsets[window.row[name]] for name in ("start_positions", "end_positions"))
        assert context[first[0] : last[1]] == question.answers[0].text


def test_half_an_answer_in_a_window_is_not_here():
    context = " ".join(["cat"] * 40)
    windows, report = windows_of(Question("q", "who", context, (Answer(context, 0),)), max_length=80, stride=4)
    assert not report.left_out
    windows, report = windows_of(Question("q", "who", context, (Answer(context, 0),)), max_length=75, stride=4)
    assert len(windows) == 1  # 70 pieces of room hold the 40 words
    long = context * 3
    windows, report = windows_of(Question("q", "who", long, (Answer(long, 0),), "here"), max_length=75, stride=4)
    assert windows == []
    assert report.left_out == {"the answer is whole in no window of 75 pieces": ["here"]}
    assert report.used == 0


def test_for_prediction_every_question_is_kept_and_has_no_labels():
    long = " ".join(["cat"] * 120)
    windows, report = windows_of(
        Question("q", "who", long, (Answer(long, 0),)), max_length=75, stride=4, labelled=False
    )
    assert len(windows) > 1
    assert all("start_positions" not in window.row for window in windows)
    assert not report.left_out


def test_a_long_question_is_cut_and_reported():
    [window], report = windows_of(Question("q", "who ran " * 50, "the cat ran", (), "here"))
    assert window.offsets.index((0, 3)) == QUESTION_PIECES + 2
    assert report.changed == {"question cut to 64 pieces": ["here"]}


@pytest.mark.seconds
def test_a_context_of_ten_thousand_words_is_answered_near_its_end():
    words = ["cat", "sat", "on", "the", "mat"] * 2000
    words[9990] = "zebra"
    context = " ".join(words)
    begin = context.index("zebra")
    question = Question("q", "who ran", context, (Answer("zebra", begin),))
    windows, report = windows_of(question)
    assert not report.left_out
    [prediction] = answers_to([question], windows, *sure_scores(windows), allow_no_answer=False)
    assert (prediction.text, prediction.candidates[0].start) == ("zebra", begin)


def test_scores_that_point_at_the_labels_give_the_sample_s_answers():
    questions, report = read_squad(sample("questions.json"))
    windows = encode_questions(questions, tiny_tokenizer(), report, max_length=128, stride=48)
    assert len(windows) > len(questions)
    predictions = answers_to(questions, windows, *sure_scores(windows), allow_no_answer=True)
    expected = [question.answers[0].text if question.answers else "" for question in questions]
    assert [prediction.text for prediction in predictions] == expected
    assert expected.count("") == 4


CONTEXT = "the cat sat on the mat"
SPANS = (None, None, (0, 3), (4, 7), (8, 11), None)
QUESTION = Question("q", "who", CONTEXT)


def predict(start, end, **options):
    return answers_to([QUESTION], [AnswerWindow({}, 0, SPANS)], [start], [end], **options)[0]


def test_the_best_span_never_ends_before_it_begins_nor_lies_outside_the_context():
    prediction = predict([9, 9, 0, 0, 6, 9], [9, 9, 5, 1, 0, 9])
    assert prediction.text == "sat"
    assert {(each.start, each.end) for each in prediction.candidates} == {
        (0, 3),
        (0, 7),
        (0, 11),
        (4, 7),
        (4, 11),
        (8, 11),
    }


def test_candidates_are_ordered_and_their_probabilities_are_a_softmax():
    prediction = predict([0, 0, 1, 2, 0, 0], [0, 0, 0, 3, 1, 0])
    scores = np.array([each.score for each in prediction.candidates])
    assert list(scores) == sorted(scores, reverse=True)
    assert prediction.candidates[0].text == "cat"
    assert [each.probability for each in prediction.candidates] == pytest.approx(np.exp(scores) / np.exp(scores).sum())


def test_an_answer_has_at_most_as_many_pieces_as_allowed():
    scores = ([0, 0, 9, 0, 0, 0], [0, 0, 0, 5, 9, 0])
    assert predict(*scores).text == "the cat sat"
    assert predict(*scores, longest=2).text == "the cat"


def test_no_answer_wins_only_by_more_than_the_threshold_and_only_where_it_is_allowed():
    start, end = [4, 0, 3, 0, 0, 0], [4, 0, 3, 0, 0, 0]
    assert predict(start, end).text == "the"
    assert predict(start, end, allow_no_answer=True).text == ""
    assert predict(start, end, allow_no_answer=True, threshold=1.9).text == ""
    assert predict(start, end, allow_no_answer=True, threshold=2.0).text == "the"
    assert predict(start, end, allow_no_answer=True).no_answer_score == 2.0


def test_every_window_must_agree_that_there_is_no_answer():
    window = AnswerWindow({}, 0, SPANS)
    start = [[8, 0, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0]]
    [prediction] = answers_to([QUESTION], [window, window], start, start, allow_no_answer=True)
    assert prediction.text == "the"


def test_a_span_that_stands_in_two_windows_is_one_candidate_with_the_better_score():
    window = AnswerWindow({}, 0, SPANS)
    scores = [[0, 0, 1, 0, 0, 0], [0, 0, 4, 0, 0, 0]]
    [prediction] = answers_to([QUESTION], [window, window], scores, scores)
    assert len(prediction.candidates) == 6
    assert prediction.candidates[0].score == 8.0


def test_tensors_and_lists_of_scores_give_the_same():
    start, end = [0.0, 0, 1, 2, 0, 0, 7], [0.0, 0, 0, 3, 1, 0, 7]
    assert predict(torch.tensor(start), torch.tensor(end)) == predict(start, end)
    assert predict(torch.tensor(start, dtype=torch.bfloat16), torch.tensor(end)) == predict(start, end)


def test_only_n_best_candidates_are_kept():
    assert len(predict([0] * 6, [0] * 6, n_best=2).candidates) == 2


@pytest.mark.parametrize("name", ["Zoe\u0308", "Jose\u0301", "ran\u0303\u0301", "x\u0331", "Hano\u031b", "e\u0301"])
def test_an_answer_keeps_the_marks_that_the_tokenizer_drops(name: str) -> None:
    context = f"the cat sat on {name}, the dog ran"
    question = Question("q", "who ran", context, (Answer(name, 15),), location="q")
    windows, _ = windows_of(question, max_length=90, stride=8)
    [prediction] = answers_to([question], windows, *sure_scores(windows), allow_no_answer=False)
    assert prediction.text == name
    assert context[prediction.candidates[0].start : prediction.candidates[0].end] == name
