"""What programs of the era call on configs, models, tokenizers and encodings, and no lesson needs. `attach.py` puts it on their classes.

Reference: `PretrainedConfig`, `ModuleUtilsMixin`, `PreTrainedModel`, `load_tf_weights_in_bert`, `PreTrainedTokenizerBase`, `BatchEncoding`.
"""

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ..checkpoints import LoadingReport, locate_config, locate_weights, open_weights, read_json
from ..checkpoints.load import plan_loading, read_into_parameters
from ..checkpoints.names import canonical
from ..config_files import HUB_OPTIONS, ConfigFiles
from ..encoder_decoder import EncoderDecoderModel
from ..generation import Generation

# --------------------------------------------------------------------------------------------------------------- configs

_TRUTH = {**dict.fromkeys(("true", "1", "y", "yes"), True), **dict.fromkeys(("false", "0", "n", "no"), False)}


def update_from_string(self: ConfigFiles, update_str: str) -> None:
    """Set fields as `--config_overrides` gives them: "hidden_act=relu,hidden_dropout_prob=0.2,use_cache=no".

    Only fields that hold a bool, a number or text. Raises ValueError for others, and for values out of range.
    """
    fields: dict[str, Any] = {}
    for setting in update_str.split(","):
        field, equals, text = setting.partition("=")
        if not equals or "=" in text or not hasattr(self, field):
            raise ValueError(f"{setting!r} sets no field of this {type(self).__name__}: write field=value,field=value.")
        kind = type(getattr(self, field))
        if kind not in (bool, int, float, str):
            raise ValueError(
                f"{field} holds a {kind.__name__}: only a bool, a number or text can be set from a string."
            )
        if kind is bool and text.lower() not in _TRUTH:
            raise ValueError(f"{setting} says neither true nor false.")
        fields[field] = _TRUTH[text.lower()] if kind is bool else kind(text)
    self.update(fields)


@classmethod  # type: ignore[misc]
def get_config_dict(
    _: type[ConfigFiles], pretrained_model_name_or_path: str | os.PathLike[str], **settings: Any
) -> Any:
    """What a checkpoint's `config.json` holds, and those of the settings that are not for a download."""
    hub = {name: settings.pop(name) for name in HUB_OPTIONS if name in settings}
    hub["token"] = hub.get("token", settings.pop("use_auth_token", None))
    values = read_json(locate_config(pretrained_model_name_or_path, **hub))
    return values, {
        name: settings[name] for name in settings if name not in ("resume_download", "proxies", "_from_auto")
    }


def set_field(self: Any, name: str, value: Any) -> None:
    """Set a field; a name in the class's `attribute_map` stands for another."""
    object.__setattr__(self, type(self).attribute_map.get(name, name), value)


def get_field(self: Any, name: str) -> Any:
    """What is not there under its name may be in the class's `attribute_map`."""
    if name not in type(self).attribute_map:
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    return getattr(self, type(self).attribute_map[name])


OF_CONFIGS: dict[str, Any] = {"update_from_string": update_from_string, "get_config_dict": get_config_dict}
OF_CONFIGS |= {"model_type": "", "opens": "", "is_composition": False}
OF_CONFIGS |= {"attribute_map": {}, "__setattr__": set_field, "__getattr__": get_field}

# ---------------------------------------------------------------------------------------------------------------- models


def estimate_tokens(_: Any, input_dict: Mapping[str, Any]) -> int:
    """How many entries the inputs have, counted as the reference does: those of every tensor with "input" in its name."""
    inputs = [tensor for name, tensor in input_dict.items() if "input" in name]
    if not inputs:
        warnings.warn("No input has 'input' in its name: 0 tokens, and 0 operations, are counted.", stacklevel=2)
    return sum(tensor.numel() for tensor in inputs)


def floating_point_ops(self: Any, input_dict: Mapping[str, Any], exclude_embeddings: bool = True) -> int:
    """Operations of a forward and a backward pass: 6 for each token and parameter. Source: Kaplan et al. 2020, §2.1."""
    return 6 * self.estimate_tokens(input_dict) * self.num_parameters(exclude_embeddings=exclude_embeddings)


def add_memory_hooks(self: Any) -> None:
    """Add up in `module.mem_rss_diff` by how many bytes the process grows in each stage's forwards. Linux only."""

    def before(stage: Any, _: Any) -> None:
        stage.mem_rss_pre_forward = _resident_bytes()

    def after(stage: Any, *_: Any) -> None:
        stage.mem_rss_post_forward = _resident_bytes()
        stage.mem_rss_diff += stage.mem_rss_post_forward - stage.mem_rss_pre_forward

    _resident_bytes()
    for stage in self.modules():
        stage.register_forward_pre_hook(before)
        stage.register_forward_hook(after)
    self.reset_memory_hooks_state()


def reset_memory_hooks_state(self: Any) -> None:
    """Let every stage's count begin at 0 again."""
    for stage in self.modules():
        stage.mem_rss_diff = stage.mem_rss_pre_forward = stage.mem_rss_post_forward = 0


def _resident_bytes() -> int:
    if not (file := Path("/proc/self/statm")).exists():
        raise NotImplementedError(f"add_memory_hooks reads {file}, which only Linux has.")
    return int(file.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def loading_info(model: Any, report: LoadingReport, names: Iterable[str]) -> dict[str, list[Any]]:
    """What `output_loading_info=True` returns: missing_keys, unexpected_keys, mismatched_keys, error_msgs.

    names: the checkpoint's. As in the reference, keys are spelled as the checkpoint spells the body, a head that the
    model lacks is unexpected, and patterns of `_keys_to_ignore_on_load_…` are left out. A file that writes tied
    tensors once, as minibert's do, does not miss their second names.
    """
    prefix = f"{model.base_model_prefix}."
    loaded, expected = [canonical(name) for name in names], list(model.state_dict())
    file_has_prefix, model_has_prefix = (any(n.startswith(prefix) for n in each) for each in (loaded, expected))

    def spelled(name: str) -> str:
        bare = name.removeprefix(prefix)
        return name if file_has_prefix == model_has_prefix else prefix + bare if file_has_prefix else bare

    tied = {finding.name for finding in report.tied}
    written_once = set()
    for name in tied:
        head = name.rsplit(".", 2)[0] + "."  # of cls.predictions.decoder.bias, cls.predictions.
        held = [each for each in loaded if each.startswith(head)]
        written_once |= {name} if held and tied.isdisjoint(held) else set()
    there = written_once | {name for name in expected if name in report.read or name.endswith(".position_ids")}
    missing = [spelled(name) for name in expected if name not in there and spelled(name) not in loaded]
    known = {spelled(name) for name in expected}
    unexpected = [name for name in loaded if name not in known and not name.endswith("embeddings.position_ids")]
    ignored = (model._keys_to_ignore_on_load_missing, model._keys_to_ignore_on_load_unexpected)
    for keys, patterns in zip((missing, unexpected), ignored, strict=True):
        keys[:] = [key for key in keys if not any(re.search(pattern, key) for pattern in patterns or ())]
    mismatched = [(spelled(name), found, own) for name, found, own in report.mismatched]
    return {"missing_keys": missing, "unexpected_keys": unexpected, "mismatched_keys": mismatched, "error_msgs": []}


def load_tf_weights_in_bert(model: Any, config: Any, tf_checkpoint_path: str | os.PathLike[str]) -> Any:  # noqa: ARG001
    """Read TensorFlow's weights, `….ckpt`, into a model that is built, and return it; what the file lacks stays."""
    with open_weights(locate_weights(tf_checkpoint_path, from_tf=True), from_tf=True) as weights:
        allowed = {"ignore_mismatched_sizes": False, "allow_missing": True}
        model.loading_report = plan_loading(model, weights, str(tf_checkpoint_path), **allowed)
        read_into_parameters(model, weights, model.loading_report, dtype=model.dtype)
    return model


def resize_position_embeddings(_: Any, new_num_position_embeddings: int | None = None) -> None:
    """Always raises NotImplementedError, as the reference does for a BERT."""
    raise NotImplementedError("BERT's positions keep their number: set max_position_embeddings before it is built.")


def prune_heads_of_a_side(_: Any, heads_to_prune: Mapping[int, Iterable[int]]) -> None:
    """Always raises NotImplementedError: each side has layers of its own."""
    raise NotImplementedError("Two sides with layers of their own: call model.encoder.prune_heads(…) or the decoder's.")


def generate(self: Any, *arguments: Any, **options: Any) -> Any:
    """`BertLMHeadModel` has its own, and one typed anew gets that. Raises TypeError where a model predicts no next word."""
    if hasattr(self, "prepare_inputs_for_generation"):
        kind: Any = EncoderDecoderModel if self.config.is_encoder_decoder else Generation
        return kind.generate(self, *arguments, **options)
    advice = "Open the checkpoint with BertLMHeadModel.from_pretrained(…, is_decoder=True)"
    raise TypeError(f"{type(self).__name__} predicts no next word, so it cannot generate text. {advice}.")


_SAMPLE = [[7, 6, 0, 0, 1], [1, 2, 3, 0, 0], [0, 0, 0, 4, 5]]
OF_MODELS: dict[str, Any] = {"framework": "pt", "supports_gradient_checkpointing": True, "is_parallelizable": False}
OF_MODELS |= {each.__name__: each for each in (estimate_tokens, floating_point_ops, generate)}
OF_MODELS |= {each.__name__: each for each in (add_memory_hooks, reset_memory_hooks_state)}
OF_MODELS |= {"dummy_inputs": property(lambda _: {"input_ids": torch.tensor(_SAMPLE)})}
OF_MODELS |= dict.fromkeys(("get_position_embeddings", "resize_position_embeddings"), resize_position_embeddings)
OF_MODELS |= {"load_tf_weights": staticmethod(load_tf_weights_in_bert)}
OF_MODELS |= {"_keys_to_ignore_on_load_missing": [r"position_ids"], "_keys_to_ignore_on_load_unexpected": None}
OF_PAIRS: dict[str, Any] = {"prune_heads": prune_heads_of_a_side}
OF_PAIRS |= {"set_input_embeddings": lambda self, value: self.encoder.set_input_embeddings(value)}
OF_PAIRS |= {"set_output_embeddings": lambda self, new_embeddings: self.decoder.set_output_embeddings(new_embeddings)}

# --------------------------------------------------------------------------------------------- tokenizers and encodings

# The BERTs that the reference knows by name, and whether their vocabulary is lower-cased. All read 512 tokens.
_KINDS = ["base-{}", "large-{}", "base-multilingual-{}", "base-german-dbmdz-{}", "large-{}-whole-word-masking"]
_KINDS += ["large-{}-whole-word-masking-finetuned-squad"]
_LOWER_CASED = {f"bert-{kind.format(case)}": case == "uncased" for kind in _KINDS for case in ("uncased", "cased")}
_LOWER_CASED |= dict.fromkeys(("bert-base-chinese", "bert-base-german-cased", "bert-base-cased-finetuned-mrpc"), False)
_LOWER_CASED |= {f"TurkuNLP/bert-base-finnish-{case}-v1": case == "uncased" for case in ("uncased", "cased")}
_LOWER_CASED |= {"wietsedv/bert-base-dutch-cased": False}


def prepare_for_tokenization(_: Any, text: str, is_split_into_words: bool = False, **others: Any) -> tuple[str, Any]:  # noqa: ARG001
    """The text and the other arguments as they are: BERT's text needs no preparation."""
    return text, others


@contextmanager
def as_target_tokenizer(_: Any) -> Iterator[None]:
    """`with tokenizer.as_target_tokenizer():` changes nothing: a BERT reads and writes with one vocabulary."""
    yield


def prepare_seq2seq_batch(
    self: Any,
    src_texts: Any,
    tgt_texts: Any = None,
    max_length: Any = None,
    max_target_length: Any = None,
    **options: Any,
) -> Any:
    """`tokenizer(src_texts)`, cut and padded, with the ids of tgt_texts as "labels": a name that the reference had retired."""
    warnings.warn("Call tokenizer(texts), and tokenizer(targets) for the labels.", FutureWarning, stacklevel=2)
    given = {name: value for name, value in options.items() if name not in ("src_lang", "tgt_lang")}  # mBART's
    options = {"padding": "longest", "truncation": True, **given}
    longest = max_length or self.model_max_length
    inputs = self(src_texts, max_length=longest, **options)
    if tgt_texts is not None:
        inputs["labels"] = self(tgt_texts, max_length=max_target_length or longest, **options).input_ids
    return inputs


def words(self: Any, batch_index: int = 0) -> list[int | None]:
    """`word_ids`, under the name that the reference had retired."""
    warnings.warn("encoding.words() is now encoding.word_ids().", FutureWarning, stacklevel=2)
    return self.word_ids(batch_index)


_FILES = {name: f"https://huggingface.co/{name}/resolve/main/vocab.txt" for name in _LOWER_CASED}
OF_TOKENIZERS: dict[str, Any] = {"init_inputs": (), "slow_tokenizer_class": None}
OF_TOKENIZERS |= {"max_model_input_sizes": dict.fromkeys(_LOWER_CASED, 512)}
OF_TOKENIZERS |= {"pretrained_init_configuration": {n: {"do_lower_case": low} for n, low in _LOWER_CASED.items()}}
OF_TOKENIZERS |= {"pretrained_vocab_files_map": {"vocab_file": _FILES}}
OF_TOKENIZERS |= {"prepare_for_tokenization": prepare_for_tokenization, "as_target_tokenizer": as_target_tokenizer}
OF_TOKENIZERS |= {"prepare_seq2seq_batch": prepare_seq2seq_batch}
OF_ENCODINGS: dict[str, Any] = {"words": words}
