"""What all configs share: fields that any model has, reading and writing `config.json`, and dictionaries in between.

A field this project does not know is kept as an attribute and written back, so that a round trip loses nothing.
Reference class: `PretrainedConfig`.
"""

import copy
import difflib
import json
import logging
import numbers
import os
from collections.abc import Collection, Hashable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from .checkpoints import CONFIG_FILE, check_upload, folder_for_saving, locate_config, read_json, write_json
from .visible import visible

logger = logging.getLogger("minibert")


class SharedFields:
    """What every model of the reference library carries beside its own fields, with the reference's defaults."""

    # what a forward returns
    return_dict: bool = True
    output_hidden_states: bool = False
    output_attentions: bool = False
    # how parameters are held
    torchscript: bool = False
    torch_dtype: torch.dtype | str | None = None
    use_bfloat16: bool = False
    pruned_heads: dict[int, list[int]] = {}  # noqa: RUF012  # every config gets a copy
    tie_word_embeddings: bool = True
    chunk_size_feed_forward: int = 0
    # encoder or decoder
    is_encoder_decoder: bool = False
    is_decoder: bool = False
    cross_attention_hidden_size: int | None = None
    add_cross_attention: bool = False
    tie_encoder_decoder: bool = False
    # generation
    max_length: int = 20
    min_length: int = 0
    do_sample: bool = False
    early_stopping: bool = False
    num_beams: int = 1
    num_beam_groups: int = 1
    diversity_penalty: float = 0.0
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    length_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    encoder_no_repeat_ngram_size: int = 0
    bad_words_ids: list[list[int]] | None = None
    num_return_sequences: int = 1
    output_scores: bool = False
    return_dict_in_generate: bool = False
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | None = None
    remove_invalid_values: bool = False
    # fine-tuning
    architectures: list[str] | None = None
    finetuning_task: str | None = None
    problem_type: str | None = None
    task_specific_params: dict[str, Any] | None = None
    # the tokenizer that goes with the model
    tokenizer_class: str | None = None
    prefix: str | None = None
    bos_token_id: int | None = None
    eos_token_id: int | None = None
    sep_token_id: int | None = None
    decoder_start_token_id: int | None = None
    # where it came from
    _name_or_path: str = ""
    transformers_version: str | None = None


SHARED_DEFAULTS: dict[str, Any] = {field: getattr(SharedFields, field) for field in SharedFields.__annotations__}
DTYPES = ("float32", "float16", "bfloat16", "float64")
HUB_OPTIONS = ("revision", "cache_dir", "token", "local_files_only", "force_download")
# Run-time state, never written to a file.
_NOT_SAVED = ("_name_or_path", "attn_implementation")
_TWO_LABELS = {"id2label": {0: "LABEL_0", 1: "LABEL_1"}, "label2id": {"LABEL_0": 0, "LABEL_1": 1}}


class ConfigFiles(SharedFields):
    """A config: the shared fields, others as they come, and its files. A subclass adds its own fields and checks."""

    model_type: ClassVar[str]
    opens: ClassVar[str]
    """What the class opens, for the error about another model_type."""
    assumed: ClassVar[dict[str, Any]] = SHARED_DEFAULTS | _TWO_LABELS
    """Values that every reader assumes, so that they are not written."""
    id2label: dict[int, str]
    label2id: dict[str, int]
    pad_token_id: int | None = None
    name_or_path = property(lambda self: self._name_or_path, lambda self, at: setattr(self, "_name_or_path", str(at)))
    """Where this config was read from."""

    def __init__(self, **fields: Any):
        fields["_name_or_path"] = str(fields.pop("name_or_path", None) or fields.get("_name_or_path") or "")
        dtype, old_dtype = fields.pop("dtype", None), fields.pop("torch_dtype", None)
        name = str(old_dtype or dtype).removeprefix("torch.")  # torch.float16, "torch.float16" and "float16" mean one
        fields["torch_dtype"] = getattr(torch, name) if name in DTYPES else old_dtype or dtype
        id2label, label2id = fields.pop("id2label", None), fields.pop("label2id", None)
        num_labels = fields.pop("num_labels", None)
        if label2id is not None and not isinstance(label2id, dict):
            raise ValueError(f"{type(self).__name__}: label2id = {label2id!r} must be a dictionary from labels to ids.")
        if id2label is None:
            self.num_labels = 2 if num_labels is None else num_labels
        else:
            self.id2label = self.integer_keys("id2label", id2label)
            kinds = {str if isinstance(label, str) else type(label) for label in self.id2label.values()}
            if len(kinds) > 1 or not all(issubclass(kind, Hashable) for kind in kinds):
                names = ", ".join(sorted(kind.__name__ for kind in kinds))
                raise ValueError(f"{type(self).__name__}: the labels of id2label must all be text, and are {names}.")
            self.label2id = {label: i for i, label in self.id2label.items()} if label2id is None else label2id
        for field, near in misspelt(fields, [*vars(self), *SHARED_DEFAULTS]).items():
            logger.warning(
                "%s is no field of %s and changes nothing: did you mean %s?", visible(field), type(self).__name__, near
            )
        for field in fields:
            ours = getattr(type(self), field, None)
            fixed = isinstance(ours, property) and ours.fset is None
            if fixed or callable(ours) or field.startswith("__") or field in ("assumed", "attribute_map"):
                raise ValueError(f"{type(self).__name__}: {field!r} is the name of something else: it can be no field.")
        for field, value in (copy.deepcopy(SHARED_DEFAULTS) | fields).items():
            setattr(self, field, value)

    def validate(self, together: bool = True) -> None:
        """Check the fields, together as a model needs them. Raises ValueError with the field, its value and what is allowed."""

    @classmethod
    def integer_keys(cls, field: str, mapping: Any) -> dict[int, Any]:
        """A mapping with whole numbers for keys, of which JSON makes text. Raises ValueError for other keys."""
        try:
            return {int(key): value for key, value in mapping.items()}
        except (AttributeError, TypeError, ValueError):
            raise ValueError(f"{cls.__name__}: {field} = {mapping!r} must map whole numbers, as {{0: …}}.") from None

    @property
    def num_labels(self) -> int:
        """How many labels a classification head has: the length of `id2label`."""
        return len(self.id2label)

    @num_labels.setter
    def num_labels(self, number: int) -> None:
        if not is_whole_number(number) or not 1 <= number <= 100_000:  # each is a name in two dictionaries
            allowed = "a whole number of at least 1, at most 100,000"
            raise ValueError(f"{type(self).__name__}: num_labels = {number!r} must be {allowed}.")
        if len(getattr(self, "id2label", ())) != number:
            self.id2label = {i: f"LABEL_{i}" for i in range(number)}
            self.label2id = {label: i for i, label in self.id2label.items()}

    @property
    def use_return_dict(self) -> bool:
        """Whether a forward returns an output object rather than a tuple (a traced graph can only return a tuple)."""
        return self.return_dict and not self.torchscript

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: "str | os.PathLike[str] | ConfigFiles",
        *,
        return_unused_kwargs: bool = False,
        **overrides: Any,
    ) -> Any:
        """Read `config.json`, else Google's `bert_config.json`, of a folder, bundled name or hub id; or a JSON file.

        A config in place of a name comes back itself. `overrides` that name a field replace its value, those of
        `HUB_OPTIONS` are for a download; the others are ignored, as in the reference, or with `return_unused_kwargs`
        come back too, as `(config, unused)`.
        Raises CheckpointError (an OSError) where nothing readable is found, ValueError for a value out of range.
        """
        hub = {name: overrides.pop(name) for name in HUB_OPTIONS if name in overrides}
        if isinstance(pretrained_model_name_or_path, ConfigFiles):
            return pretrained_model_name_or_path._with(overrides, return_unused_kwargs)
        if isinstance(pretrained_model_name_or_path, dict):
            raise ValueError(f"A name or a config belongs here, not a dictionary: {cls.__name__}.from_dict makes one.")
        values = read_json(locate_config(pretrained_model_name_or_path, **hub))
        values["name_or_path"] = str(pretrained_model_name_or_path)
        return cls.from_dict(values, return_unused_kwargs, **overrides)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], return_unused_kwargs: bool = False, **overrides: Any) -> Any:
        """A config from a dictionary such as `to_dict` gives; arguments as in `from_pretrained`."""
        # A class opens its own files and those of the classes that it extends.
        known_types = [vars(base).get("model_type") for base in cls.__mro__ if "model_type" in vars(base)]
        model_type = config_dict.get("model_type", cls.model_type)
        if model_type not in known_types:
            raise ValueError(f"This checkpoint's model_type is {model_type!r}. {cls.opens}")
        config = cls(**{field: value for field, value in config_dict.items() if field != "model_type"})
        return config._with(overrides, return_unused_kwargs)

    @classmethod
    def from_json_file(cls, json_file: str | os.PathLike[str]) -> Any:
        """A config from a JSON file. Raises CheckpointError where the file is missing or is no JSON object."""
        return cls.from_dict(read_json(Path(json_file)))

    def _with(self, overrides: dict[str, Any], return_unused: bool) -> Any:
        # A dtype is an argument of the model's from_pretrained, not of its config; the other field is there once it is set.
        known = [field for field in overrides if hasattr(self, field) or field == "gradient_checkpointing"]
        used = {field: overrides[field] for field in known if field not in ("dtype", "torch_dtype")}
        self.update(used)
        unused = {field: value for field, value in overrides.items() if field not in used}
        return (self, unused) if return_unused else self

    def to_dict(self) -> dict[str, Any]:
        """Every field, as plain values that JSON can hold."""
        values = {field: _plain(value) for field, value in vars(self).items() if field not in _NOT_SAVED}
        if self.torch_dtype is not None:  # by its name, under today's key too
            values["torch_dtype"] = values["dtype"] = str(self.torch_dtype).removeprefix("torch.")
        return values | {"model_type": type(self).model_type}

    def to_diff_dict(self) -> dict[str, Any]:
        """The model's own fields, and of the shared ones those that differ from their defaults: what is saved."""
        return {f: v for f, v in self.to_dict().items() if f not in self.assumed or v != self.assumed[f]}

    def to_json_string(self, use_diff: bool = True) -> str:
        """The JSON text of `to_diff_dict` (or of `to_dict`), keys sorted."""
        values = self.to_diff_dict() if use_diff else self.to_dict()
        return json.dumps(values, indent=2, sort_keys=True, default=_plain_or_refused) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write `to_json_string` to a file, atomically. Raises TypeError for a function that its name would not bring back."""
        sides = [self, *(value for value in vars(self).values() if isinstance(value, ConfigFiles))]
        for field, value in (pair for config in sides for pair in vars(config).items()):
            if callable(value) and not _is_found_by_name(value):
                known = "the name of a function of PyTorch's or of minibert's, such as 'gelu', or such a function"
                raise TypeError(f"{field} = {value!r:.80} cannot be written to a file. Before saving, set {known}.")
        write_json(Path(json_file_path), self.to_json_string(use_diff))

    def save_pretrained(self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **upload: Any) -> None:
        """Write `config.json` into a folder, which is made where it does not exist. Nothing is uploaded: ValueError."""
        check_upload(push_to_hub, **upload)
        self.to_json_file(folder_for_saving(save_directory) / CONFIG_FILE)

    def update(self, config_dict: dict[str, Any]) -> None:
        """Set several fields at once. Raises ValueError where a value is out of range, and then sets none."""
        before = dict(vars(self))
        try:
            for field, value in config_dict.items():
                setattr(self, field, value)
            self.validate(together=False)
        except Exception:
            vars(self).clear()
            vars(self).update(before)
            raise

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigFiles) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # a config can change, so it cannot be a key


def is_whole_number(value: Any) -> bool:
    """Whether a value is an integer, NumPy's included, and no bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """A copy that JSON can hold: of a config its dictionary, of an array or a NumPy number Python's, of a function its name."""
    if isinstance(value, ConfigFiles):
        return value.to_dict()
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    return getattr(value, "__name__", type(value).__name__) if callable(value) else copy.deepcopy(value)


def _is_found_by_name(function: Any) -> bool:
    """Whether a function is an activation that is read again by its name: minibert's, or PyTorch's of that name."""
    from .model.activations import ACT2FN

    name = getattr(function, "__name__", "")
    same = (ACT2FN.get(name), getattr(torch, name, None), getattr(torch.nn.functional, name, None))
    return name in ACT2FN and function in same


def _plain_or_refused(value: Any) -> Any:
    if type(plain := _plain(value)) is type(value):
        kind, needed = type(value).__name__, "numbers, text, true, false, lists and dictionaries"
        raise TypeError(f"A config.json cannot hold {value!r:.80}, a {kind}. Give the field what it can: {needed}.")
    return plain


def misspelt(fields: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Those of the fields that are not known, but spelled nearly as one that is: field → the known one."""
    unknown = [field for field in fields if field not in known and not field.startswith("_")]
    found = {field: difflib.get_close_matches(field, known, n=1, cutoff=0.85) for field in unknown}
    return {field: near[0] for field, near in found.items() if near}
