"""The commonest first mistake: what the tokenizer gave, without `return_tensors`, handed to a model."""

from __future__ import annotations

from typing import Any

import pytest

from minibert import BertForMaskedLM, BertModel, BertTokenizer
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
