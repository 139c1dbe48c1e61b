"""The vectors of a text, and how alike two texts are by them: `BertModel`.

    hidden_states (seq, hidden) → nested lists;  their mean over the tokens, u and v of two texts → u·v / (|u| |v|)

The cosine of untrained means is high for any two texts: only the order of the sentences says something.
Reference: `transformers/pipelines/feature_extraction.py`, 4.12.5; `sentence-similarity` is not there.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..auto import AutoModel
from ..model import BertPreTrainedModel
from .base import Pipeline, PipelineException, Prepared
from .text_classification import TextSettings, encoded


class FeatureExtractionPipeline(Pipeline[TextSettings]):
    """A text → [seq lists of hidden numbers], the last hidden states, [CLS] and [SEP] included. A model with a head will do."""

    settings_class = TextSettings
    opens = AutoModel

    def __init__(self, model: BertPreTrainedModel, tokenizer: Any, **settings: Any):
        super().__init__(getattr(model, "base_model", model), tokenizer, **settings)

    def preprocess(self, inputs: Any, settings: TextSettings) -> Prepared:
        return encoded(self, inputs, settings)

    def postprocess(self, prepared: Prepared, scores: list[Tensor], settings: TextSettings) -> Any:  # noqa: ARG002
        return [scores[0].tolist()]


class SentenceSimilarityPipeline(FeatureExtractionPipeline):
    """{"source_sentence": …, "sentences": […]} → for each sentence the cosine of its vector and the source's, −1 to 1."""

    def preprocess(self, inputs: Any, settings: TextSettings) -> Prepared:
        if not isinstance(inputs, Mapping) or inputs.keys() != {"source_sentence", "sentences"}:
            raise PipelineException(f'{inputs!r:.80} is not {{"source_sentence": "…", "sentences": ["…", "…"]}}.')
        sentences = inputs["sentences"]
        if not isinstance(sentences, (list, tuple)) or not sentences:
            raise PipelineException(f"sentences must be a list of at least one text, and is {sentences!r:.80}.")
        return Prepared([encoded(self, each, settings).rows[0] for each in (inputs["source_sentence"], *sentences)])

    def postprocess(self, prepared: Prepared, scores: list[Tensor], settings: TextSettings) -> Any:  # noqa: ARG002
        vectors = torch.stack(
            [vectors.mean(dim=0) for vectors in scores]
        )  # (1 + sentences, hidden); no padding in them
        return torch.cosine_similarity(vectors[:1], vectors[1:]).tolist()
