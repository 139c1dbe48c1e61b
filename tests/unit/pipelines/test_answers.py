"""What each task's answers mean, computed by hand; that they equal 4.12.5's is in tests/parity."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.pipelines.small import VOCABULARY, small

# ------------------------------------------------------------------------------------------------------------ fill-mask


def test_words_for_a_blank_are_the_likeliest_of_the_vocabulary_in_order() -> None:
    pipe = small("fill-mask")
    answers = pipe("the [MASK] sat", top_k=100)  # more than there are
    inputs = pipe.tokenizer("the [MASK] sat", return_tensors="pt")
    expected = pipe.model(**inputs).logits[0, 2].softmax(-1)
    assert [answer["token"] for answer in answers] == expected.argsort(descending=True).tolist()
    assert sum(answer["score"] for answer in answers) == pytest.approx(1, abs=1e-5)
    assert all(VOCABULARY[answer["token_str"]] == answer["token"] for answer in answers)


def test_a_list_of_one_text_has_the_answers_of_the_text_and_of_two_a_list_each() -> None:
    pipe = small("fill-mask")
    alone = pipe("the [MASK]")
    assert pipe(["the [MASK]"]) == alone
    assert pipe(["the [MASK]"] * 2) == [alone, alone]


def test_rows_of_the_model_that_no_word_has_are_no_answers() -> None:
    pipe = small("fill-mask", config={"vocab_size": len(VOCABULARY) + 9})
    assert len(pipe("the [MASK]", top_k=100)) == len(VOCABULARY)


def test_targets_are_scored_as_without_them_and_only_they_are(caplog: pytest.LogCaptureFixture) -> None:
    pipe = small("fill-mask")
    scores = {answer["token_str"]: answer["score"] for answer in pipe("the [MASK]", top_k=100)}
    with caplog.at_level(logging.WARNING, "minibert"):
        answers = pipe("the [MASK]", targets=["cat", "unkindly", "fish", "cat", ""])
    assert {answer["token_str"]: answer["score"] for answer in answers} == {
        word: scores[word] for word in ("cat", "un", "fish")
    }
    assert "'unkindly' is not a piece of the vocabulary. Its first piece, 'un', is looked for" in caplog.text
    assert "''" in caplog.text
    with pytest.raises(ValueError, match="At least one target"):
        pipe("the [MASK]", targets=[])


@pytest.mark.parametrize(
    ("text", "problem"), [("the cat", "No mask_token"), ("[MASK] [MASK]", "More than one mask_token")]
)
def test_a_text_needs_exactly_one_blank(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        small("fill-mask")(text)


def test_a_tokenizer_without_a_mask_is_an_error() -> None:
    pipe = small("fill-mask")
    pipe.tokenizer.mask_token = None
    with pytest.raises(ValueError, match="does not define a `mask_token`"):
        pipe("the cat")


# -------------------------------------------------------------------------------------------------- text classification


@pytest.mark.parametrize(
    ("config", "asked", "function"),
    [
        ({}, None, "softmax"),
        ({}, "default", "softmax"),
        ({}, "sigmoid", "sigmoid"),
        ({}, "NONE", "none"),
        ({"num_labels": 1}, None, "sigmoid"),
        ({"num_labels": 1}, "none", "none"),
        ({"problem_type": "multi_label_classification"}, None, "sigmoid"),
    ],
)
def test_scores_are_the_function_of_the_logits(config: dict[str, Any], asked: str | None, function: str) -> None:
    pipe = small("text-classification", config=config)
    logits = pipe.model(**pipe.tokenizer("the cat", return_tensors="pt")).logits[0]
    expected = {"softmax": logits.softmax(-1), "sigmoid": logits.sigmoid(), "none": logits}[function].tolist()
    (found,) = pipe("the cat", return_all_scores=True, function_to_apply=asked)
    assert [each["label"] for each in found] == [f"LABEL_{index}" for index in range(len(expected))]
    assert [each["score"] for each in found] == pytest.approx(expected, abs=1e-6)
    assert pipe("the cat", function_to_apply=asked) == [max(found, key=lambda each: each["score"])]


def test_a_pair_is_one_input_however_it_is_given() -> None:
    pipe = small("text-classification")
    inputs = pipe.tokenizer("the cat", "he ate", return_tensors="pt")
    score = pipe.model(**inputs).logits.softmax(-1).max().item()
    by_name = pipe({"text": "the cat", "text_pair": "he ate"})
    assert by_name == pipe("the cat", text_pair="he ate")
    assert by_name[0]["score"] == pytest.approx(score, abs=1e-6)
    assert by_name != pipe("the cat")
    with pytest.raises(ValueError, match="for a pair"):
        pipe([["the cat", "he ate"]])


def test_an_unknown_function_is_an_error_that_lists_them() -> None:
    with pytest.raises(ValueError, match="default, softmax, sigmoid, none"):
        small("text-classification")("the cat", function_to_apply="relu")


# ------------------------------------------------------------------------------------------------- token classification

TOKENS = ["the", "un", "##kind", "##ly", "cat", "sat"]


def tagged(rows: list[list[float]], *, fast: bool = True, **settings: Any) -> list[dict[str, Any]]:
    """Entities of "the unkindly cat sat" by a model that gives each of the six tokens these probabilities."""
    pipe = small("ner", fast=fast, ignore_labels=[], **settings)
    scores = torch.tensor([[0.25] * 4, *rows, [0.25] * 4]).log()
    return pipe.postprocess(pipe.preprocess("the unkindly cat sat", pipe.settings), [scores], pipe.settings)


O, B, I, M = ([0.7 if index == label else 0.1 for index in range(4)] for label in range(4))  # noqa: E741


def groups(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["entity_group"], each["word"]) for each in found]


def test_without_a_strategy_every_token_has_its_label_and_characters() -> None:
    found = tagged([O, B, I, I, M, O])
    assert [(each["word"], each["entity"], each["index"]) for each in found] == [
        (token, label, number)
        for number, (token, label) in enumerate(
            zip(TOKENS, ["O", "B-PER", "I-PER", "I-PER", "MISC", "O"], strict=True), 1
        )
    ]
    assert [(each["start"], each["end"]) for each in found] == [(0, 3), (4, 6), (6, 10), (10, 12), (13, 16), (17, 20)]


def test_runs_of_one_label_are_an_entity_and_b_begins_a_new_one() -> None:
    assert groups(tagged([B, B, I, I, I, O], aggregation_strategy="simple")) == [
        ("PER", "the"),
        ("PER", "unkindly cat"),
        ("O", "sat"),
    ]


@pytest.mark.parametrize(("strategy", "label"), [("first", "PER"), ("max", "MISC"), ("average", "O")])
def test_a_word_has_the_label_that_the_strategy_says(strategy: str, label: str) -> None:
    rows = [O, [0.3, 0.6, 0.05, 0.05], [0.6, 0.1, 0.2, 0.1], [0.05, 0.05, 0.0, 0.9], I, O]
    rows = [[0.4, 0.6, 0.0, 0.0], [0.4, 0.6, 0.0, 0.0], [0.95, 0.0, 0.05, 0.0], [0.02, 0.0, 0.0, 0.98], B, I]
    found = tagged(rows, aggregation_strategy=strategy)
    (word,) = [each for each in found if "unkindly" in each["word"]]
    assert word["entity_group"] == label
    expected = {"first": 0.6, "max": 0.98, "average": np.mean([0.4, 0.95, 0.02])}[strategy]
    assert word["score"] == pytest.approx(expected, abs=1e-6)
    assert (word["start"], word["end"]) == (4, 12)


def test_a_word_that_the_vocabulary_cannot_spell_is_shown_as_written_and_is_a_word() -> None:
    pipe = small("ner", ignore_labels=[], aggregation_strategy="first")
    prepared = pipe.preprocess("the Xyz sat", pipe.settings)
    scores = torch.tensor([O, O, B, M, O]).log()
    found = pipe.postprocess(prepared, [scores], pipe.settings)
    assert [(each["word"], each["entity_group"]) for each in found] == [("the", "O"), ("Xyz", "PER"), ("sat", "MISC")]
    assert pipe.postprocess(prepared, [scores], pipe.chosen({"aggregation_strategy": "none"}))[1]["word"] == "Xyz"


def test_old_names_of_strategies_give_their_answers() -> None:
    rows = [B, [0.4, 0.6, 0.0, 0.0], M, I, O, O]
    assert tagged(rows, grouped_entities=True) == tagged(rows, aggregation_strategy="simple")
    both = tagged(rows, grouped_entities=True, ignore_subwords=True)
    assert both == tagged(rows, aggregation_strategy="first")
    assert tagged(rows, ignore_subwords=True) == tagged(rows)


def test_labels_are_ignored_by_default_by_setting_and_by_attribute() -> None:
    pipe = small("ner")
    everything = pipe("the cat sat", ignore_labels=[])
    assert len(everything) == 3
    assert pipe("the cat sat") == [each for each in everything if each["entity"] != "O"]
    pipe.ignore_labels = [everything[0]["entity"]]
    assert pipe("the cat sat") == [each for each in everything if each["entity"] != everything[0]["entity"]]


def test_the_plain_tokenizer_tells_no_characters_and_no_words() -> None:
    assert {(each["start"], each["end"]) for each in tagged([O] * 6, fast=False)} == {(None, None)}
    with pytest.raises(ValueError, match=r"'max' needs words.*BertTokenizerFast"):
        small("ner", fast=False, aggregation_strategy="max")
    with pytest.raises(ValueError, match="none, simple, first, average, max"):
        small("ner", aggregation_strategy="last")


@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
def test_a_text_without_words_has_no_entities(strategy: str) -> None:
    assert small("ner", aggregation_strategy=strategy, ignore_labels=[])(" ") == []


# --------------------------------------------------------------------------------------------------- question answering

CONTEXT = "he ate the fish , she sat in rome . the unkindly cat ate the fish . " * 4


def test_an_answer_is_a_piece_of_the_context() -> None:
    pipe = small("question-answering")
    for answer in pipe(question="who ate ?", context=CONTEXT, top_k=10):
        assert CONTEXT[answer["start"] : answer["end"]] == answer["answer"]


def test_answers_of_all_windows_are_ranked_together_and_each_window_is_read() -> None:
    pipe = small("question-answering")
    found = pipe(question="who ate ?", context=CONTEXT, max_seq_len=20, doc_stride=4, top_k=50)
    scores = [answer["score"] for answer in found]
    assert scores == sorted(scores, reverse=True)
    assert max(answer["end"] for answer in found) > len(CONTEXT) * 0.7
    assert min(answer["start"] for answer in found) < len(CONTEXT) * 0.3


@pytest.mark.parametrize("fast", [True, False])
def test_a_score_is_the_product_of_two_probabilities_over_the_context_and_cls(fast: bool) -> None:
    pipe = small("question-answering", fast=fast)
    inputs = pipe.tokenizer("who ?", "the cat sat", return_tensors="pt")  # [CLS] who ? [SEP] the cat sat [SEP]
    outputs = pipe.model(**inputs)
    start, end = (logits[0, [0, 4, 5, 6]].softmax(0)[1:] for logits in (outputs.start_logits, outputs.end_logits))
    best = torch.outer(start, end).triu().max().item()
    assert pipe("who ?", "the cat sat")["score"] == pytest.approx(best, abs=1e-6)


def test_no_answer_is_longer_than_asked() -> None:
    pipe = small("question-answering")
    found = pipe(question="who ?", context=CONTEXT[:68], top_k=400, max_answer_len=2, max_seq_len=24)
    assert (
        max(len(pipe.tokenizer.tokenize(answer["answer"])) for answer in found) <= 4
    )  # whole words: a piece is unkindly
    assert {len(answer["answer"].split()) for answer in found} == {1, 2}


def test_that_there_is_no_answer_can_be_one() -> None:
    pipe = small("question-answering")
    found = pipe(question="who ?", context="the cat", top_k=100, handle_impossible_answer=True)
    (none,) = [answer for answer in found if answer["answer"] == ""]
    assert (none["start"], none["end"]) == (0, 0)
    assert 0 < none["score"] < 1
    assert "" not in [answer["answer"] for answer in pipe(question="who ?", context="the cat", top_k=100)]


@pytest.mark.parametrize("fast", [True, False])
def test_a_context_without_words_has_the_empty_answer(fast: bool) -> None:
    nothing = {"score": 0.0, "start": 0, "end": 0, "answer": ""}
    assert small("question-answering", fast=fast)(question="who ?", context=" \n") == nothing


def test_the_plain_tokenizer_counts_the_end_as_the_reference_does() -> None:
    pipe = small("question-answering", fast=False)
    assert pipe(question="who ?", context="cat") == {**pipe(question="who ?", context="cat "), "end": 2}


def test_the_plain_tokenizer_answers_with_words_between_spaces() -> None:
    answers = small("question-answering", fast=False)(question="who ?", context="cat,cat\nfish.", top_k=20)
    assert {answer["answer"] for answer in answers} <= {"cat,cat", "fish.", "cat,cat fish."}


def test_with_the_plain_tokenizer_no_answer_begins_or_ends_with_an_unknown_word() -> None:
    asked = {"question": "who ?", "context": "xyz the zyx", "top_k": 20}
    assert small("question-answering", fast=False)(**asked)["answer"] == "the"  # one is left, and so no list
    assert "xyz" in [answer["answer"] for answer in small("question-answering")(**asked)]


def test_a_question_can_be_cut() -> None:
    pipe = small("question-answering")
    cut = pipe(question="who ate the fish in rome ?", context="the cat sat", max_question_len=2)
    assert cut == pipe(question="who ate", context="the cat sat")


@pytest.mark.parametrize("fast", [True, False])
def test_every_word_of_a_context_is_in_a_window_however_long_the_question(fast: bool) -> None:
    pipe = small("question-answering", fast=fast, doc_stride=4 if fast else 12)
    asked = {"question": "who ate the fish in rome ? " * 2, "context": CONTEXT}
    _, windows = pipe.preprocess(asked, pipe.settings).source
    assert len(windows) > 2
    read = {span for row in windows for span, of in zip(row.offsets, row.sequence_ids, strict=True) if of == 1}
    assert (
        sorted(read) == pipe.tokenizer(CONTEXT, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    )


@pytest.mark.parametrize("name", ["top_k", "max_answer_len", "max_seq_len", "max_question_len", "doc_stride"])
def test_counts_begin_at_one(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} parameter should be a whole number >= 1"):
        small("question-answering")(question="who ?", context="the cat", **{name: 0})


def test_windows_that_would_not_move_are_an_error_that_says_what_to_change() -> None:
    with pytest.raises(ValueError, match="Raise max_length or lower stride"):
        small("question-answering")(question="who ?", context=CONTEXT, max_seq_len=12, doc_stride=12)


@pytest.mark.parametrize(
    "asked",
    [
        {"question": ["who ?"], "context": ["the cat", "the cat"]},
        {"question": "who ?"},
        {"question": "", "context": "the cat"},
        {"question": "who ?", "context": ""},
        {},
    ],
)
def test_a_question_without_its_context_is_an_error(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"context|question"):
        small("question-answering")(**asked)


def test_questions_may_share_a_context() -> None:
    pipe = small("question-answering")
    shared = pipe(question=["who ?", "who ate ?"], context="the cat sat")
    assert shared == [pipe("who ?", "the cat sat"), pipe("who ate ?", "the cat sat")]
    assert shared == pipe(X=[{"question": each, "context": "the cat sat"} for each in ("who ?", "who ate ?")])


# -------------------------------------------------------------------------------------------------------------- vectors


def test_likeness_is_the_cosine_of_mean_vectors() -> None:
    from minibert import pipeline

    pipe = small("sentence-similarity")
    found = pipe({"source_sentence": "the cat", "sentences": ["he ate fish", "the cat"]})
    vectors = pipeline("feature-extraction", model=pipe.model, tokenizer=pipe.tokenizer)
    one, other = (np.mean(vectors(text)[0], axis=0) for text in ("the cat", "he ate fish"))
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert found == pytest.approx([cosine, 1.0], abs=1e-6)


@pytest.mark.parametrize("sentences", [[], "the cat", None, [3]])
def test_likeness_needs_sentences(sentences: Any) -> None:
    with pytest.raises(ValueError, match=r"sentences|3"):
        small("sentence-similarity")({"source_sentence": "the cat", "sentences": sentences})
