"""A task in one call: open a model by name, give it texts, get plain dictionaries.

    from minibert import pipeline

    fill = pipeline("fill-mask")                       # the bundled model
    fill("He shook his [MASK].", top_k=2)              # [{"sequence": …, "score": …, "token": …, "token_str": …}, …]

Read in this order: `base.py` (what all pipelines do), `text_classification.py` (the shortest), then any other.
Reference: `transformers.pipeline` and `transformers.pipelines`, 4.12.5.
"""

import logging
import os
from typing import Any

from ..auto import AutoTokenizer
from ..config import BertConfig
from ..model import BertPreTrainedModel
from ..tokenization import BertTokenizer
from ..visible import visible
from .base import Pipeline, PipelineException
from .fill_mask import FillMaskPipeline
from .question_answering import QuestionAnsweringPipeline
from .text_classification import TextClassificationPipeline
from .token_classification import NerPipeline, TokenClassificationPipeline
from .vectors import FeatureExtractionPipeline, SentenceSimilarityPipeline

__all__ = [
    "ALIASES", "TASKS", "FeatureExtractionPipeline", "FillMaskPipeline", "NerPipeline", "Pipeline", "PipelineException",
    "QuestionAnsweringPipeline", "SentenceSimilarityPipeline", "TextClassificationPipeline", "TokenClassificationPipeline",
    "pipeline",
]  # fmt: skip

TASKS: dict[str, type[Pipeline[Any]]] = {
    "fill-mask": FillMaskPipeline,
    "text-classification": TextClassificationPipeline,
    "token-classification": TokenClassificationPipeline,
    "question-answering": QuestionAnsweringPipeline,
    "feature-extraction": FeatureExtractionPipeline,
    "sentence-similarity": SentenceSimilarityPipeline,
}
ALIASES = {"sentiment-analysis": "text-classification", "ner": "token-classification"}
BUNDLED = "novels-4l-256h"  # the model of a task that needs no fine-tuning
logger = logging.getLogger("minibert")


def pipeline(
    task: str,
    model: str | os.PathLike[str] | BertPreTrainedModel | None = None,
    config: str | BertConfig | None = None,
    tokenizer: str | os.PathLike[str] | tuple[str, dict[str, Any]] | BertTokenizer | None = None,
    *,
    framework: str | None = None,
    revision: str | None = None,
    use_fast: bool = True,
    use_auth_token: str | bool | None = None,
    model_kwargs: dict[str, Any] | None = None,
    **settings: Any,
) -> Pipeline[Any]:
    """The pipeline of a task.

    task: one of `TASKS`, or of `ALIASES`. model: a folder, a bundled name, a hub id, or an object; None for the bundled one.
    tokenizer: the same, or a name with arguments for it; None for the model's. config: in place of the model's.
    use_fast: open a `BertTokenizerFast`, as the reference does. revision, use_auth_token: for a download.
    model_kwargs: for the model's `from_pretrained`. framework: "pt". settings: `device`, and what the task's `settings_class` has.

    Raises KeyError for an unknown task, ValueError for a model that was not trained for it or a tokenizer that nothing names.
    """
    plain = ALIASES.get(task, task)
    if plain not in TASKS:
        raise KeyError(f"Unknown task {task!r}, available tasks are {', '.join([*TASKS, *ALIASES])}.")
    pipeline_class = TASKS[plain]
    if model is None:
        if tokenizer is not None:
            raise ValueError("A tokenizer without a model: the default model may not know its ids. Give model=… too.")
        if plain not in ("fill-mask", "feature-extraction", "sentence-similarity"):
            advice = "give model=…, fine-tuned with `minibert finetune`, or published"
            raise ValueError(f"No bundled model does {task}: {advice}.")
        model = BUNDLED
        logger.warning("No model was supplied, defaulted to %s, which comes with minibert.", model)
    asked: dict[str, Any] = {"revision": revision, "token": use_auth_token}
    hub = {name: value for name, value in asked.items() if value is not None}
    if isinstance(model, (str, os.PathLike)):
        tokenizer = model if tokenizer is None else tokenizer
        model = opened(pipeline_class, os.fspath(model), plain, config=config, **hub, **(model_kwargs or {}))
    if tokenizer is None:
        raise ValueError("Impossible to guess which tokenizer to use. Give tokenizer=…: a name, or a BertTokenizer.")
    if isinstance(tokenizer, (str, os.PathLike, tuple)):
        source, more = tokenizer if isinstance(tokenizer, tuple) else (tokenizer, {})
        tokenizer = AutoTokenizer.from_pretrained(source, **{"use_fast": use_fast, **hub, **more})
    return pipeline_class(model, tokenizer, framework=framework, task=task, **settings)


def opened(pipeline_class: type[Pipeline[Any]], name: str, task: str, **options: Any) -> BertPreTrainedModel:
    """The checkpoint as a model of the task. Raises ValueError where its head is missing, or was trained for another task."""
    model: BertPreTrainedModel = pipeline_class.opens.from_pretrained(name, **options)
    if issubclass(pipeline_class, FeatureExtractionPipeline):
        return model  # hidden states need no head: the pooler may be new
    made_for = model.config.architectures or []
    new = [finding.name for finding in model.loading_report.new] if model.loading_report else []
    other = made_for and issubclass(pipeline_class, (TextClassificationPipeline, TokenClassificationPipeline))
    if new or (other and type(model).__name__ not in made_for):
        what = f"{', '.join(new)} of its head are not in the checkpoint" if new else f"it is a {made_for[0]}"
        raise ValueError(
            visible(f"'{name}' was not trained for {task}: {what}. Fine-tune it: minibert finetune --help")
        )
    return model
