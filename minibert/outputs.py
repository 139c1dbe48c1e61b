"""What a forward returns: an object read by attribute, by key or by position.

    outputs.logits          outputs["logits"]          outputs[0]          outputs[:2]

Fields that are None do not count: they have no key and no position, so `outputs[0]` is the loss when labels were
given and the logits when they were not. `to_tuple()` gives what `return_dict=False` gives.
Reference: `transformers.file_utils.ModelOutput` and the classes of `modeling_outputs`.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn, TypeVar

from torch import Tensor
from torch.utils._pytree import register_pytree_node

PastKeyValues = tuple[tuple[Tensor, ...], ...]
"""Layer by layer (key, value) or (key, value, cross key, cross value), each (batch, heads, seq, head size)."""


class ModelOutput(OrderedDict[str, Any]):
    """Base of the output classes: a dataclass and a read-only ordered dictionary of its fields that are not None."""

    def __init_subclass__(cls) -> None:
        """Make PyTorch know the class as a container of tensors: for `torch.export`, `vmap` and data parallelism."""
        register_pytree_node(
            cls,
            lambda output: (list(output.values()), list(output)),
            lambda values, names: cls(**dict(zip(names, values, strict=True))),
            serialized_type_name=f"{cls.__module__}.{cls.__name__}",
        )

    def __post_init__(self) -> None:
        first, *others = (field.name for field in fields(self))  # type: ignore[arg-type]  # every subclass is a dataclass
        alone = all(getattr(self, name) is None for name in others)
        if alone and (items := _items(getattr(self, first))) is not None:
            # An output made from another's items, as `nn.DataParallel` makes one of its replicas' outputs.
            setattr(self, first, None)
            for name, value in items:
                if name not in (first, *others):
                    raise TypeError(
                        f"{type(self).__name__} has no field {name!r}; it has {', '.join([first, *others])}."
                    )
                setattr(self, name, value)
        for name in (first, *others):
            if getattr(self, name) is not None:
                super().__setitem__(name, getattr(self, name))

    def __getitem__(self, key: str | int | slice) -> Any:
        return super().__getitem__(key) if isinstance(key, str) else self.to_tuple()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        super().__setattr__(key, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self and value is not None:
            super().__setitem__(name, value)
        super().__setattr__(name, value)

    def to_tuple(self) -> tuple[Any, ...]:
        """The fields that are not None, in order."""
        return tuple(self.values())

    def _read_only(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError(f"A {type(self).__name__} keeps its fields: they can be read and set, not removed.")

    __delitem__ = pop = popitem = clear = setdefault = update = _read_only


def _items(given: Any) -> list[Any] | None:
    """The items of a mapping, or (name, value) pairs as they are; None for anything else, which is a value."""
    if isinstance(given, Mapping):
        return list(given.items())
    if isinstance(given, Tensor) or not isinstance(given, Iterable):
        return None
    pairs = list(given)
    named = all(isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs)
    return pairs if named and not isinstance(given, str) else None


@dataclass
class BaseModelOutputWithPastAndCrossAttentions(ModelOutput):
    """What the encoder stack returns.

    last_hidden_state: (batch, seq, hidden). past_key_values: see `PastKeyValues`, for a decoder with a cache.
    hidden_states: layers + 1 tensors (batch, seq, hidden), the embeddings first.
    attentions: a tensor (batch, heads, seq, keys) per layer, after the softmax (and its dropout, in training).
    cross_attentions: the same over the encoder's positions.
    """

    last_hidden_state: Tensor | None = None
    past_key_values: PastKeyValues | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


@dataclass
class BaseModelOutputWithPoolingAndCrossAttentions(ModelOutput):
    """What `BertModel` returns: the encoder's output and pooler_output (batch, hidden)."""

    last_hidden_state: Tensor | None = None
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    past_key_values: PastKeyValues | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


@dataclass
class BertForPreTrainingOutput(ModelOutput):
    """What `BertForPreTraining` returns: the sum of both losses, word scores (batch, seq, vocab), pair scores (batch, 2)."""

    loss: Tensor | None = None
    prediction_logits: Tensor | None = None
    seq_relationship_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class HeadOutput(ModelOutput):
    """What most models with a head return: the loss, a scalar, where labels were given; logits, their shape below."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


Output = TypeVar("Output", bound=ModelOutput)


def head_output(kind: type[Output], body: Any, *, loss: Tensor | None, **scores: Tensor) -> Output | tuple[Any, ...]:
    """A head's loss and scores, then what `BertModel` returned beside its vectors; after a tuple of its also a tuple."""
    if isinstance(body, tuple):  # return_dict=False
        return (*(() if loss is None else (loss,)), *scores.values(), *body[2:])
    return kind(loss=loss, **scores, hidden_states=body.hidden_states, attentions=body.attentions)


@dataclass  # again, for torch.jit.trace: a class without code of its own is no dictionary to it
class MaskedLMOutput(HeadOutput):
    """What `BertForMaskedLM` returns. logits: (batch, seq, vocab)."""


@dataclass
class CausalLMOutputWithCrossAttentions(ModelOutput):
    """What `BertLMHeadModel` returns. loss: (), where labels were given. logits: (batch, seq, vocab)."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    past_key_values: PastKeyValues | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


@dataclass
class NextSentencePredictorOutput(HeadOutput):
    """What `BertForNextSentencePrediction` returns. logits: (batch, 2), column 0 for "B follows A"."""


@dataclass
class SequenceClassifierOutput(HeadOutput):
    """What `BertForSequenceClassification` returns. logits: (batch, labels)."""


@dataclass
class MultipleChoiceModelOutput(HeadOutput):
    """What `BertForMultipleChoice` returns. logits: (batch, choices)."""


@dataclass
class TokenClassifierOutput(HeadOutput):
    """What `BertForTokenClassification` returns. logits: (batch, seq, labels)."""


@dataclass
class QuestionAnsweringModelOutput(ModelOutput):
    """What `BertForQuestionAnswering` returns. start_logits, end_logits: (batch, seq)."""

    loss: Tensor | None = None
    start_logits: Tensor | None = None
    end_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass
class Seq2SeqLMOutput(ModelOutput):
    """What `EncoderDecoderModel` returns: the decoder's output, then the encoder's.

    loss: (), where labels were given. logits: (batch, seq, vocab). encoder_last_hidden_state: (batch, encoder seq, hidden).
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    past_key_values: PastKeyValues | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[Tensor, ...] | None = None
