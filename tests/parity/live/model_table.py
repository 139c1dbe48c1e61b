"""The model classes that minibert and transformers share, one row each: what they are built with and given.

A new head is one more row of `MODELS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from side_by_side import BATCH, SEQ, TINY, encoder_batch, text_batch
from torch import Tensor


@dataclass(frozen=True)
class Row:
    """A class in one of its uses.

    fields: of its config. labels: what it computes its loss from. cross: whether an encoder stands beside it.
    choices: texts of one example, for the class that chooses among them.
    """

    class_name: str
    use: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, Tensor] = field(default_factory=dict)
    cross: bool = False
    choices: int | None = None

    def __str__(self) -> str:
        return f"{self.class_name} {self.use}".rstrip()

    def inputs(self) -> dict[str, Tensor]:
        """Ids, segments, mask and labels."""
        texts = text_batch()
        if self.choices is not None:
            texts = {name: tensor.view(-1, self.choices, SEQ) for name, tensor in texts.items()}
        return {**texts, **(encoder_batch() if self.cross else {}), **self.labels}


def words_to_find() -> Tensor:
    """(batch, seq): the ids of about half of the words, −100 for the rest."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(0, TINY["vocab_size"], (BATCH, SEQ), generator=generator)
    return labels.masked_fill(torch.rand(BATCH, SEQ, generator=generator) < 0.5, -100)


def tags(number: int) -> Tensor:
    """(batch, seq): a class for every token that is not padding.

    minibert, like the reference of its era, leaves padding out of the loss by itself; today's needs to be told.
    """
    drawn = torch.randint(0, number, (BATCH, SEQ), generator=torch.Generator().manual_seed(4))
    return drawn.masked_fill(text_batch()["attention_mask"] == 0, -100)


DECODER = {"is_decoder": True}
CROSS = {"is_decoder": True, "add_cross_attention": True}

MODELS = [
    Row("BertModel"),
    Row("BertModel", "as a decoder", DECODER),
    Row("BertModel", "beside an encoder", CROSS, cross=True),
    Row("BertForPreTraining", labels={"labels": words_to_find(), "next_sentence_label": torch.tensor([0, 1, 1, 0])}),
    Row("BertForMaskedLM", labels={"labels": words_to_find()}),
    Row("BertLMHeadModel", "as a decoder", DECODER, {"labels": words_to_find()}),
    Row("BertLMHeadModel", "beside an encoder", CROSS, {"labels": words_to_find()}, cross=True),
    Row("BertForNextSentencePrediction", labels={"labels": torch.tensor([0, 1, 1, 0])}),
    Row("BertForSequenceClassification", "regression", {"num_labels": 1}, {"labels": torch.randn(BATCH)}),
    Row("BertForSequenceClassification", "one of three", {"num_labels": 3}, {"labels": torch.tensor([2, 0, 1, 2])}),
    Row(
        "BertForSequenceClassification",
        "any of three",
        {"num_labels": 3},
        {"labels": torch.tensor([[1.0, 0, 1], [0, 0, 1], [0, 0, 0], [1, 1, 1]])},
    ),
    Row("BertForMultipleChoice", labels={"labels": torch.tensor([1, 0])}, choices=2),
    Row("BertForTokenClassification", fields={"num_labels": 5}, labels={"labels": tags(5)}),
    Row(
        "BertForQuestionAnswering",
        labels={"start_positions": torch.tensor([0, 3, 8, SEQ]), "end_positions": torch.tensor([2, 4, 99, SEQ])},
    ),
]
CLASSES = list(dict.fromkeys(row.class_name for row in MODELS))
