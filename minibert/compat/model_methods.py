"""What programs of the era ask a model for, beside what a lesson needs: sizes, sample inputs, a report of what was loaded.

Reference: `ModuleUtilsMixin`, `PreTrainedModel` and `load_tf_weights_in_bert`.
"""

import os
import re
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from ..checkpoints import LoadingReport, locate_weights, open_weights
from ..checkpoints.load import plan_loading, read_into_parameters
from ..checkpoints.names import canonical


def estimate_tokens(self: Any, input_dict: Mapping[str, Any]) -> int:  # noqa: ARG001
    """How many entries the inputs have, counted as the reference does: those of every tensor with "input" in its name."""
    inputs = [tensor for name, tensor in input_dict.items() if "input" in name]
    if not inputs:
        warnings.warn("No input has 'input' in its name: 0 tokens, and 0 operations, are counted.", stacklevel=2)
    return sum(tensor.numel() for tensor in inputs)


def floating_point_ops(self: Any, input_dict: Mapping[str, Any], exclude_embeddings: bool = True) -> int:
    """Operations of a forward and a backward pass: 6 for each token and parameter. Source: Kaplan et al. 2020, §2.1."""
    return 6 * self.estimate_tokens(input_dict) * self.num_parameters(exclude_embeddings=exclude_embeddings)


def add_memory_hooks(self: Any) -> None:
    """Add up in `module.mem_rss_diff` by how many bytes this process grows in each stage's forwards. Linux only."""

    def before(stage: Any, _inputs: Any) -> None:
        stage.mem_rss_pre_forward = _resident_bytes()

    def after(stage: Any, _inputs: Any, _outputs: Any) -> None:
        stage.mem_rss_post_forward = _resident_bytes()
        stage.mem_rss_diff += stage.mem_rss_post_forward - stage.mem_rss_pre_forward

    for stage in self.modules():
        stage.register_forward_pre_hook(before)
        stage.register_forward_hook(after)
    self.reset_memory_hooks_state()


def reset_memory_hooks_state(self: Any) -> None:
    """Let every stage's count begin at 0 again."""
    for stage in self.modules():
        stage.mem_rss_diff = stage.mem_rss_pre_forward = stage.mem_rss_post_forward = 0


def _resident_bytes() -> int:
    if not sys.platform.startswith("linux"):
        raise NotImplementedError("add_memory_hooks reads /proc, which only Linux has.")
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def resize_position_embeddings(self: Any, *_: Any) -> None:
    """Always raises NotImplementedError, as the reference does for a BERT."""
    raise NotImplementedError("BERT's positions keep their number: set max_position_embeddings before it is built.")


def load_tf_weights_in_bert(model: Any, config: Any, tf_checkpoint_path: str | os.PathLike[str]) -> Any:  # noqa: ARG001
    """Read TensorFlow's weights, `….ckpt`, into a model that is built, and return it; what the file lacks stays."""
    with open_weights(locate_weights(tf_checkpoint_path, from_tf=True), from_tf=True) as weights:
        allowed = {"ignore_mismatched_sizes": False, "allow_missing": True}
        model.loading_report = plan_loading(model, weights, str(tf_checkpoint_path), **allowed)
        read_into_parameters(model, weights, model.loading_report, dtype=model.dtype)
    return model


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

    second = {finding.name for finding in report.tied}
    left_out = set()
    for name in second:
        head = name.rsplit(".", 2)[0] + "."  # of cls.predictions.decoder.bias, cls.predictions.
        held = [each for each in loaded if each.startswith(head)]
        left_out |= {name} if held and second.isdisjoint(held) else set()
    missing = [spelled(name) for name in expected if name not in left_out and spelled(name) not in loaded]
    known = {spelled(name) for name in expected}
    unexpected = [name for name in loaded if name not in known and not name.endswith("embeddings.position_ids")]
    ignored = (model._keys_to_ignore_on_load_missing, model._keys_to_ignore_on_load_unexpected)
    for keys, patterns in zip((missing, unexpected), ignored, strict=True):
        keys[:] = [key for key in keys if not any(re.search(pattern, key) for pattern in patterns or ())]
    mismatched = [(spelled(name), found, own) for name, found, own in report.mismatched]
    return {"missing_keys": missing, "unexpected_keys": unexpected, "mismatched_keys": mismatched, "error_msgs": []}


OF_MODELS: dict[str, Any] = {
    "framework": "pt",
    "supports_gradient_checkpointing": True,
    "is_parallelizable": False,
    "dummy_inputs": property(
        lambda self: {"input_ids": torch.tensor([[7, 6, 0, 0, 1], [1, 2, 3, 0, 0], [0, 0, 0, 4, 5]])},  # noqa: ARG005
    ),
    "load_tf_weights": staticmethod(load_tf_weights_in_bert),
    "_keys_to_ignore_on_load_missing": [r"position_ids"],
    "_keys_to_ignore_on_load_unexpected": None,
    "get_position_embeddings": resize_position_embeddings,
}
OF_MODELS |= {
    each.__name__: each
    for each in (
        *(estimate_tokens, floating_point_ops, add_memory_hooks, reset_memory_hooks_state),
        resize_position_embeddings,
    )
}


def set_encoder_embeddings(self: Any, value: nn.Embedding) -> None:
    """Replace the encoder's word embeddings, those that `get_input_embeddings` returns."""
    self.encoder.set_input_embeddings(value)


def set_decoder_predictor(self: Any, new_embeddings: nn.Linear) -> None:
    """Replace the decoder's word predictor, the one that `get_output_embeddings` returns."""
    self.decoder.set_output_embeddings(new_embeddings)


def prune_heads_of_a_side(self: Any, heads_to_prune: Mapping[int, Iterable[int]]) -> None:
    """Always raises NotImplementedError: each side has layers of its own."""
    raise NotImplementedError("Two sides with layers of their own: call model.encoder.prune_heads(…) or the decoder's.")


OF_PAIRS: dict[str, Any] = {
    "set_input_embeddings": set_encoder_embeddings,
    "set_output_embeddings": set_decoder_predictor,
    "prune_heads": prune_heads_of_a_side,
}
