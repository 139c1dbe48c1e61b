"""The commonest first mistake: what the tokenizer gave, without `return_tensors`, handed to a model."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from minibert import BertForMaskedLM, BertForSequenceClassification, BertModel, BertTokenizer
from tests.unit.tiny_bert import BUNDLED, tiny

ids = BertTokenizer.from_pretrained(BUNDLED)("hello").input_ids


@pytest.mark.parametrize("model", [BertModel, BertForMaskedLM])
@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"input_ids": [2, 5, 3], "attention_mask": [1, 1, 1]}, "list"),
        ({"input_ids": [[2, 5, 3]]}, "list"),
        ({"input_ids": (2, 5, 3)}, "tuple"),
        ({"input_ids": "hello"}, "str"),
        ({"input_ids": ids}, "list"),
        ({"input_ids": 5}, "int"),
    ],
)
def test_what_is_no_tensor_is_refused_with_how_to_get_one(model: Any, arguments: dict[str, Any], kind: str) -> None:
    with pytest.raises(ValueError, match=rf"input_ids is of type {kind}, and must be a tensor;.*return_tensors=\"pt\""):
        tiny(model)(**arguments)


def test_an_encoding_given_whole_is_refused_with_how_to_unpack_it() -> None:
    encoding = BertTokenizer.from_pretrained(BUNDLED)("hello", return_tensors="pt")
    message = (
        r"^input_ids is of type BatchEncoding, and must be a tensor; give its columns by name: model\(\*\*encoding\)\.$"
    )
    with pytest.raises(ValueError, match=message):
        tiny(BertModel)(encoding)
    with pytest.raises(ValueError, match=r"^inputs_embeds is of type dict.*give its columns by name"):
        tiny(BertForMaskedLM)(inputs_embeds={"input_ids": ids})


def test_a_list_of_another_kind_is_refused_with_how_to_make_it_a_tensor() -> None:
    words = torch.tensor([[2, 5, 3]])
    message = r"^position_ids is of type list, and must be a tensor; use torch\.tensor\(position_ids\)\.$"
    with pytest.raises(ValueError, match=message):
        tiny(BertModel)(words, position_ids=[0, 1, 2])
    with pytest.raises(ValueError, match=r"^labels is of type list, and must be a tensor; use torch\.tensor\(labels\)"):
        tiny(BertForSequenceClassification, num_labels=1)(words, labels=[0.5])
    for name in ("token_type_ids", "attention_mask"):
        with pytest.raises(ValueError, match=rf"^{name} is of type list, .*the tokenizer makes tensors when asked"):
            tiny(BertModel)(words, **{name: [[1, 1, 1]]})
