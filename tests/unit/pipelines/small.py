"""A vocabulary of a few words, and pipelines over fresh models that know it."""

from __future__ import annotations

from typing import Any

import torch

from minibert import (
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    BertTokenizer,
    BertTokenizerFast,
    Pipeline,
    pipeline,
)
from tests.unit.tiny_bert import tiny

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] the cat sat ate fish un ##kind ##ly . , who ? he she in rome".split()  # noqa: SIM905
VOCABULARY = {word: index for index, word in enumerate(WORDS)}
LABELS = ("O", "B-PER", "I-PER", "MISC")
MODELS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "fill-mask": (BertForMaskedLM, {}),
    "text-classification": (BertForSequenceClassification, {"num_labels": 3}),
    "ner": (BertForTokenClassification, {"id2label": dict(enumerate(LABELS))}),
    "question-answering": (BertForQuestionAnswering, {}),
    "feature-extraction": (BertModel, {}),
    "sentence-similarity": (BertModel, {}),
}
INPUTS: dict[str, list[Any]] = {
    "fill-mask": ["the cat [MASK] .", "the [MASK]", "he ate the fish , [MASK] sat in rome ."],
    "text-classification": ["the cat sat", "", "he ate the fish , she sat in rome ."],
    "ner": ["the unkindly cat sat", "", "he ate the fish , she sat in rome ."],
    "question-answering": [
        {"question": "who ate ?", "context": context}
        for context in ("the cat sat .", "he ate the fish , she sat in rome . " * 4, "cat")
    ],
    "feature-extraction": ["the cat sat", "", "he ate the fish , she sat in rome ."],
    "sentence-similarity": [
        {"source_sentence": "the cat sat", "sentences": sentences}
        for sentences in (["the cat", "he ate"], ["in rome"], ["fish", "fish", "", "the cat sat"])
    ],
}


def tokenizer(*, fast: bool = True, **settings: Any) -> BertTokenizer:
    return (BertTokenizerFast if fast else BertTokenizer)(VOCABULARY, model_max_length=24, **settings)


def small(task: str, *, fast: bool = True, config: dict[str, Any] | None = None, **settings: Any) -> Pipeline[Any]:
    """A pipeline over a model whose numbers differ clearly from one token and label to the next."""
    model_class, fields = MODELS[task]
    fields = {"vocab_size": len(VOCABULARY), "initializer_range": 0.3, **fields, **(config or {})}
    model = tiny(model_class, **fields)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(("classifier.w", "qa_outputs.w")):
                parameter *= 5
    return pipeline(task, model=model, tokenizer=tokenizer(fast=fast), **settings)
