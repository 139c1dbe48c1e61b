"""What `transformers.models.bert.modeling_bert` and `transformers.modeling_utils` hold and a course takes from there.

`from minibert.models.bert.modeling_bert import *` gives these names (see `moved.py`), so that a class of one's own, typed for
`transformers`, is defined with only its import changed. Reference: those two modules of 4.12.5.
"""

# ruff: noqa: F401  what is imported is there to be imported from here

import logging
import math
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Optional, Tuple  # noqa: UP035  as the era's classes are annotated

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss
from torch.torch_version import TorchVersion

from ..config import BertConfig
from ..heads import (
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertLMHeadModel,
)
from ..heads.prediction import (
    BertLMPredictionHead,
    BertOnlyMLMHead,
    BertOnlyNSPHead,
    BertPredictionHeadTransform,
    BertPreTrainingHeads,
)
from ..model.activations import ACT2FN
from ..model.attention import BertAttention, BertSelfAttention, BertSelfOutput
from ..model.bert import BertModel
from ..model.embeddings import BertEmbeddings
from ..model.encoder import BertEncoder
from ..model.layer import BertIntermediate, BertLayer, BertOutput
from ..model.pooler import BertPooler
from ..model.pretrained import BertPreTrainedModel
from ..model.surgery import prune_linear_layer, resized
from ..outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    BaseModelOutputWithPoolingAndCrossAttentions,
    BertForPreTrainingOutput,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    ModelOutput,
    MultipleChoiceModelOutput,
    NextSentencePredictorOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from .methods import load_tf_weights_in_bert

PreTrainedModel = BertPreTrainedModel
logger = logging.getLogger("minibert")
version = SimpleNamespace(parse=TorchVersion)  # of `packaging`, there: `version.parse(torch.__version__)`

BERT_START_DOCSTRING = "A BERT. config: a `BertConfig`.\n\n"
BERT_INPUTS_DOCSTRING = "The arguments of `BertModel.forward`, of shape ({0}).\n\n"


def find_pruneable_heads_and_indices(
    heads: Iterable[int], n_heads: int, head_size: int, already_pruned_heads: set[int]
) -> tuple[set[int], Tensor]:
    """Which of these heads are still there, and (kept,) int64: the rows of W_q that belong to the others.

    Heads are numbered as before any pruning; n_heads is how many are left of them.
    """
    present = [head for head in range(n_heads + len(already_pruned_heads)) if head not in already_pruned_heads]
    asked = set(heads) - already_pruned_heads
    rows = torch.arange(n_heads * head_size).view(n_heads, head_size)
    return asked, rows[[place for place, head in enumerate(present) if head not in asked]].flatten()


def apply_chunking_to_forward(
    forward_fn: Callable[..., Tensor], chunk_size: int, chunk_dim: int, *input_tensors: Tensor
) -> Tensor:
    """A function over pieces of its inputs, joined again along the same axis; over the whole where chunk_size is 0.

    Raises ValueError unless all inputs are as long there, and their length is a multiple of chunk_size.
    """
    lengths = {tensor.shape[chunk_dim] for tensor in input_tensors}
    if len(lengths) != 1:
        raise ValueError(f"The inputs must have one length along axis {chunk_dim}, but they have {sorted(lengths)}.")
    if chunk_size <= 0:
        return forward_fn(*input_tensors)
    if lengths.pop() % chunk_size:
        raise ValueError(
            f"Axis {chunk_dim} has {input_tensors[0].shape[chunk_dim]} entries: no multiple of chunks of {chunk_size}."
        )
    pieces = zip(*(tensor.split(chunk_size, dim=chunk_dim) for tensor in input_tensors), strict=True)
    return torch.cat([forward_fn(*piece) for piece in pieces], dim=chunk_dim)


def add_start_docstrings(*texts: str) -> Callable[[Any], Any]:
    """A decorator that puts texts before a docstring."""

    def decorate(documented: Any) -> Any:
        documented.__doc__ = "".join(texts) + (documented.__doc__ or "")
        return documented

    return decorate


def add_code_sample_docstrings(*_: Any, **__: Any) -> Callable[[Any], Any]:
    """A decorator that adds nothing: the reference fills in an example there. So does `replace_return_docstrings`."""
    return lambda documented: documented


add_start_docstrings_to_model_forward = add_start_docstrings
replace_return_docstrings = add_code_sample_docstrings

# --------------------------------------------------------- methods that have an underscore in the reference, or none here


def _prune_heads(self: Any, heads_to_prune: Mapping[int, Iterable[int]]) -> None:
    """Cut heads out, layer by layer; `prune_heads` writes it into the config, too."""
    for layer, heads in heads_to_prune.items():
        self.encoder.layer[layer].attention.prune_heads(heads)


def _convert_head_mask_to_5d(self: Any, head_mask: Tensor, num_hidden_layers: int) -> Tensor:
    """(heads) or (layers, heads) → (layers, 1, heads, 1, 1), or (layers, 1, heads, 1, 1) of every layer's own."""
    if head_mask.dim() == 1:
        head_mask = head_mask[None, None, :, None, None].expand(num_hidden_layers, -1, -1, -1, -1)
    elif head_mask.dim() == 2:
        head_mask = head_mask[:, None, :, None, None]
    return head_mask.to(dtype=self.dtype)


def _tie_or_clone_weights(self: Any, output_embeddings: Any, input_embeddings: Any) -> None:
    """One matrix at both ends; with `torchscript=True` a copy of it. The bias, if any, gets zeros for new words."""
    weight = input_embeddings.weight
    output_embeddings.weight = nn.Parameter(weight.clone()) if self.config.torchscript else weight
    if getattr(output_embeddings, "bias", None) is not None:
        bias = output_embeddings.bias
        bias.data = F.pad(bias.data, (0, len(weight) - len(bias)))
    output_embeddings.out_features = input_embeddings.num_embeddings


def _get_resized_embeddings(self: Any, old_embeddings: Any, new_num_tokens: int | None = None) -> Any:
    """A table of so many rows, the first of them the old ones; the old one itself where nothing changes."""
    if new_num_tokens in (None, old_embeddings.num_embeddings):
        return old_embeddings
    return resized(old_embeddings, int(new_num_tokens or 0), self._init_weights)


def feed_forward_chunk(self: Any, attention_output: Tensor) -> Tensor:
    """The feed-forward network over one piece of the sequence."""
    return self.output(self.intermediate(attention_output), attention_output)


OF_BODIES = {"_prune_heads": _prune_heads}
OF_LAYERS = {"feed_forward_chunk": feed_forward_chunk}
UNDERSCORED = {
    each.__name__: each for each in (_convert_head_mask_to_5d, _tie_or_clone_weights, _get_resized_embeddings)
}
