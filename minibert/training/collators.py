"""Collators of the era: a list of examples → a batch of PyTorch tensors, for `DataLoader(…, collate_fn=…)`.

The reference's numbers under the same seeds of `torch` and, for whole words, `random`. Reference: `transformers.data.data_collator`.
minibert's own pre-training hides words in `minibert/data/masking.py`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..model.checks import IGNORED
from ..tokenization import PaddingStrategy


def default_data_collator(features: Sequence[Any], return_tensors: str = "pt") -> dict[str, Tensor]:
    """Columns of examples of one length, as tensors; `label` or `label_ids` become `labels`. Text and None are left out.

    features: dictionaries, or objects with attributes; the first says which columns there are.
    """
    _check_pytorch(return_tensors)
    rows = [feature if isinstance(feature, Mapping) else vars(feature) for feature in features]
    batch = {}
    for column, first in rows[0].items():
        two_labels = column == "label_ids" and rows[0].get("label") is not None  # then the other counts
        if first is None or isinstance(first, str) or two_labels:
            continue
        values = [row[column] for row in rows]
        tensor = torch.stack(values) if isinstance(first, Tensor) else torch.tensor(values)
        if column == "label" or (column == "label_ids" and not isinstance(first, Tensor)):
            tensor = tensor.float() if tensor.is_floating_point() else tensor.long()
        batch["labels" if column in ("label", "label_ids") else column] = tensor
    return batch


def _check_pytorch(return_tensors: str) -> None:
    if return_tensors != "pt":
        raise ValueError(f"return_tensors={return_tensors!r}: collators make PyTorch tensors only, 'pt'.")


@dataclass
class DataCollatorWithPadding:
    """Encoded examples, padded by the tokenizer; `label` or `label_ids` become `labels`."""

    tokenizer: Any
    padding: bool | str | PaddingStrategy = True
    max_length: int | None = None
    pad_to_multiple_of: int | None = None
    return_tensors: str | None = "pt"

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> Any:
        how = {name: getattr(self, name) for name in ("padding", "max_length", "pad_to_multiple_of", "return_tensors")}
        batch = self.tokenizer.pad(features, **how)
        for name in ("label", "label_ids"):
            if name in batch:
                batch["labels"] = batch.pop(name)
        return batch


@dataclass
class DataCollatorForTokenClassification(DataCollatorWithPadding):
    """Encoded examples with a label for each token, all padded: the labels with `label_pad_token_id`."""

    label_pad_token_id: int = IGNORED

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> Any:
        _check_pytorch(str(self.return_tensors))
        name = "label" if "label" in features[0] else "labels"
        if name not in features[0]:
            return super().__call__(features)
        tokens = [{column: value for column, value in feature.items() if column != name} for feature in features]
        batch, rows = super().__call__(tokens), []
        for feature in features:
            rest = [self.label_pad_token_id] * (batch["input_ids"].shape[1] - len(feature[name]))
            rows.append([*feature[name], *rest] if self.tokenizer.padding_side == "right" else [*rest, *feature[name]])
        return {**batch, name: torch.tensor(rows)}


@dataclass
class DataCollatorForLanguageModeling:
    """Hide 15% of the words of each batch anew, 80% as [MASK] and 10% as another word; or with mlm=False, hide none.

    Examples: encodings, where `special_tokens_mask` saves looking for special tokens; or lists or tensors of ids.
    Returns their columns and `labels`, −100 where there is nothing to predict.
    """

    tokenizer: Any
    mlm: bool = True
    mlm_probability: float = 0.15
    pad_to_multiple_of: int | None = None
    tf_experimental_compile: bool = False  # without effect: its place among the arguments
    return_tensors: str = "pt"

    def __post_init__(self) -> None:
        if self.mlm and self.tokenizer.mask_token is None:
            raise ValueError("Words are hidden as mask_token, which this tokenizer lacks. Set it, or pass mlm=False.")

    def __call__(self, features: Sequence[Any], return_tensors: str | None = None) -> Any:
        _check_pytorch(return_tensors or self.return_tensors)
        batch = self._padded(features)
        special, ids = batch.pop("special_tokens_mask", None), batch["input_ids"]
        padding = IGNORED if self.tokenizer.pad_token_id is None else self.tokenizer.pad_token_id
        if self.mlm:
            batch["input_ids"], batch["labels"] = self.torch_mask_tokens(ids, special)
        else:
            batch["labels"] = ids.masked_fill(ids == padding, IGNORED)
        return batch

    def torch_mask_tokens(self, inputs: Tensor, special_tokens_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(batch, seq) ids, changed in place → ids to read and labels to predict."""
        chances = torch.full(inputs.shape, self.mlm_probability)
        special = self._special(inputs) if special_tokens_mask is None else special_tokens_mask.bool()
        return self._hidden(inputs, torch.bernoulli(chances.masked_fill_(special, 0.0)).bool())

    def _hidden(self, inputs: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        # The numbers are drawn in the reference's order.
        labels = inputs.masked_fill(~chosen, IGNORED)
        masked = torch.bernoulli(torch.full(labels.shape, 0.8)).bool() & chosen
        inputs[masked] = self.tokenizer.mask_token_id
        replaced = torch.bernoulli(torch.full(labels.shape, 0.5)).bool() & chosen & ~masked
        inputs[replaced] = torch.randint(len(self.tokenizer), labels.shape)[replaced]
        return inputs, labels

    def _special(self, ids: Tensor) -> Tensor:
        return torch.isin(ids, torch.tensor(self.tokenizer.all_special_ids))

    def _padded(self, examples: Sequence[Any]) -> Any:
        if isinstance(examples[0], Mapping):
            pads = self.tokenizer.pad_token_id is not None or len({len(row["input_ids"]) for row in examples}) > 1
            return self.tokenizer.pad(examples, pads, return_tensors="pt", pad_to_multiple_of=self.pad_to_multiple_of)
        encodings = [{"input_ids": torch.as_tensor(example).tolist()} for example in examples]
        return {"input_ids": self._padded(encodings)["input_ids"]}


@dataclass
class DataCollatorForWholeWordMask(DataCollatorForLanguageModeling):
    """The same with whole words: pieces that begin with ## are hidden together with the piece before them.

    `chinese_ref` of an example names positions that continue a word, as Chinese has no ##. Returns `input_ids` and `labels`.
    """

    def __call__(self, features: Sequence[Any], return_tensors: str | None = None) -> Any:
        _check_pytorch(return_tensors or self.return_tensors)
        rows = [feature if isinstance(feature, Mapping) else {"input_ids": feature} for feature in features]
        inputs = self._padded([row["input_ids"] for row in rows])["input_ids"]
        chosen = self._padded([self._chosen_words(row) for row in rows])["input_ids"] == 1
        read, labels = self._hidden(inputs, chosen & ~self._special(inputs))
        return {"input_ids": read, "labels": labels}

    def _chosen_words(self, example: Mapping[str, Any]) -> list[int]:
        """1 for each token to hide: words in random order, as long as whole ones fit into 15% of the tokens."""
        continues = torch.as_tensor(example.get("chinese_ref", [])).tolist()
        ids = torch.as_tensor(example["input_ids"]).tolist()
        words: list[list[int]] = []
        for position, token in enumerate(map(self.tokenizer.id_to_token, ids)):
            if token not in ("[CLS]", "[SEP]"):
                if words and (token.startswith("##") or position in continues):
                    words[-1].append(position)
                else:
                    words.append([position])
        random.shuffle(words)
        number, chosen = min(512, max(1, round(len(ids) * self.mlm_probability))), [0] * len(ids)
        for word in words:
            if sum(chosen) + len(word) <= number:
                for position in word:
                    chosen[position] = 1
        return chosen
