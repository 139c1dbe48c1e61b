"""Laws of task data: nothing is lost on the way to pieces, windows and batches, whatever the text, the window and the seed."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from minibert.tasks import (
    Answer,
    BatchOrder,
    Labels,
    Question,
    TaggedSentence,
    collate,
    encode_questions,
    encode_tags,
    tags_of_words,
)
from minibert.tasks.squad import QUESTION_PIECES, SPECIAL_TOKENS
from minibert.tasks.task_files import Report
from tests.unit.tasks.tiny_tokenizer import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
TAGS = Labels(("B", "I", "O"))
words = st.sampled_from(["the", "cat", "unables", "Zebra", "don't", "7½", "你好", "É", "..."])
texts = st.lists(st.sampled_from(["the", "unables", "Zebra,", "\u200b", "  ", "你", "É"]), max_size=80).map(" ".join)
rooms = st.integers(1, 30).flatmap(lambda room: st.tuples(st.just(room), st.integers(0, room - 1)))


@given(texts, texts, rooms)
def test_windows_of_any_context_are_the_tokenizer_s(question, context, room_and_stride):
    room, stride = room_and_stride
    max_length = room + QUESTION_PIECES + SPECIAL_TOKENS
    if len(TOKENIZER(question, add_special_tokens=False).input_ids) > QUESTION_PIECES:
        question = "who"
    report = Report("t", 1)
    windows = encode_questions(
        [Question("q", question, context)], TOKENIZER, report, max_length=max_length, stride=stride
    )
    theirs = TOKENIZER(
        [question],
        [context],
        truncation="only_second",
        max_length=max_length,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    assert [window.row["input_ids"] for window in windows] == theirs.input_ids
    for index, window in enumerate(windows):
        in_context = zip(theirs.offset_mapping[index], theirs.sequence_ids(index), strict=True)
        assert list(window.offsets) == [offset if text == 1 else None for offset, text in in_context]


@given(st.lists(words, min_size=1, max_size=40), st.data())
def test_any_words_as_the_answer_are_found_again_by_their_positions(context, data):
    first = data.draw(st.integers(0, len(context) - 1))
    last = data.draw(st.integers(first, min(first + 3, len(context) - 1)))
    text = " ".join(context[first : last + 1])
    begin = len(" ".join([*context[:first], ""]))
    question = Question("q", "who", " ".join(context), (Answer(text, begin),))
    windows = encode_questions([question], TOKENIZER, Report("t", 1), max_length=110, stride=40)
    pointing = [window for window in windows if window.row["start_positions"]]
    assert pointing
    for window in pointing:
        start, end = (window.offsets[window.row[name]] for name in ("start_positions", "end_positions"))
        assert (start[0], end[1]) == (begin, begin + len(text))


@pytest.mark.seconds
@given(
    st.lists(st.lists(st.tuples(words, st.sampled_from(TAGS.names)), min_size=1, max_size=30), min_size=1, max_size=4),
    st.integers(3, 40),
)
def test_tags_come_back_from_any_windows_and_any_padding(drawn, max_length):
    sentences = [TaggedSentence(*(tuple(column) for column in zip(*each, strict=True))) for each in drawn]
    windows = encode_tags(sentences, TOKENIZER, TAGS, max_length, Report("t", len(sentences)))
    batch = collate([window.row for window in windows], TOKENIZER)
    assert tags_of_words(windows, batch["labels"], sentences, TAGS) == [list(each.tags) for each in sentences]
    assert int((batch["labels"] != -100).sum()) == sum(map(len, drawn))


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=60),
    st.integers(1, 9),
    st.integers(0, 99),
    st.integers(0, 3),
    st.booleans(),
)
def test_every_epoch_of_any_size_shows_every_example_once(lengths, batch_size, seed, epoch, grouped):
    order = BatchOrder(lengths, batch_size, seed, group_by_length=grouped)
    steps = range(epoch * order.batches_per_epoch, (epoch + 1) * order.batches_per_epoch)
    batches = [order.batch(step) for step in steps]
    assert sorted(example for batch in batches for example in batch) == list(range(len(lengths)))
    assert max(map(len, batches)) <= batch_size


@given(st.lists(st.text(min_size=1, max_size=3), min_size=1), st.randoms(use_true_random=False))
def test_labels_do_not_depend_on_the_order_in_which_they_are_met(names, chance):
    labels = Labels.found_in(names)
    assert Labels.found_in(chance.sample(names, len(names))) == labels
    assert labels.ids(labels.names, "here") == list(range(len(set(names))))
