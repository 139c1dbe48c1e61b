"""Only what the loss reads: words are scored where there is a label, and the last layer is computed there.

The loss of hidden words reads 15 positions in 100, a pooler one position of a text. So in training, where there are labels, a model's
`forward` here gives the same loss and gradients, up to rounding, for less work: in a small model with a large vocabulary a third of it.
Scores of labelled positions alone would have another shape than their name promises, so the output then has the loss and no such scores.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ..heads import (
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForSequenceClassification,
    BertForTokenClassification,
)
from ..heads.token_classification import labels_of_tokens
from ..model import BertPreTrainedModel
from ..model.checks import IGNORED, check_labels, input_shape, values_unknown
from ..outputs import BertForPreTrainingOutput, MaskedLMOutput, TokenClassifierOutput
from .last_layer import last_layer_at_cls, last_layer_at_labels

READ_CLS = (BertForSequenceClassification, BertForNextSentencePrediction, BertForMultipleChoice)
READ_LABELLED: dict[type, type] = {
    BertForPreTraining: BertForPreTrainingOutput,
    BertForMaskedLM: MaskedLMOutput,
    BertForTokenClassification: TokenClassifierOutput,
}


@contextmanager
def loss_only(model: BertPreTrainedModel) -> Iterator[None]:
    """Within, a model in training mode computes what its loss reads. A model of another class, or with a head of one's own, is left as it is."""
    head = getattr(model, "cls", model)  # whose parts are called one by one
    own = any("forward" in vars(each) for each in (model, head)) or not type(head).__module__.startswith("minibert.")
    if own or type(model) not in (*READ_CLS, *READ_LABELLED):
        yield
        return
    model.forward = partial(forward, model)
    try:
        yield
    finally:
        del model.forward


def forward(model: Any, *args: Any, **named: Any) -> Any:
    """The model's own forward, or less of it."""
    plain: Callable[..., Any] = type(model).forward
    given = inspect.signature(plain).bind(model, *args, **named).arguments
    given = {name: value for name, value in given.items() if name != "self" and value is not None}
    config = model.config
    for name in ("output_attentions", "output_hidden_states"):
        if given.pop(name, getattr(config, name)):  # everybody's, not those of a few positions
            return plain(model, *args, **named)
    as_object = given.pop("return_dict", config.return_dict and not config.torchscript)
    layers_run_again = model.base_model.encoder.checkpoints_gradients  # in the backward pass, maybe after this call
    unknown = any(values_unknown(value) for value in given.values() if isinstance(value, Tensor))
    if not model.training or not as_object or layers_run_again or unknown:
        return plain(model, *args, **named)
    if type(model) in READ_CLS:
        with last_layer_at_cls(model.base_model):
            return plain(model, *args, **named)
    needed = {"labels", "next_sentence_label"} if type(model) is BertForPreTraining else {"labels"}
    if not needed <= given.keys() or "encoder_hidden_states" in given:
        return plain(model, *args, **named)
    return READ_LABELLED[type(model)](**loss_at_labels(model, **given))


def loss_at_labels(
    model: Any, labels: Tensor, next_sentence_label: Tensor | None = None, **inputs: Tensor
) -> dict[str, Tensor]:
    """The loss of a head, and its scores of pairs where it has them."""
    shape = input_shape(inputs.get("input_ids"), inputs.get("inputs_embeds"))
    tags = type(model) is BertForTokenClassification
    if tags:
        labels = labels_of_tokens(labels, inputs.get("attention_mask"), shape)
    check_labels("labels", labels, shape, num_classes=model.config.num_labels if tags else model.config.vocab_size)
    if next_sentence_label is not None:
        check_labels("next_sentence_label", next_sentence_label, shape[:1], num_classes=2)
    with last_layer_at_labels(model.base_model, {"labels": labels.reshape(shape)}) as read:
        outputs = model.base_model(**inputs, return_dict=True)
    is_labelled = read["labels"] != IGNORED
    states = outputs.last_hidden_state[is_labelled]  # (labels, hidden)
    if tags:
        scores = model.classifier(model.dropout(states))  # (labels, classes)
    else:
        scores = (model.cls.predictions if next_sentence_label is not None else model.cls)(states)
    loss = F.cross_entropy(scores, read["labels"][is_labelled])
    if next_sentence_label is None:
        return {"loss": loss}
    pairs = model.cls.seq_relationship(outputs.pooler_output)  # (batch, 2)
    loss = loss + F.cross_entropy(pairs, next_sentence_label.reshape(-1), ignore_index=IGNORED)
    return {"loss": loss, "seq_relationship_logits": pairs}
