"""The Auto classes: open a checkpoint without naming its class.

In the reference they choose among hundreds of architectures by the checkpoint's `model_type`. Here there is one, so
each Auto class stands for one class, as the table below says, and adds a clear error for every other `model_type`.
`register` (`compat/names.py`) adds classes of one's own. Reference: `transformers.models.auto`.
"""

import os
from pathlib import Path
from typing import Any, ClassVar

import torch

from . import heads
from .checkpoints import CONFIG_FILE, locate, locate_config, read_json
from .config import BertConfig
from .config_files import HUB_OPTIONS
from .model import BertModel, BertPreTrainedModel
from .tokenization import BertTokenizer, BertTokenizerFast
from .tokenization.tokenizer_files import ANY_TOKENIZER


class _Auto:
    classes: ClassVar[dict[Any, Any]]
    """Config class → the class to make; of tokenizers two, the second for `use_fast`; of configs model_type → class."""

    def __init__(self, *_: Any, **__: Any) -> None:
        name = type(self).__name__
        # An OSError because the reference raises EnvironmentError here.
        raise OSError(f"{name}() makes nothing: it opens checkpoints. Use {name}.from_pretrained(name).")


class AutoConfig(_Auto):
    """`BertConfig` under the name that fits any checkpoint."""

    classes: ClassVar[dict[Any, Any]] = {BertConfig.model_type: BertConfig}

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **settings: Any) -> Any:
        """`BertConfig.from_pretrained`. Raises ValueError for a checkpoint of another kind, naming its model_type."""
        config_class = config_class_of(pretrained_model_name_or_path, settings)
        return config_class.from_pretrained(pretrained_model_name_or_path, **settings)

    @classmethod
    def for_model(cls, model_type: str, **fields: Any) -> BertConfig:
        """A config from its fields. Raises ValueError for any model_type but "bert" and those registered."""
        if model_type not in cls.classes:
            raise ValueError(f"model_type {model_type!r} is not known here. minibert knows BERT only: 'bert'.")
        return cls.classes[model_type](**fields)


class AutoTokenizer(_Auto):
    """`BertTokenizer` under the name that fits any checkpoint."""

    classes: ClassVar[dict[Any, Any]] = {BertConfig: (BertTokenizer, BertTokenizerFast)}

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        *,
        use_fast: bool = True,
        tokenizer_type: str | None = None,
        config: BertConfig | None = None,
        subfolder: str | None = None,
        **settings: Any,
    ) -> BertTokenizer:
        """Open a tokenizer; the other arguments are those of `BertTokenizer.from_pretrained`.

        use_fast: as in the reference, a `BertTokenizerFast` unless False. tokenizer_type: "bert", whatever the files say.
        config: whose tokenizer it is where they say nothing. Raises ValueError for a tokenizer of another kind, naming it.
        """
        hub = {name: settings[name] for name in HUB_OPTIONS if name in settings}
        if config is not None:
            _check_config(cls, config)
        if tokenizer_type not in (None, *AutoConfig.classes):
            raise ValueError(f"tokenizer_type {tokenizer_type!r} is not known here. minibert has BERT's only: 'bert'.")
        kind = AutoConfig.classes.get(tokenizer_type, type(config))
        plain, fast = cls.classes.get(kind, cls.classes[BertConfig])
        place = Path(pretrained_model_name_or_path) / (subfolder or "")
        if tokenizer_type is None and not place.is_file():  # a vocabulary by its path says nothing about its kind
            found = _tokenizers_of(place if subfolder or place.is_dir() else pretrained_model_name_or_path, hub)
            plain, fast = found or (plain, fast)
        tokenizer_class = (use_fast and fast) or plain or fast
        return tokenizer_class.from_pretrained(pretrained_model_name_or_path, subfolder=subfolder, **settings)


class _AutoModelClass(_Auto):
    """What every Auto class of models does."""

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
        if config is not None and not isinstance(config, (str, os.PathLike)):
            _check_config(cls, config)
            kind = type(config)
        else:
            kind = config_class_of(config or pretrained_model_name_or_path, settings)
        model_class = cls.classes.get(kind, cls.classes[BertConfig])
        return model_class.from_pretrained(pretrained_model_name_or_path, *model_args, config=config, **settings)

    @classmethod
    def from_config(cls, config: BertConfig, torch_dtype: torch.dtype | None = None, **arguments: Any) -> Any:
        """A model with fresh weights, in training mode.

        torch_dtype: of its parameters, which are drawn in it. arguments: the class's own, such as `add_pooling_layer`.
        Raises ValueError for a config of another kind, naming its model_type.
        """
        _check_config(cls, config)
        usual = torch.get_default_dtype()
        if torch_dtype is not None and not torch_dtype.is_floating_point:
            raise ValueError(f"torch_dtype = {torch_dtype} cannot hold weights: give a floating dtype.")
        torch.set_default_dtype(torch_dtype or usual)
        try:
            return cls.classes.get(type(config), cls.classes[BertConfig])(config, **arguments)
        finally:
            torch.set_default_dtype(usual)


def _auto(name: str, model_class: type[BertPreTrainedModel]) -> type[_AutoModelClass]:
    namespace = {"classes": {BertConfig: model_class}, "__doc__": f"`{model_class.__name__}`.", "__module__": __name__}
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


def config_class_of(name_or_path: Any, settings: dict[str, Any]) -> type[BertConfig]:
    """The class for the model_type in a checkpoint's files: `BertConfig`, which refuses others by name, or one registered."""
    if len(AutoConfig.classes) == 1:
        return BertConfig  # which reads the file itself
    hub = {name: settings[name] for name in HUB_OPTIONS if name in settings}
    return AutoConfig.classes.get(read_json(locate_config(name_or_path, **hub)).get("model_type"), BertConfig)


def _check_config(auto: type[_Auto], config: Any) -> None:
    if not isinstance(config, (BertConfig, *auto.classes)):
        kind = getattr(config, "model_type", type(config).__name__)
        raise ValueError(
            f"{auto.__name__} was given a config of model_type {kind!r}. minibert knows BERT only: BertConfig."
        )


def _tokenizers_of(name_or_path: str | os.PathLike[str], hub: dict[str, Any]) -> Any:
    """The classes for what the files say about the tokenizer, or else about the model: BERT's, or registered ones."""
    known = {
        each.__name__.removesuffix("Fast"): both for both in AutoTokenizer.classes.values() for each in both if each
    }
    filenames = ("tokenizer_config.json", CONFIG_FILE, "vocab.txt", "tokenizer.json")
    folder = locate(name_or_path, filenames=filenames, **hub)
    for path in (folder / "tokenizer_config.json", folder / CONFIG_FILE):
        values = read_json(path) if path.exists() else {}
        tokenizer_class = values.get("tokenizer_class")
        if tokenizer_class in ANY_TOKENIZER:
            return None
        if (name := str(tokenizer_class).removesuffix("Fast")) in known:
            return known[name]
        if tokenizer_class is not None:
            raise ValueError(f"{path}: tokenizer_class is {tokenizer_class!r}. minibert has BERT's tokenizer only.")
    model_type = values.get("model_type")
    if model_type not in (None, *AutoConfig.classes):
        raise ValueError(f"{path}: model_type is {model_type!r}. minibert has BERT's tokenizer only.")
    return AutoTokenizer.classes.get(AutoConfig.classes.get(model_type))
