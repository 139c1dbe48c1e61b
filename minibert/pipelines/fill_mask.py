"""The likeliest words for a blank: `BertForMaskedLM`.

    logits (vocab) at [MASK] → softmax → the top_k words, or those of the targets

Reference: `transformers/pipelines/fill_mask.py`, 4.12.5.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from ..auto import AutoModelForMaskedLM
from ..heads import BertForPreTraining
from ..model import BertPreTrainedModel
from ..visible import visible
from .base import Pipeline, PipelineException, Prepared, Settings

logger = logging.getLogger("minibert")


@dataclass(frozen=True)
class FillMaskSettings(Settings):
    """top_k: how many words. targets: choose among these words; of one that is not a piece, its first piece counts, with a warning."""

    top_k: int = 5
    targets: str | Iterable[str] | list[int] | None = None


class FillMaskPipeline(Pipeline[FillMaskSettings]):
    """A text with one [MASK] → [{"sequence", "score", "token", "token_str"}], the likeliest first; a list → a list of these."""

    settings_class = FillMaskSettings
    opens = AutoModelForMaskedLM

    @classmethod
    def model_classes(cls) -> tuple[type[BertPreTrainedModel], ...]:
        return (*super().model_classes(), BertForPreTraining)

    def __call__(self, inputs: Any, **given: Any) -> Any:
        answers = super().__call__(inputs, **given)
        return answers[0] if isinstance(inputs, list) and len(inputs) == 1 else answers  # as there

    def chosen(self, given: Mapping[str, Any]) -> FillMaskSettings:
        settings = super().chosen(given)
        targets = given.get("targets")  # words, once a call: ids from here on
        return settings if targets is None else replace(settings, targets=self.target_ids(targets))

    def preprocess(self, inputs: Any, settings: FillMaskSettings) -> Prepared:  # noqa: ARG002
        if not isinstance(inputs, str):
            raise PipelineException(f"{self.task} takes a text with a blank, not {inputs!r:.80}.")
        mask = self.tokenizer.mask_token
        if mask is None:
            raise PipelineException("The tokenizer does not define a `mask_token`.")
        row = dict(self.tokenizer(inputs, return_attention_mask=True))
        if (count := row["input_ids"].count(self.tokenizer.mask_token_id)) != 1:
            found = f"More than one mask_token ({mask}) is not supported" if count else f"No mask_token ({mask}) found"
            raise PipelineException(f"{found}: the text {visible(inputs)!r:.80} must have one.")
        return Prepared([row], row["input_ids"])

    def postprocess(self, prepared: Prepared, scores: list[Tensor], settings: FillMaskSettings) -> Any:
        ids: list[int] = prepared.source
        blank = ids.index(self.tokenizer.mask_token_id)
        probabilities = scores[0][blank].softmax(dim=0)[: len(self.tokenizer)]  # (vocab)
        targets: Any = settings.targets
        if targets is not None:
            probabilities = probabilities[targets]
        best = probabilities.topk(min(settings.top_k, len(probabilities)))
        results = []
        for score, index in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            token = index if targets is None else targets[index]
            filled = [token if each == blank else piece for each, piece in enumerate(ids)]
            sequence = self.tokenizer.decode(filled, skip_special_tokens=True)
            named = {"token": token, "token_str": self.tokenizer.decode(token)}
            results.append({"sequence": sequence, "score": score, **named})
        return results

    def target_ids(self, targets: str | Iterable[str]) -> list[int]:
        """The ids of words, each once. Raises ValueError where none is left."""
        found = set[int]()
        for target in [targets] if isinstance(targets, str) else targets:
            index = self.tokenizer.vocab.get(target)
            if index is None:
                pieces = self.tokenizer.tokenize(target)
                instead = f"Its first piece, {pieces[0]!r}, is looked for" if pieces else "It is ignored"
                logger.warning("The target %r is not a piece of the vocabulary. %s.", visible(target), instead)
                index = self.tokenizer.convert_tokens_to_ids(pieces[0]) if pieces else None
            found |= set() if index is None else {index}
        if not found:
            raise ValueError("At least one target must be provided when passed.")
        return sorted(found)
