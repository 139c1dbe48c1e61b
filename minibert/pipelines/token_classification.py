"""A label for each token, or entities: `BertForTokenClassification`.

    logits (seq, labels) → softmax → a label a token → (with a strategy) a label a word → runs of one label

    none      every token by itself
    simple    runs of tokens of one label; "B-" begins a new one
    first     the same of words, which get the label of their first token,
    average   … the likeliest label of their tokens' mean probabilities,
    max       … or the label of their surest token

Reference: `transformers/pipelines/token_classification.py`, 4.12.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..auto import AutoModelForTokenClassification
from ..tokenization.model_input import UNLIMITED
from .base import Pipeline, PipelineException, Prepared, Settings

STRATEGIES = ("none", "simple", "first", "average", "max")
OF_WORDS = STRATEGIES[2:]
Entity = dict[str, Any]


@dataclass(frozen=True)
class TokenSettings(Settings):
    """ignore_labels: left out of the answer; None for the pipeline's own, ["O"]. aggregation_strategy: of `STRATEGIES`.

    grouped_entities, ignore_subwords: older names of strategies: both "first", the former alone "simple".
    """

    ignore_labels: Sequence[str] | None = None
    aggregation_strategy: str = "none"
    grouped_entities: bool | None = None
    ignore_subwords: bool | None = None


class Piece(NamedTuple):
    """A token with its probabilities (labels), the characters it stands for, if known, and whether it continues a word."""

    word: str
    scores: NDArray[np.float32]
    number: int
    span: tuple[int | None, int | None]
    continues: bool


class TokenClassificationPipeline(Pipeline[TokenSettings]):
    """A text → [{"entity", "score", "index", "word", "start", "end"}]; with a strategy [{"entity_group", "score", "word", "start", "end"}].

    `start` and `end` are None, and strategies of words an error, with a `BertTokenizer`, as with the reference's Python class.
    """

    settings_class = TokenSettings
    opens = AutoModelForTokenClassification
    ignore_labels: Sequence[str] = ("O",)

    def chosen(self, given: Mapping[str, Any]) -> TokenSettings:
        settings = super().chosen(given)
        strategy = str(getattr(settings.aggregation_strategy, "value", settings.aggregation_strategy)).lower()
        if given.get("grouped_entities") is not None or given.get("ignore_subwords") is not None:
            subwords = "first" if settings.ignore_subwords else "simple"
            strategy = subwords if settings.grouped_entities else "none"
        if strategy not in STRATEGIES:
            raise ValueError(f"aggregation_strategy={strategy!r} is not one of {', '.join(STRATEGIES)}.")
        if strategy in OF_WORDS and not self.tokenizer.is_fast:
            advice = "Choose 'simple', or give a BertTokenizerFast (use_fast=True)"
            raise ValueError(
                f"aggregation_strategy={strategy!r} needs words, which BertTokenizer does not tell. {advice}."
            )
        return replace(settings, aggregation_strategy=strategy)

    def preprocess(self, inputs: Any, settings: TokenSettings) -> Prepared:  # noqa: ARG002
        if not isinstance(inputs, str):
            raise PipelineException(f"{self.task} takes a text, not {inputs!r:.80}.")
        asked: dict[str, Any] = {"return_special_tokens_mask": True, "return_attention_mask": True}
        asked["truncation"] = self.tokenizer.model_max_length < UNLIMITED
        row = dict(self.tokenizer(inputs, return_offsets_mapping=True, **asked))
        return Prepared([row], inputs)

    def postprocess(self, prepared: Prepared, scores: list[Tensor], settings: TokenSettings) -> list[Entity]:
        strategy = settings.aggregation_strategy
        pieces = self.pieces(prepared, scores[0].softmax(dim=-1).numpy())
        begins = [i for i, piece in enumerate(pieces) if i == 0 or strategy not in OF_WORDS or not piece.continues]
        entities = [self.entity(word, strategy) for word in _runs(pieces, begins)]
        if strategy != "none":
            pairs = enumerate(pairwise(entities), start=1)
            begins = [i for i, (last, each) in pairs if each["entity"][:2] == "B-" or _label(last) != _label(each)]
            entities = [self.group(run) for run in _runs(entities, [0, *begins] if entities else [])]
        ignored = self.ignore_labels if settings.ignore_labels is None else settings.ignore_labels
        kept = [each for each in entities if each["entity" if strategy == "none" else "entity_group"] not in ignored]
        return [{**each, "score": float(each["score"])} for each in kept]

    def pieces(self, prepared: Prepared, probabilities: NDArray[np.float32]) -> list[Piece]:
        """The tokens of a text, [CLS] and [SEP] left out. probabilities: (seq, labels)."""
        (row,), found = prepared.rows, []
        for number, word in enumerate(self.tokenizer.convert_ids_to_tokens(row["input_ids"])):
            span: Any = row["offset_mapping"][number] if self.tokenizer.is_fast else (None, None)
            # A piece that begins "##" is longer than its characters; the unknown one is shown as it was written.
            written = prepared.source[slice(*span)] if self.tokenizer.is_fast else word
            unknown = row["input_ids"][number] == self.tokenizer.unk_token_id
            continues = len(word) != len(written) and not unknown
            if not row["special_tokens_mask"][number]:
                shown = written if unknown else word
                found.append(Piece(shown, probabilities[number], number, span=span, continues=continues))
        return found

    def entity(self, pieces: list[Piece], strategy: str) -> Entity:
        """A word, or a token by itself."""
        scores = pieces[0].scores
        if strategy == "average":
            scores = np.stack([piece.scores for piece in pieces]).mean(axis=0)
        elif strategy == "max":
            scores = max(pieces, key=lambda piece: piece.scores.max()).scores
        best, words = int(scores.argmax()), [piece.word for piece in pieces]
        text = {"word": self.tokenizer.convert_tokens_to_string(words)}
        token = text if strategy in OF_WORDS else {"index": pieces[0].number, "word": pieces[0].word}
        label = {"entity": self.model.config.id2label[best], "score": scores[best]}
        return {**label, **token, "start": pieces[0].span[0], "end": pieces[-1].span[1]}

    def group(self, run: list[Entity]) -> Entity:
        """Neighbours of one label as one entity."""
        kind = {"entity_group": run[0]["entity"].split("-")[-1], "score": np.mean([each["score"] for each in run])}
        text = self.tokenizer.convert_tokens_to_string([each["word"] for each in run])
        return {**kind, "word": text, "start": run[0]["start"], "end": run[-1]["end"]}


def _runs(items: list[Any], begins: list[int]) -> list[list[Any]]:
    return [items[start:stop] for start, stop in pairwise([*begins, len(items)])]


def _label(entity: Entity) -> str:
    """ "B-person" → "person"; a name without B- or I- is a label itself."""
    name: str = entity["entity"]
    return name[2:] if name.startswith(("B-", "I-")) else name


NerPipeline = TokenClassificationPipeline
"""The name that named entities gave it."""
