"""The files of a config: reading `config.json`, writing it, and dictionaries in between.

A field this project does not know is kept as an attribute and written back, so that a round trip loses nothing.
Reference class: `PretrainedConfig`.
"""

from __future__ import annotations

import copy
import json
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import Self

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


class ConfigFiles(ABC):
    """What a config can do with files and dictionaries; `BertConfig` has the fields and their checks."""

    model_type = "bert"
    torch_dtype: str | None

    @abstractmethod
    def __init__(self, **fields: Any): ...

    @abstractmethod
    def validate(self) -> None:
        """Check every field. Raises ValueError with the field, its value and what is allowed."""

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
        values = {field: _plain(value) for field, value in vars(self).items() if field not in _NOT_SAVED}
        values["model_type"] = self.model_type
        if self.torch_dtype is not None:
            values["dtype"] = values["torch_dtype"] = self.torch_dtype  # the new spelling and the old one
        if callable(activation := values.get("hidden_act")):
            values["hidden_act"] = getattr(activation, "__name__", type(activation).__name__)
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

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"


def _plain(value: Any) -> Any:
    """A copy of a field's value; of a number of NumPy the Python number, which JSON can hold."""
    return value.item() if isinstance(value, np.generic) else copy.deepcopy(value)


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
