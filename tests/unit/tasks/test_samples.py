"""The sample files, each through its reader, one batch and the head it is for."""

from __future__ import annotations

import pytest
import torch

from course.samples import SAMPLES, sample
from minibert import (
    BertForMultipleChoice,
    BertForNextSentencePrediction,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
)
from minibert.tasks import (
    NEXT_SENTENCE_LABELS,
    collate,
    encode_choices,
    encode_questions,
    encode_tags,
    encode_texts,
    find_labels,
    find_tags,
    read_choices,
    read_classification,
    read_sentence_pairs,
    read_squad,
    read_tags,
)
from tests.unit.tasks.tiny_tokenizer import PIECES, tiny_tokenizer
from tests.unit.tiny_bert import tiny

TOKENIZER = tiny_tokenizer()
CLASSIFICATION = {
    "reviews.csv": "single_label_classification",
    "paraphrases.tsv": "single_label_classification",
    "similarity.csv": "regression",
    "topics.jsonl": "multi_label_classification",
}


def rows_model_and_report(name):
    """The rows of a sample, a fresh model for them, and the account."""
    sizes = {"vocab_size": len(PIECES), "max_position_embeddings": 128}
    path = sample(name)
    if name in CLASSIFICATION:
        kind = CLASSIFICATION[name]
        examples, report = read_classification(path, kind)
        labels = find_labels(examples, kind)
        model = tiny(BertForSequenceClassification, problem_type=kind, id2label=labels.id2label, **sizes)
        return encode_texts(examples, TOKENIZER, labels, 128, report), model, report
    if name == "entities.conll":
        sentences, report = read_tags(path)
        labels = find_tags(sentences)
        model = tiny(BertForTokenClassification, id2label=labels.id2label, **sizes)
        return [each.row for each in encode_tags(sentences, TOKENIZER, labels, 128, report)], model, report
    if name == "questions.json":
        questions, report = read_squad(path)
        windows = encode_questions(questions, TOKENIZER, report, max_length=128, stride=48)
        return [each.row for each in windows], tiny(BertForQuestionAnswering, **sizes), report
    if name == "endings.csv":
        examples, report = read_choices(path)
        return encode_choices(examples, TOKENIZER, 128, report), tiny(BertForMultipleChoice, **sizes), report
    pairs, report = read_sentence_pairs(path, seed=0)
    rows = encode_texts(pairs, TOKENIZER, NEXT_SENTENCE_LABELS, 128, report)
    return rows, tiny(BertForNextSentencePrediction, **sizes), report


@pytest.mark.parametrize("name", [name for name in SAMPLES if "/" not in name])
def test_a_sample_makes_a_batch_that_its_head_can_learn_from(name):
    rows, model, report = rows_model_and_report(name)
    batch = collate(rows[:6], TOKENIZER)
    loss = model(**batch).loss
    loss.backward()
    assert torch.isfinite(loss)
    assert 12 <= report.used <= 40
    assert report.used == report.found
    assert not report.changed
