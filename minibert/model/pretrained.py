"""Load and save: what makes a model a pre-trained one. Reference class: `BertPreTrainedModel`."""

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoints import CheckpointError, LoadingReport, Weights, check_upload, open_weights, weights_of
from ..checkpoints.changes import changing, read_together
from ..checkpoints.files import folder_for_saving, is_checkpoint, is_weights
from ..checkpoints.find import at_one_commit, locate_weights
from ..checkpoints.load import check_sizes, plan_loading, read_into_parameters
from ..checkpoints.save import save_with, split_into_files, write_weights
from ..config import BertConfig
from ..config_files import DTYPES
from .base import BertBase
from .initialization import WithoutDraws, without_init_weights

logger = logging.getLogger("minibert")


class BertPreTrainedModel(BertBase):
    """Base of `BertModel` and of every model with a head; a subclass ends its `__init__` with `self.init_weights()`."""

    loading_report: LoadingReport | None = None
    """What `from_pretrained` did with every tensor; None for a model that was not loaded."""

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str] | None,
        *model_args: Any,
        config: BertConfig | str | os.PathLike[str] | None = None,
        state_dict: Mapping[str, Tensor] | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        use_auth_token: str | bool | None = None,
        revision: str | None = None,
        from_tf: bool = False,
        torch_dtype: torch.dtype | str | None = None,
        dtype: torch.dtype | str | None = None,
        ignore_mismatched_sizes: bool = False,
        allow_missing: bool = False,
        draw_as_reference: bool = False,
        output_loading_info: bool = False,
        **others: Any,
    ) -> Any:
        """Open a checkpoint: a folder, a bundled name such as "novels-4l-256h", a hub id, or a file of weights and config=.

        config: a BertConfig, or where to read one, in place of the checkpoint's. state_dict: use these tensors.
        cache_dir, force_download, local_files_only, token (or use_auth_token), revision: as for any hub download.
        from_tf: look for TensorFlow's weights only; without, they are read where there are no others.
        torch_dtype (or dtype): of the parameters, default torch's default; "auto" is that of the file.
        ignore_mismatched_sizes: start tensors of another shape anew. allow_missing: also those the body lacks.
        draw_as_reference: draw the random numbers that the reference draws even where none is needed, so that the same
        seed before loading gives the same dropout after it; it takes as long as making the model anew.
        others: config fields to change (`num_labels=3`), then arguments of the class (`add_pooling_layer=False`).

        The model is in evaluation mode; `model.loading_report` tells what was read, tied, new and left over, and a
        warning is logged where that needs attention. With `output_loading_info` returns (model, the reference's dict).
        Raises CheckpointError (an OSError) where files are missing, broken or do not fit; ValueError for the rest.
        """
        hub: dict[str, Any] = {"cache_dir": cache_dir, "revision": revision, "force_download": force_download}
        hub |= {"local_files_only": local_files_only, "token": use_auth_token if token is None else token}
        for ignored in ("low_cpu_mem_usage", "resume_download", "proxies", "mirror", "trust_remote_code", "_fast_init"):
            others.pop(ignored, None)  # arguments of the reference with nothing left to say here
        name = pretrained_model_name_or_path
        if config is None and name is None:
            raise ValueError("from_pretrained(None, …) needs config=BertConfig(…) and state_dict={…}.")
        if state_dict is None and name is None:
            raise ValueError("from_pretrained(None, …) needs state_dict={…}: there is no file to read.")
        given = ("attn_implementation",) if isinstance(config, BertConfig) else ()
        attention = {field: others.pop(field) for field in given if field in others}

        def config_and_weights() -> tuple[Any, dict[str, Any], Weights]:
            """The config, the arguments that it has no field for, and the weights, opened."""
            at, settings = hub, (config, others)
            if not isinstance(config, BertConfig):
                at = at_one_commit(name, hub) if name is not None and config is None and state_dict is None else hub
                source = config or name or ""
                settings = cls.config_class.from_pretrained(source, return_unused_kwargs=True, **at, **others)
            if state_dict is not None or name is None:
                return *settings, weights_of(state_dict)
            try:
                folder = locate_weights(name, from_tf=from_tf, **at)
            except CheckpointError:
                if at == hub or at_one_commit(name, hub) == at:
                    raise
                return config_and_weights()  # the branch has moved, and the commit is there no longer
            return *settings, opened.enter_context(open_weights(folder, from_tf=from_tf))

        with ExitStack() as opened:
            place = Path(name or os.devnull).expanduser()
            settings, others, weights = read_together(place, config_and_weights, is_checkpoint)
            settings.update(attention)
            settings.name_or_path = str(name or "the state_dict")
            allowed = {"ignore_mismatched_sizes": ignore_mismatched_sizes, "allow_missing": allow_missing}
            check_sizes(settings, weights, allow_missing=allow_missing)
            parameter_dtype = _target_dtype(torch_dtype if torch_dtype is not None else dtype, weights)
            # A student's class may draw numbers of its own; those of a model that the file may fill must not count.
            ours = cls.__module__.startswith("minibert.")  # draws nothing here, and other threads may draw meanwhile
            with without_init_weights(), WithoutDraws(), nullcontext() if ours else torch.random.fork_rng(devices=[]):
                model = cls(settings, *model_args, **others)
            report = plan_loading(model, weights, settings.name_or_path, **allowed)
            if report.new or draw_as_reference:
                # Something has to be drawn, or is asked for. Build again with every draw the reference makes, so that a
                # seed gives the same new parameters and leaves the generator in the same state.
                with without_init_weights():
                    model = cls(settings, *model_args, **others)
                for path in dict.fromkeys(finding.name.rpartition(".")[0] for finding in report.new):
                    model._init_weights(model.get_submodule(path))
            if parameter_dtype != torch.get_default_dtype():
                model.to(parameter_dtype)  # what is not read, such as a new head
            read_into_parameters(model, weights, report, dtype=parameter_dtype)
            names = list(weights)
        model.loading_report = report
        if report.needs_attention:
            logger.warning(report.warning())
        model.eval()
        if not output_loading_info:
            return model
        from ..compat.methods import loading_info

        return model, loading_info(model, report, names)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        save_config: bool = True,
        state_dict: Mapping[str, Tensor] | None = None,
        save_function: Callable[..., Any] | None = None,
        push_to_hub: bool = False,
        max_shard_size: int | str | None = None,
        safe_serialization: bool = True,
        **upload: Any,
    ) -> None:
        """Write `config.json` and `model.safetensors` into a folder, which is made where it does not exist.

        state_dict: write these tensors in place of the model's. max_shard_size: split into files of at most so many
        bytes (or "1GB"). safe_serialization=False writes `pytorch_model.bin`. Tied tensors are written once.
        save_config=False: no `config.json`. save_function(tensors, path): writes `pytorch_model.bin` in torch.save's place.
        All files appear at once, or none does. Raises OSError where it cannot be written, ValueError for nothing, an upload.
        """
        check_upload(push_to_hub, **upload)
        tensors = self.tensors_to_save(state_dict)
        if hollow := [name for name, tensor in tensors.items() if tensor.is_meta]:
            raise ValueError(f"There are no numbers to save: {hollow[0]} is on the meta device.")
        if not tensors:
            raise ValueError(f"There is nothing to save: the state_dict has no tensor of {type(self).__name__}.")
        files = split_into_files(tensors, max_shard_size, safe_serialization) if save_function is None else {}
        folder = folder_for_saving(save_directory)
        self.config.architectures = [type(self).__name__]
        self.config.torch_dtype = str(self.dtype).removeprefix("torch.")
        if save_function is not None:
            save_with(save_function, tensors, folder)
        with changing(folder, replaced=lambda name: bool(files) and is_weights(name)) as draft:
            write_weights(files, draft)
            if save_config:
                self.config.save_pretrained(draft)

    def tensors_to_save(self, state_dict: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """A state dict as files hold it: what every model ties itself once, and no position counter.

        Whatever else shares its memory is copied: a fresh model has two tensors there, and both are to come back.
        """
        own, owner = self.state_dict(keep_vars=True), dict[tuple[object, ...], str]()
        tensors = {}
        for name, tensor in (own if state_dict is None else state_dict).items():
            first = owner.setdefault((tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride()), name)
            shared = tensor.numel() > 0 and first != name
            tied_anew = name.endswith(("cls.predictions.decoder.weight", "cls.predictions.decoder.bias"))
            if shared and tied_anew and own.get(name) is own.get(first):
                continue
            if not name.endswith("embeddings.position_ids"):
                tensors[name] = tensor.detach().clone() if shared else tensor.detach()
        if not self.config.tie_word_embeddings and "cls.predictions.bias" in tensors:
            # Today's library gives an untied decoder a bias of its own and looks for it under this name.
            tensors.setdefault("cls.predictions.decoder.bias", tensors["cls.predictions.bias"].clone())
        return tensors


def _target_dtype(dtype: torch.dtype | str | None, weights: Weights) -> torch.dtype:
    """The dtype the parameters shall have: as asked, the file's own for "auto", torch's default for None."""
    if dtype is None:
        return torch.get_default_dtype()
    if dtype == "auto":
        stored = (tensor.dtype for tensor in weights.values())
        return next((d for d in stored if d.is_floating_point), torch.get_default_dtype())
    found = getattr(torch, dtype.removeprefix("torch."), None) if isinstance(dtype, str) else dtype
    if not isinstance(found, torch.dtype) or str(found).removeprefix("torch.") not in DTYPES:
        raise ValueError(f'torch_dtype = {dtype!r} must be a floating dtype such as torch.float16, or "auto".')
    return found
