"""What a folder of sentence-transformers says of its vectors; a checkpoint without modules.json says nothing, and its mean is taken.

    modules.json                      the modules in their order: Transformer, Pooling, and perhaps Normalize, each with its folder
    sentence_bert_config.json         beside the weights: max_seq_length, do_lower_case
    1_Pooling/config.json             the modes; the vectors of several stand one after the other
    config_sentence_transformers.json default_prompt_name and prompts: what comes before every text

What else is asked there would change the vectors: it is refused by name. Source: Reimers & Gurevych 2019, and the files of their library.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ..checkpoints.files import (
    CONFIG_FILE,
    TENSORFLOW_CONFIG_FILE,
    CheckpointError,
    check_is_real_file,
    is_plain_name,
    parse_json,
    read_json,
)
from ..checkpoints.find import locate
from .pooling import POOLINGS

PathName = str | os.PathLike[str]
MODULES, TRANSFORMER, PROMPTS = "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"
_FLAGS = {  # of the modes, until version 5
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_KNOWN = ["Transformer", "Pooling", "Normalize"]
# For BERT and one vector a text these settings have one value; what else they may be is for other networks.
_TRANSFORMER = {"transformer_task": "feature-extraction", "module_output_name": "token_embeddings"}
_NORMALIZE = {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"}


class Settings(NamedTuple):
    """body: where the checkpoint is. max_length: pieces of a text, None: as many as the tokenizer says. prompt: stands before every text."""

    body: PathName
    poolings: tuple[str, ...] = ("mean",)
    normalize: bool = False
    max_length: int | None = None
    lower_case: bool = False
    prompt: str = ""


def read_settings(name: PathName, **hub_options: Any) -> Settings:
    """Of a folder, a bundled checkpoint or a hub id. Raises CheckpointError for what is damaged, and for what is not known here."""
    own = [CONFIG_FILE, TENSORFLOW_CONFIG_FILE, MODULES, TRANSFORMER, PROMPTS]
    folder = locate(name, filenames=own, **hub_options)
    if not (folder / MODULES).exists():
        return Settings(name)
    transformer, pooling, normalize = _modules(folder / MODULES)
    beside = folder / transformer / TRANSFORMER
    text = (
        _read(beside, {"max_seq_length", "do_lower_case", "modality_config"}, _TRANSFORMER) if beside.exists() else {}
    )
    length = text.get("max_seq_length")
    if length is not None and (type(length) is not int or length < 3):
        raise CheckpointError(f"{beside}: max_seq_length should be a whole number of at least 3, and is {length!r}")
    pools = locate(name, filenames=[f"{pooling}/{CONFIG_FILE}"], **hub_options) / CONFIG_FILE
    asked = _read(pools, {*_FLAGS, "pooling_mode", "word_embedding_dimension", "embedding_dimension", "include_prompt"})
    modes = asked.get("pooling_mode") or [mode for flag, mode in _FLAGS.items() if asked.get(flag)] or ["mean"]
    modes = [modes] if isinstance(modes, str) else modes
    if not isinstance(modes, list) or not set(map(str, modes)) <= set(POOLINGS):
        raise CheckpointError(f"{pools}: pooling_mode is {modes!r}; known are {', '.join(POOLINGS)}")
    if normalize and (folder / normalize / CONFIG_FILE).exists():
        _read(folder / normalize / CONFIG_FILE, set(), _NORMALIZE)
    prompts = read_json(folder / PROMPTS) if (folder / PROMPTS).exists() else {}
    named, default = prompts.get("prompts") or {}, prompts.get("default_prompt_name")
    if default is not None and default not in named:
        raise CheckpointError(f"{folder / PROMPTS}: default_prompt_name is {default!r}, which prompts does not have")
    prompt = named.get(default) or ""
    if prompt and not asked.get("include_prompt", True):
        raise CheckpointError(f"{pools}: include_prompt is false; vectors that leave a prompt out are not known here")
    return Settings(
        folder / transformer if transformer else name,
        poolings=tuple(modes),
        normalize=normalize is not None,
        max_length=length,
        lower_case=bool(text.get("do_lower_case")),
        prompt=prompt,
    )


def _modules(path: Path) -> tuple[str, str, str | None]:
    """The folders of Transformer, Pooling and Normalize, the last None where it is not there."""
    check_is_real_file(path)
    try:
        listed = [(str(each["type"]), str(each["path"])) for each in parse_json(path.read_text(encoding="utf-8"))]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: should list modules, each with its type and path ({error!r})") from error
    theirs = [kind.rpartition(".")[2] if kind.startswith("sentence_transformers.") else kind for kind, _ in listed]
    folders = [folder for _, folder in listed]
    if theirs not in (_KNOWN, _KNOWN[:2]) or not all(is_plain_name(each) for each in folders if each):
        named = ", ".join(f"{kind} ({folder!r})" for kind, folder in zip(theirs, folders, strict=True))
        raise CheckpointError(f"{path}: lists {named}; known here are Transformer, Pooling and then perhaps Normalize")
    return folders[0], folders[1], folders[2] if len(folders) > 2 else None


def _read(path: Path, free: set[str], fixed: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """A module's settings. Raises CheckpointError for one that is neither free nor as it is fixed, unless it is empty."""
    settings = read_json(path)
    for name, value in settings.items():
        if name not in free and value and value != fixed.get(name):
            raise CheckpointError(f"{path}: {name} is {value!r}, which is not known here; its vectors would be others")
    return settings
