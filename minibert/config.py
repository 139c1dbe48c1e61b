"""BertConfig: every hyper-parameter of a BERT, checked.

A config is plain attributes read by the stages when they are built. Reference class: `transformers.BertConfig` of the
4.4–4.12 era. Fields this project does not know are kept as attributes and written back by `save_pretrained`, so that
a round trip loses nothing.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")
POSITION_EMBEDDING_TYPES = ("absolute", "relative_key", "relative_key_query")
DTYPES = ("float32", "float16", "bfloat16", "float64")
_YES_OR_NO = (
    "is_decoder",
    "add_cross_attention",
    "tie_word_embeddings",
    "torchscript",
    "use_cache",
    "return_dict",
    "output_attentions",
    "output_hidden_states",
)
ATTENTION_IMPLEMENTATIONS = ("eager", "sdpa", "packed")

# What every model of the reference library carries beside BERT's own fields, with the reference's defaults.
SHARED_DEFAULTS: dict[str, Any] = {
    # what a forward returns
    "return_dict": True,
    "output_hidden_states": False,
    "output_attentions": False,
    # how parameters are held
    "torchscript": False,
    "torch_dtype": None,
    "use_bfloat16": False,
    "pruned_heads": {},
    "tie_word_embeddings": True,
    "chunk_size_feed_forward": 0,
    # encoder or decoder
    "is_encoder_decoder": False,
    "is_decoder": False,
    "cross_attention_hidden_size": None,
    "add_cross_attention": False,
    "tie_encoder_decoder": False,
    # generation
    "max_length": 20,
    "min_length": 0,
    "do_sample": False,
    "early_stopping": False,
    "num_beams": 1,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
    "repetition_penalty": 1.0,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "num_return_sequences": 1,
    "output_scores": False,
    "return_dict_in_generate": False,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "remove_invalid_values": False,
    # fine-tuning
    "architectures": None,
    "finetuning_task": None,
    "problem_type": None,
    "task_specific_params": None,
    # the tokenizer that goes with the model
    "tokenizer_class": None,
    "prefix": None,
    "bos_token_id": None,
    "eos_token_id": None,
    "sep_token_id": None,
    "decoder_start_token_id": None,
    "transformers_version": None,
}
# Run-time state, never written to a file.
_NOT_SAVED = ("_name_or_path", "attn_implementation", "torch_dtype")


class BertConfig:
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

    id2label: dict[int, str]
    label2id: dict[str, int]
    return_dict: bool
    output_hidden_states: bool
    output_attentions: bool
    torchscript: bool
    torch_dtype: str | None
    pruned_heads: dict[int, list[int]]
    tie_word_embeddings: bool
    chunk_size_feed_forward: int
    is_encoder_decoder: bool
    is_decoder: bool
    add_cross_attention: bool
    tie_encoder_decoder: bool
    problem_type: str | None
    architectures: list[str] | None
    bos_token_id: int | None
    eos_token_id: int | None
    decoder_start_token_id: int | None

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
        self._name_or_path = str(others.pop("name_or_path", None) or others.pop("_name_or_path", ""))
        dtype = others.pop("dtype", None)  # the newer spelling of torch_dtype
        others["torch_dtype"] = _dtype_name(others.get("torch_dtype") or dtype)

        id2label, label2id = others.pop("id2label", None), others.pop("label2id", None)
        num_labels = others.pop("num_labels", None)
        if label2id is not None and not isinstance(label2id, dict):
            raise ValueError(f"BertConfig: label2id = {label2id!r} must be a dictionary from labels to their numbers.")
        if id2label is not None:
            self.id2label = _integer_keys("id2label", id2label)
            self.label2id = label2id if label2id is not None else {label: i for i, label in self.id2label.items()}
        else:
            self.num_labels = 2 if num_labels is None else num_labels

        for field, default in SHARED_DEFAULTS.items():
            setattr(self, field, others.pop(field, copy.copy(default)))
        self.pruned_heads = _integer_keys("pruned_heads", self.pruned_heads or {})
        for field, value in others.items():
            setattr(self, field, value)
        self.validate()

    # ------------------------------------------------------------------------------------------------- labels and views

    @property
    def num_labels(self) -> int:
        """How many labels a classification head has: the length of `id2label`."""
        return len(self.id2label)

    @num_labels.setter
    def num_labels(self, number: int) -> None:
        if not _is_int(number) or number < 1:
            raise ValueError(f"BertConfig: num_labels = {number!r} must be a whole number of at least 1.")
        if len(getattr(self, "id2label", ())) != number:
            self.id2label = {i: f"LABEL_{i}" for i in range(number)}
            self.label2id = {label: i for i, label in self.id2label.items()}

    @property
    def use_return_dict(self) -> bool:
        """Whether a forward returns an output object rather than a tuple (a traced graph can only return a tuple)."""
        return self.return_dict and not self.torchscript

    @property
    def name_or_path(self) -> str:
        """Where this config was read from."""
        return self._name_or_path

    @name_or_path.setter
    def name_or_path(self, value: str | os.PathLike[str]) -> None:
        self._name_or_path = str(value)

    @property
    def hidden_size_per_head(self) -> int:
        """The width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    # ----------------------------------------------------------------------------------------------------------- checks

    def validate(self) -> None:
        """Check every field against its range; a model calls this again, since attributes can be set at any time.

        Raises ValueError with the field, its value and what is allowed.
        """
        for field in ("vocab_size", "hidden_size", "num_attention_heads", "intermediate_size"):
            self._check(field, lambda v: _is_int(v) and v >= 1, "a whole number of at least 1")
        for field in ("max_position_embeddings", "type_vocab_size"):
            self._check(field, lambda v: _is_int(v) and v >= 1, "a whole number of at least 1")
        for field in ("num_hidden_layers", "chunk_size_feed_forward"):
            self._check(field, lambda v: _is_int(v) and v >= 0, "a whole number of at least 0")
        for field in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            self._check(field, _is_probability, "a probability between 0 and 1")
        self._check("classifier_dropout", lambda v: v is None or _is_probability(v), "None or a probability in [0, 1]")
        for field in ("initializer_range", "layer_norm_eps"):
            self._check(field, lambda v: _is_number(v) and 0 <= v < float("inf"), "a finite number of at least 0")
        for field in _YES_OR_NO:
            self._check(field, lambda v: isinstance(v, bool), "True or False")
        self._check("torch_dtype", lambda v: v is None or v in DTYPES, f"None or one of {DTYPES}")
        self._check("id2label", lambda v: isinstance(v, dict) and len(v) > 0, "a dictionary with at least one label")
        self._check(
            "pruned_heads",
            lambda v: isinstance(v, dict) and all(isinstance(heads, (list, tuple, set)) for heads in v.values()),
            "a dictionary from layers to lists of heads",
        )
        self._check(
            "pad_token_id",
            lambda v: v is None or (_is_int(v) and 0 <= v < self.vocab_size),
            f"None or a token id below vocab_size ({self.vocab_size})",
        )
        self._check("hidden_act", lambda v: isinstance(v, str) or callable(v), "an activation's name or a function")
        self._check("problem_type", lambda v: v is None or v in PROBLEM_TYPES, f"None or one of {PROBLEM_TYPES}")
        self._check(
            "position_embedding_type", lambda v: v in POSITION_EMBEDDING_TYPES, f"one of {POSITION_EMBEDDING_TYPES}"
        )
        self._check(
            "attn_implementation", lambda v: v in ATTENTION_IMPLEMENTATIONS, f"one of {ATTENTION_IMPLEMENTATIONS}"
        )
        if self.hidden_size % self.num_attention_heads != 0:
            raise ValueError(
                f"BertConfig: hidden_size = {self.hidden_size} is not a multiple of num_attention_heads = "
                f"{self.num_attention_heads}. Every head gets an equal share: change one of the two."
            )
        if self.add_cross_attention and not self.is_decoder:
            raise ValueError(
                "BertConfig: add_cross_attention = True needs is_decoder = True. Only a decoder attends to an encoder."
            )

    def _check(self, field: str, allowed: Callable[[Any], bool], expected: str) -> None:
        value = getattr(self, field)
        if not allowed(value):
            raise ValueError(f"BertConfig: {field} = {value!r} must be {expected}.")

    # --------------------------------------------------------------------------------------------------- reading, writing

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *,
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str | None = None,
        return_unused_kwargs: bool = False,
        **overrides: Any,
    ) -> Any:
        """Read `config.json`, else Google's `bert_config.json`, of a folder, bundled name or hub id; or a JSON file.

        `overrides` that name a field of the config replace its value. With `return_unused_kwargs` the rest comes
        back too, as `(config, unused)`; without, the rest is ignored, as in the reference.
        Raises CheckpointError (an OSError) where nothing readable is found, ValueError for a value out of range.
        """
        from .checkpoints import locate_config, read_json

        path = locate_config(
            pretrained_model_name_or_path,
            revision=revision,
            cache_dir=cache_dir,
            token=token,
            local_files_only=local_files_only,
            force_download=force_download,
        )
        values = read_json(path)
        values["name_or_path"] = str(pretrained_model_name_or_path)
        config, unused = cls._from_dict(values, overrides)
        return (config, unused) if return_unused_kwargs else config

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], return_unused_kwargs: bool = False, **overrides: Any) -> Any:
        """A config from a dictionary such as `to_dict` gives; arguments as in `from_pretrained`."""
        config, unused = cls._from_dict(config_dict, overrides)
        return (config, unused) if return_unused_kwargs else config

    @classmethod
    def from_json_file(cls, json_file: str | os.PathLike[str]) -> Self:
        """A config from a JSON file. Raises CheckpointError where the file is missing or is no JSON object."""
        from .checkpoints import read_json

        return cls(**_without_model_type(read_json(Path(json_file))))

    @classmethod
    def _from_dict(cls, values: dict[str, Any], overrides: dict[str, Any]) -> tuple[Self, dict[str, Any]]:
        config = cls(**_without_model_type(values))
        unused = {}
        for field, value in overrides.items():
            if field in ("dtype", "torch_dtype"):
                unused[field] = value  # an argument of the model's from_pretrained, not of its config
            elif field == "num_labels" or hasattr(config, field):
                setattr(config, field, value)
            else:
                unused[field] = value
        config.validate()
        return config, unused

    def to_dict(self) -> dict[str, Any]:
        """Every field, as plain values that JSON can hold."""
        values = {field: copy.deepcopy(value) for field, value in vars(self).items() if field not in _NOT_SAVED}
        values["model_type"] = self.model_type
        if self.torch_dtype is not None:
            values["dtype"] = values["torch_dtype"] = self.torch_dtype  # the new spelling and the old one
        if not isinstance(self.hidden_act, str):
            values["hidden_act"] = getattr(self.hidden_act, "__name__", type(self.hidden_act).__name__)
        return values

    def to_diff_dict(self) -> dict[str, Any]:
        """BERT's own fields, and of the shared ones those that differ from their defaults: what is saved."""
        two_labels = {"id2label": {0: "LABEL_0", 1: "LABEL_1"}, "label2id": {"LABEL_0": 0, "LABEL_1": 1}}
        defaults = SHARED_DEFAULTS | two_labels
        # Today's library no longer assumes these: they are written even where they have the era's default.
        always = {"is_decoder", "add_cross_attention", "tie_word_embeddings"}
        return {
            field: value
            for field, value in self.to_dict().items()
            if field in always or field not in defaults or value != defaults[field]
        }

    def to_json_string(self, use_diff: bool = True) -> str:
        """The JSON text of `to_diff_dict` (or of `to_dict`), keys sorted."""
        values = self.to_diff_dict() if use_diff else self.to_dict()
        return json.dumps(values, indent=2, sort_keys=True) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write `to_json_string` to a file, atomically."""
        from .checkpoints import write_text_atomically

        write_text_atomically(Path(json_file_path), self.to_json_string(use_diff))

    def save_pretrained(self, save_directory: str | os.PathLike[str]) -> None:
        """Write `config.json` into a folder, which is made where it does not exist."""
        self.to_json_file(folder_for_saving(save_directory) / "config.json")

    def update(self, config_dict: dict[str, Any]) -> None:
        """Set several fields at once. Raises ValueError where a value is out of range."""
        for field, value in config_dict.items():
            setattr(self, field, value)
        self.validate()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BertConfig) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # a config can change, so it cannot be a key

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"


def folder_for_saving(save_directory: str | os.PathLike[str]) -> Path:
    """The folder, made where it does not exist. Raises NotADirectoryError where a file has its name."""
    folder = Path(save_directory)
    if folder.is_file():
        raise NotADirectoryError(f"{folder} is a file. Give save_pretrained a folder; it is made if it does not exist.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _without_model_type(values: dict[str, Any]) -> dict[str, Any]:
    model_type = values.get("model_type", "bert")
    if model_type != "bert":
        raise ValueError(
            f"This checkpoint's model_type is {model_type!r}. minibert opens BERT checkpoints only: model_type 'bert'."
        )
    return {field: value for field, value in values.items() if field != "model_type"}


def _integer_keys(field: str, mapping: Any) -> dict[int, Any]:
    """JSON turns whole-number keys into strings; turn them back."""
    try:
        return {int(key): value for key, value in mapping.items()}
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            f"BertConfig: {field} = {mapping!r} must map whole numbers to values, as in {{0: …, 1: …}}."
        ) from None


def _dtype_name(dtype: Any) -> str | None:
    """`torch.float16`, "torch.float16" and "float16" all mean "float16"."""
    return None if dtype is None else str(dtype).removeprefix("torch.")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_probability(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1
