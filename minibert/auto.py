"""The Auto classes: open a checkpoint without naming its class.

In the reference they choose among hundreds of architectures by the checkpoint's `model_type`. Here there is one, so
each Auto class stands for one class, as the table below says, and adds a clear error for every other `model_type`.
Reference: `transformers.models.auto`.
"""

import os
import warnings
from pathlib import Path
from typing import Any

import torch

from . import heads
from .checkpoints import CONFIG_FILE, locate, read_json
from .config import BertConfig
from .config_files import HUB_OPTIONS
from .model import BertModel, BertPreTrainedModel
from .tokenization import BertTokenizer, BertTokenizerFast

# Names under which a BERT tokenizer is saved; the last two say nothing of its kind, so its files decide.
_TOKENIZER_CLASSES = ("BertTokenizer", "BertTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend")


class _Auto:
    def __init__(self, *_: Any, **__: Any) -> None:
        name = type(self).__name__
        # An OSError because the reference raises EnvironmentError here.
        raise OSError(f"{name}() makes nothing: it opens checkpoints. Use {name}.from_pretrained(name).")


class AutoConfig(_Auto):
    """`BertConfig` under the name that fits any checkpoint."""

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **settings: Any) -> Any:
        """`BertConfig.from_pretrained`. Raises ValueError for a checkpoint of another kind, naming its model_type."""
        return BertConfig.from_pretrained(pretrained_model_name_or_path, **settings)

    @classmethod
    def for_model(cls, model_type: str, **fields: Any) -> BertConfig:
        """A config from its fields. Raises ValueError for any model_type but "bert"."""
        if model_type != BertConfig.model_type:
            raise ValueError(f"model_type {model_type!r} is not known here. minibert knows BERT only: 'bert'.")
        return BertConfig(**fields)


class AutoTokenizer(_Auto):
    """`BertTokenizer` under the name that fits any checkpoint."""

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *,
        use_fast: bool = True,
        config: BertConfig | None = None,
        subfolder: str = "",
        **settings: Any,
    ) -> BertTokenizer:
        """Open a tokenizer; the other arguments are those of `BertTokenizer.from_pretrained`.

        use_fast: as in the reference, a `BertTokenizerFast` unless False. config: only checked, for its model_type.
        Raises ValueError for a tokenizer of another kind, naming it.
        """
        hub = {name: settings[name] for name in HUB_OPTIONS if name in settings}
        if config is not None:
            _check_config("AutoTokenizer", config)
        place = Path(pretrained_model_name_or_path) / subfolder
        if not place.is_file():  # a vocabulary by its path says nothing about its kind
            _check_tokenizer(place if subfolder or place.is_dir() else pretrained_model_name_or_path, hub)
        tokenizer_class = BertTokenizerFast if use_fast else BertTokenizer
        return tokenizer_class.from_pretrained(pretrained_model_name_or_path, subfolder=subfolder, **settings)


class _AutoModelClass(_Auto):
    """What every Auto class of models does; `model_class` is the class it stands for."""

    model_class: type[BertPreTrainedModel]
    retired = ""  # why, and what to use instead

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str] | None,
        *model_args: Any,
        config: BertConfig | str | os.PathLike[str] | None = None,
        trust_remote_code: bool = False,  # noqa: ARG003  # a BERT brings no code of its own
        **settings: Any,
    ) -> Any:
        """The class's own `from_pretrained`. Raises ValueError for a checkpoint of another kind, naming its model_type."""
        if cls.retired:
            warnings.warn(f"{cls.__name__}: {cls.retired}", FutureWarning, stacklevel=2)
        if config is not None and not isinstance(config, (str, os.PathLike)):
            _check_config(cls.__name__, config)
        return cls.model_class.from_pretrained(pretrained_model_name_or_path, *model_args, config=config, **settings)

    @classmethod
    def from_config(cls, config: BertConfig, torch_dtype: torch.dtype | None = None, **arguments: Any) -> Any:
        """A model with fresh weights, in training mode.

        torch_dtype: of its parameters, which are drawn in it. arguments: the class's own, such as `add_pooling_layer`.
        Raises ValueError for a config of another kind, naming its model_type.
        """
        if cls.retired:
            warnings.warn(f"{cls.__name__}: {cls.retired}", FutureWarning, stacklevel=2)
        _check_config(cls.__name__, config)
        usual = torch.get_default_dtype()
        if torch_dtype is not None and not torch_dtype.is_floating_point:
            raise ValueError(f"torch_dtype = {torch_dtype} cannot hold weights: give a floating dtype.")
        torch.set_default_dtype(torch_dtype or usual)
        try:
            return cls.model_class(config, **arguments)
        finally:
            torch.set_default_dtype(usual)


def _auto(name: str, model_class: type[BertPreTrainedModel]) -> type[_AutoModelClass]:
    namespace = {"model_class": model_class, "__doc__": f"`{model_class.__name__}`.", "__module__": __name__}
    return type(name, (_AutoModelClass,), namespace)


AutoModel = _auto("AutoModel", BertModel)
AutoModelForPreTraining = _auto("AutoModelForPreTraining", heads.BertForPreTraining)
AutoModelForMaskedLM = _auto("AutoModelForMaskedLM", heads.BertForMaskedLM)
AutoModelForCausalLM = _auto("AutoModelForCausalLM", heads.BertLMHeadModel)
AutoModelForNextSentencePrediction = _auto("AutoModelForNextSentencePrediction", heads.BertForNextSentencePrediction)
AutoModelForSequenceClassification = _auto("AutoModelForSequenceClassification", heads.BertForSequenceClassification)
AutoModelForMultipleChoice = _auto("AutoModelForMultipleChoice", heads.BertForMultipleChoice)
AutoModelForTokenClassification = _auto("AutoModelForTokenClassification", heads.BertForTokenClassification)
AutoModelForQuestionAnswering = _auto("AutoModelForQuestionAnswering", heads.BertForQuestionAnswering)


class AutoModelWithLMHead(_AutoModelClass):
    """`BertForMaskedLM`, under a name that the reference itself had retired: a FutureWarning says which to use."""

    model_class = heads.BertForMaskedLM
    retired = "It does not say which model is meant. Use AutoModelForMaskedLM, which it is, or AutoModelForCausalLM."


def _check_config(name: str, config: Any) -> None:
    if not isinstance(config, BertConfig):
        kind = getattr(config, "model_type", type(config).__name__)
        raise ValueError(f"{name} was given a config of model_type {kind!r}. minibert knows BERT only: BertConfig.")


def _check_tokenizer(name_or_path: str | os.PathLike[str], hub: dict[str, Any]) -> None:
    """What the files say about the tokenizer's class, or else about the model, must be BERT's; they may say nothing."""
    filenames = ("tokenizer_config.json", CONFIG_FILE, "vocab.txt", "tokenizer.json")
    folder = locate(name_or_path, filenames=filenames, **hub)
    for path in (folder / "tokenizer_config.json", folder / CONFIG_FILE):
        values = read_json(path) if path.exists() else {}
        tokenizer_class = values.get("tokenizer_class")
        if tokenizer_class in _TOKENIZER_CLASSES:
            return
        if tokenizer_class is not None:
            raise ValueError(f"{path}: tokenizer_class is {tokenizer_class!r}. minibert has BERT's tokenizer only.")
    model_type = values.get("model_type", BertConfig.model_type)
    if model_type != BertConfig.model_type:
        raise ValueError(f"{path}: model_type is {model_type!r}. minibert has BERT's tokenizer only.")
