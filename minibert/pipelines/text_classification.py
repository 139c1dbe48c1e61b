"""A label for a text, or for a pair of texts: `BertForSequenceClassification`.

    logits (labels) → softmax, or σ where each label is decided alone → [{"label": "joy", "score": 0.91}]

Reference: `transformers/pipelines/text_classification.py`, 4.12.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..auto import AutoModelForSequenceClassification
from .base import Pipeline, PipelineException, Prepared, Settings


@dataclass(frozen=True)
class TextSettings(Settings):
    """What the tokenizer is told. text_pair: the second text of a pair; the others as in `EncodeOptions`."""

    text_pair: str | None = None
    add_special_tokens: bool = True
    padding: Any = False
    truncation: Any = False
    max_length: int | None = None


@dataclass(frozen=True)
class ClassificationSettings(TextSettings):
    """return_all_scores: of every label, in their order; None as the config says. function_to_apply: "softmax", "sigmoid" or "none";
    "default" is the softmax, and the sigmoid where there is one label or several may hold."""

    return_all_scores: bool | None = None
    function_to_apply: str = "default"

    def __post_init__(self) -> None:
        super().__post_init__()
        if str(self.function_to_apply).lower() not in FUNCTIONS:
            raise ValueError(f"function_to_apply={self.function_to_apply!r} is not one of {', '.join(FUNCTIONS)}.")


FUNCTIONS = ("default", "softmax", "sigmoid", "none")


def encoded(pipeline: Pipeline[Any], inputs: Any, settings: TextSettings) -> Prepared:
    """The row of a text, or of {"text": …, "text_pair": …}. Raises ValueError for anything else."""
    if isinstance(inputs, Mapping) and {"text"} <= inputs.keys() <= {"text", "text_pair"}:
        inputs, pair = inputs["text"], inputs.get("text_pair", settings.text_pair)
    else:
        pair = settings.text_pair
    if not isinstance(inputs, str) or not isinstance(pair, (str, type(None))):
        advice = 'give a str; for a pair {"text": …, "text_pair": …}, or text_pair=…'
        raise PipelineException(f"{pipeline.task} got {inputs!r:.80}{f' and {pair!r:.80}' if pair else ''}: {advice}.")
    options = {name: getattr(settings, name) for name in ("add_special_tokens", "padding", "truncation", "max_length")}
    row = pipeline.tokenizer(inputs, pair, return_attention_mask=True, **options)
    return Prepared([dict(row)], inputs)


class TextClassificationPipeline(Pipeline[ClassificationSettings]):
    """A text → [{"label", "score"}]; a list → one dictionary each; with `return_all_scores` lists of one a label."""

    settings_class = ClassificationSettings
    opens = AutoModelForSequenceClassification
    per_token = False

    def __call__(self, inputs: Any, **given: Any) -> Any:
        answers = super().__call__(inputs, **given)
        return [answers] if isinstance(inputs, (str, Mapping)) else answers  # a list around a single one, as there

    def preprocess(self, inputs: Any, settings: ClassificationSettings) -> Prepared:
        return encoded(self, inputs, settings)

    def postprocess(self, prepared: Prepared, scores: list[Tensor], settings: ClassificationSettings) -> Any:  # noqa: ARG002
        config, (logits,) = self.model.config, scores
        several = config.problem_type == "multi_label_classification" or config.num_labels == 1
        function = settings.function_to_apply.lower()
        if function == "sigmoid" or (function == "default" and several):
            logits = logits.sigmoid()
        elif function != "none":
            logits = logits.softmax(dim=-1)
        every = settings.return_all_scores
        if getattr(config, "return_all_scores", False) if every is None else every:
            return [{"label": config.id2label[index], "score": score} for index, score in enumerate(logits.tolist())]
        best = int(logits.argmax())
        return {"label": config.id2label[best], "score": logits[best].item()}
