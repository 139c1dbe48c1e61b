"""BertConfig: every hyper-parameter of a BERT, checked.

A config is plain attributes, read by the stages when they are built; `config_files.py` has those that all models share.
Reference class: `transformers.BertConfig` of the 4.4–4.12 era.
"""

import numbers
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from .config_files import DTYPES, ConfigFiles, is_whole_number as is_whole_number

ATTENTION_IMPLEMENTATIONS = ("eager", "sdpa", "packed")
POSITION_EMBEDDING_TYPES = ("absolute", "relative_key", "relative_key_query")
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")

# Today's library no longer assumes the defaults of these, so they are always written.
_ALWAYS_WRITTEN = ("is_decoder", "add_cross_attention", "tie_word_embeddings")


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


# Whether a value is allowed, and what is allowed, for the message.
_SIZE = (lambda v: is_whole_number(v) and 1 <= v < 1 << 31, "a whole number of at least 1, below 2³¹")
_COUNT = (lambda v: is_whole_number(v) and 0 <= v < 1 << 31, "a whole number of at least 0, below 2³¹")
_PROBABILITY = (lambda v: _is_number(v) and 0 <= v <= 1, "a probability between 0 and 1")
_FINITE = (lambda v: _is_number(v) and 0 <= v < float("inf"), "a finite number of at least 0")
_BOOLEAN = (lambda v: isinstance(v, (bool, np.bool_)), "True or False")
_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("vocab_size", "hidden_size", "num_attention_heads", "intermediate_size"), _SIZE),
    **dict.fromkeys(("max_position_embeddings", "type_vocab_size"), _SIZE),
    "num_hidden_layers": (lambda v: _COUNT[0](v) and v <= 10_000, "a whole number from 0 to 10,000"),
    "chunk_size_feed_forward": _COUNT,
    **dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), _PROBABILITY),
    **dict.fromkeys(("initializer_range", "layer_norm_eps"), _FINITE),
    **dict.fromkeys(("use_cache", "is_decoder", "add_cross_attention", "tie_word_embeddings"), _BOOLEAN),
    **dict.fromkeys(("return_dict", "output_attentions", "output_hidden_states", "torchscript"), _BOOLEAN),
    "hidden_act": (lambda v: isinstance(v, str) or callable(v), "an activation's name or a function"),
    "classifier_dropout": (lambda v: v is None or _PROBABILITY[0](v), "None or a probability in [0, 1]"),
    "position_embedding_type": (lambda v: v in POSITION_EMBEDDING_TYPES, f"one of {POSITION_EMBEDDING_TYPES}"),
    "attn_implementation": (lambda v: v in ATTENTION_IMPLEMENTATIONS, f"one of {ATTENTION_IMPLEMENTATIONS}"),
    "torch_dtype": (lambda v: v is None or str(v).removeprefix("torch.") in DTYPES, f"None or one of {DTYPES}"),
    "problem_type": (lambda v: v is None or v in PROBLEM_TYPES, f"None or one of {PROBLEM_TYPES}"),
    "id2label": (lambda v: len(v) > 0, "a dictionary with at least one label"),
    "pruned_heads": (
        lambda v: all(isinstance(h, (list, tuple, set)) for h in v.values()),
        "layers with lists of heads",
    ),
}


class BertConfig(ConfigFiles):
    """The hyper-parameters of a BERT; the defaults are BERT-base's (Devlin et al. 2019, §3).

    Network
        vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size: sizes, in units.
        hidden_act: name of an activation (`minibert.model.activations.ACT2FN`) or a function of one tensor.
        max_position_embeddings: the longest sequence, in tokens. type_vocab_size: segments.
        layer_norm_eps: added to the variance inside LayerNorm. initializer_range: standard deviation of fresh weights.
        position_embedding_type: "absolute" (Devlin et al. 2019), "relative_key" (Shaw et al. 2018) or
        "relative_key_query" (Huang et al. 2020).
    Dropout
        hidden_dropout_prob, attention_probs_dropout_prob, classifier_dropout: probabilities in [0, 1];
        classifier_dropout None means hidden_dropout_prob.
    Shared with the reference's other models
        the fields of `SHARED_DEFAULTS`, `num_labels`, `id2label`, `label2id`.
    attn_implementation
        "eager" (written out, the reference's bits), "sdpa" (fused) or "packed" (fused, and the padding of a batch left
        out of all layers); a run-time choice that is not saved.

    Raises ValueError where a value is out of range, naming the field, the value and what is allowed.
    """

    model_type = "bert"
    opens = "minibert opens BERT checkpoints only: model_type 'bert'."
    assumed: ClassVar = {field: value for field, value in ConfigFiles.assumed.items() if field not in _ALWAYS_WRITTEN}

    def __init__(
        self,
        vocab_size: int = 30522,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int = 3072,
        hidden_act: str | Callable[..., Any] = "gelu",
        hidden_dropout_prob: float = 0.1,
        attention_probs_dropout_prob: float = 0.1,
        max_position_embeddings: int = 512,
        type_vocab_size: int = 2,
        initializer_range: float = 0.02,
        layer_norm_eps: float = 1e-12,
        pad_token_id: int | None = 0,
        position_embedding_type: str = "absolute",
        use_cache: bool = True,
        classifier_dropout: float | None = None,
        **others: Any,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.hidden_act = hidden_act
        self.hidden_dropout_prob = hidden_dropout_prob
        self.attention_probs_dropout_prob = attention_probs_dropout_prob
        self.max_position_embeddings = max_position_embeddings
        self.type_vocab_size = type_vocab_size
        self.initializer_range = initializer_range
        self.layer_norm_eps = layer_norm_eps
        self.pad_token_id = pad_token_id
        self.position_embedding_type = position_embedding_type
        self.use_cache = use_cache
        self.classifier_dropout = classifier_dropout

        self.attn_implementation: str = others.pop("attn_implementation", None) or "eager"
        super().__init__(**others)
        self.validate(together=False)

    @property
    def hidden_size_per_head(self) -> int:
        """The width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    def validate(self, together: bool = True) -> None:
        """Check every field against its range; a model calls this again, since attributes can be set at any time.

        together: also what only a model needs: that fields fit each other, that sizes are not 0, which heads to prune.
        Raises ValueError with the field, its value and what is allowed.
        """
        self.id2label = self.integer_keys("id2label", self.id2label)  # JSON, and who writes like it, has text for keys
        try:
            self.pruned_heads = self.integer_keys("pruned_heads", self.pruned_heads or {})
        except ValueError:
            if together or not isinstance(self.pruned_heads, dict):
                raise
        for field, (allowed, expected) in _CHECKS.items():
            value = getattr(self, field)
            waits = field == "pruned_heads" or (expected == _SIZE[1] and is_whole_number(value) and value == 0)
            if not allowed(value) and (together or not waits):
                raise ValueError(f"BertConfig: {field} = {value!r} must be {expected}.")
        if not together:
            return
        pad, size = self.pad_token_id, self.vocab_size
        if pad is not None and not (is_whole_number(pad) and 0 <= pad < size):
            raise ValueError(f"BertConfig: pad_token_id = {pad!r} must be None or a token id below vocab_size ({size})")
        width, heads = self.hidden_size, self.num_attention_heads
        if width % heads != 0:
            raise ValueError(f"BertConfig: hidden_size = {width} is not a multiple of num_attention_heads = {heads}.")
        if self.add_cross_attention and not self.is_decoder:
            raise ValueError("BertConfig: add_cross_attention = True needs is_decoder = True: it is a decoder's.")
