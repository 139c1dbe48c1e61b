"""Collators of the era; that their numbers are 4.12.5's is in tests/parity/old/era_programs.py."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from minibert import (
    BertForMaskedLM,
    BertForTokenClassification,
    BertTokenizer,
    DataCollatorForLanguageModeling,
    DataCollatorForTokenClassification,
    DataCollatorForWholeWordMask,
    DataCollatorWithPadding,
    default_data_collator,
)
from tests.unit.tiny_bert import tiny

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s", "dog", "bark", "##ed", "##ing", "ran"]
TEXTS = ["the cats ran", "the dog barked the cats", "dog"]


@pytest.fixture(params=["right", "left"])
def tokenizer(request: pytest.FixtureRequest) -> BertTokenizer:
    return BertTokenizer({piece: i for i, piece in enumerate(PIECES)}, padding_side=request.param)


@pytest.mark.parametrize(
    ("column", "values", "name", "dtype"),
    [
        ("label", [0, 1], "labels", torch.int64),
        ("label", [0.5, 1.0], "labels", torch.float32),
        ("label", [torch.tensor(1), torch.tensor(0)], "labels", torch.int64),
        ("label_ids", [[1, 2], [3, 4]], "labels", torch.int64),
        ("label_ids", [[0.5], [1.5]], "labels", torch.float32),
        ("label_ids", [[True, False]] * 2, "labels", torch.int64),
        ("label_ids", [torch.ones(2, dtype=torch.int32)] * 2, "labels", torch.int32),
        ("start_positions", [3, 4], "start_positions", torch.int64),
    ],
)
@pytest.mark.parametrize("kind", [dict, SimpleNamespace])
def test_labels_become_tensors_of_their_kind(
    column: str, values: list[Any], name: str, dtype: torch.dtype, kind: Any
) -> None:
    batch = default_data_collator([kind(**{column: value, "input_ids": [1, 2], "text": "a"}) for value in values])
    assert batch.keys() == {name, "input_ids"}
    assert batch[name].dtype == dtype
    assert batch["input_ids"].tolist() == [[1, 2], [1, 2]]


def test_of_two_labels_the_single_one_counts() -> None:
    assert default_data_collator([{"label_ids": [7], "label": 1}])["labels"].tolist() == [1]


def test_padded_texts_and_tokens_are_a_models_input(tokenizer: BertTokenizer) -> None:
    rows = [{**tokenizer(text), "label": i} for i, text in enumerate(TEXTS)]
    batch = DataCollatorWithPadding(tokenizer)(rows)
    assert batch["labels"].tolist() == [0, 1, 2]
    assert batch["input_ids"].shape == batch["attention_mask"].shape
    tagged = [{**tokenizer(text), "labels": [1] * len(tokenizer(text)["input_ids"])} for text in TEXTS]
    batch = DataCollatorForTokenClassification(tokenizer)(tagged)
    assert ((batch["labels"] == -100) == (batch["attention_mask"] == 0)).all()
    assert tiny(BertForTokenClassification)(**batch).loss.isfinite()
    assert "labels" in tagged[0]


def test_of_label_and_label_ids_the_second_counts(tokenizer: BertTokenizer) -> None:
    rows = [{"label_ids": i + 3, **tokenizer(text), "label": i} for i, text in enumerate(TEXTS)]
    batch = DataCollatorWithPadding(tokenizer)(rows)
    assert batch["labels"].tolist() == [3, 4, 5]
    assert {"label", "label_ids"}.isdisjoint(batch)


@pytest.mark.parametrize("settings", [{"pad_to_multiple_of": 5}, {"padding": "max_length", "max_length": 16}])
def test_padding_follows_the_settings(settings: dict[str, Any], tokenizer: BertTokenizer) -> None:
    rows = [dict(tokenizer(text)) for text in TEXTS]
    width = settings.get("max_length", 10)
    assert DataCollatorWithPadding(tokenizer, **settings)(rows)["input_ids"].shape == (3, width)


@pytest.mark.parametrize("probability", [0.0, 0.15, 0.5, 1.0])
def test_special_tokens_and_padding_are_never_hidden(probability: float, tokenizer: BertTokenizer) -> None:
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=probability)
    batch = collate([tokenizer(text) for text in TEXTS])
    chosen = batch["labels"] != -100
    original = torch.where(chosen, batch["labels"], batch["input_ids"])
    assert not (chosen & (original < 5)).any()
    if probability in (0.0, 1.0):
        assert (chosen == (original >= 5)).all() or (probability == 0.0 and not chosen.any())
    assert tiny(BertForMaskedLM)(**batch).logits.shape == (*batch["input_ids"].shape, 99)


def test_without_masking_the_labels_are_the_words(tokenizer: BertTokenizer) -> None:
    batch = DataCollatorForLanguageModeling(tokenizer, mlm=False)([tokenizer(text) for text in TEXTS])
    assert (batch["labels"] == batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)).all()


@pytest.mark.parametrize("seed", range(6))
def test_words_are_hidden_whole(seed: int, tokenizer: BertTokenizer) -> None:
    random.seed(seed)
    batch = DataCollatorForWholeWordMask(tokenizer, mlm_probability=0.4)([tokenizer(text) for text in TEXTS])
    for labels, text in zip(batch["labels"], TEXTS, strict=True):
        encoding = tokenizer(text)
        chosen = labels[labels != -100].tolist()
        words = encoding.word_ids()
        by_word = [
            [i for i, w in zip(encoding["input_ids"], words, strict=True) if w == word] for word in set(words) - {None}
        ]
        whole = [ids for ids in by_word if set(ids) <= set(chosen)]
        assert len(chosen) == 1 or sorted(chosen)[-1] in {i for ids in whole for i in ids}
        assert chosen


def test_positions_named_by_the_example_continue_a_word(tokenizer: BertTokenizer) -> None:
    collate = DataCollatorForWholeWordMask(tokenizer, mlm_probability=1.0)
    example = {"input_ids": tokenizer("the dog ran")["input_ids"], "chinese_ref": [2, 3]}
    assert collate._chosen_words(example) == [0, 1, 1, 1, 0]


@pytest.mark.parametrize("kind", [DataCollatorForLanguageModeling, DataCollatorForWholeWordMask])
def test_a_seed_decides_what_is_hidden(kind: Any, tokenizer: BertTokenizer) -> None:
    found = []
    for _ in range(2):
        random.seed(3)
        torch.manual_seed(3)
        found.append(kind(tokenizer)([tokenizer(text)["input_ids"] for text in TEXTS]))
    assert all(torch.equal(found[0][name], found[1][name]) for name in ("input_ids", "labels"))


@pytest.mark.parametrize(
    "collate",
    [
        lambda tokenizer: default_data_collator([{"a": 1}], return_tensors="tf"),  # noqa: ARG005
        lambda tokenizer: DataCollatorForLanguageModeling(tokenizer, return_tensors="np")([[1]]),
        lambda tokenizer: DataCollatorForLanguageModeling(tokenizer)([[1]], return_tensors="tf"),
        lambda tokenizer: DataCollatorForWholeWordMask(tokenizer)([[1]], return_tensors="np"),
        lambda tokenizer: DataCollatorForTokenClassification(tokenizer, return_tensors="np")([{"labels": [1]}]),
    ],
)
def test_other_arrays_are_refused_by_name(collate: Any, tokenizer: BertTokenizer) -> None:
    with pytest.raises(ValueError, match="PyTorch tensors only"):
        collate(tokenizer)


def test_a_tokenizer_that_lacks_a_token_is_refused() -> None:
    plain = BertTokenizer({"[UNK]": 0, "a": 1, "[CLS]": 2, "[SEP]": 3}, mask_token=None, pad_token=None)
    with pytest.raises(ValueError, match="mask_token"):
        DataCollatorForLanguageModeling(plain)
    assert DataCollatorForLanguageModeling(plain, mlm=False)([[1], [1]])["labels"].tolist() == [[1], [1]]
    with pytest.raises(ValueError, match="pad"):
        DataCollatorForLanguageModeling(plain, mlm=False)([[1], [1, 1]])
