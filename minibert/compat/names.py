"""Names of the era at the top level: other names of classes, what Auto classes open, constants and helpers; and what is not here.

Reference: `transformers/__init__.py` and `transformers.models.auto`, 4.12.
"""

import logging as log
import random
import re
import warnings
from dataclasses import make_dataclass
from enum import Enum
from functools import partial
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch.torch_version import TorchVersion

import minibert.auto as auto

from ..checkpoints import locate, read_json
from ..config import BertConfig
from ..config_files import ConfigFiles
from ..model import BertPreTrainedModel
from ..outputs import ModelOutput
from ..tokenization import BertTokenizer, BertTokenizerFast
from ..tokenization.vocabulary import Vocabulary
from .tokenization_bert import PreTrainedTokenizer as PreTrainedTokenizer

# ------------------------------------------------------------------------------------------------ classes and constants

PreTrainedModel = BertPreTrainedModel
PretrainedConfig = ConfigFiles
PreTrainedTokenizerBase = BertTokenizer
PreTrainedTokenizerFast = BertTokenizerFast
SpecialTokensMixin = Vocabulary
WEIGHTS_NAME, CONFIG_NAME = "pytorch_model.bin", "config.json"


is_torch_available = partial(bool, 1)
is_tokenizers_available = partial(bool, 1)
is_tf_available = bool
is_flax_available = bool  # never: TensorFlow's checkpoints are read without it


class TensorType(str, Enum):
    """Values of `return_tensors=`."""

    PYTORCH = "pt"
    NUMPY = "np"


def _output(name: str, *fields: str) -> Any:
    space = {"__module__": __name__, "__doc__": f"An output with {', '.join(fields)}: for outputs of your own."}
    return make_dataclass(name, [(field, Any, None) for field in fields], bases=(ModelOutput,), namespace=space)


_HELD = ("last_hidden_state", "hidden_states", "attentions")
BaseModelOutput = _output("BaseModelOutput", *_HELD)
BaseModelOutputWithCrossAttentions = _output("BaseModelOutputWithCrossAttentions", *_HELD, "cross_attentions")
BaseModelOutputWithPooling = _output("BaseModelOutputWithPooling", _HELD[0], "pooler_output", *_HELD[1:])
BaseModelOutputWithPast = _output("BaseModelOutputWithPast", _HELD[0], "past_key_values", *_HELD[1:])


def get_tokenizer_config(pretrained_model_name_or_path: Any, **hub: Any) -> Any:
    """What a checkpoint's tokenizer_config.json holds; nothing where there is none. hub: arguments of `locate`."""
    folder = locate(pretrained_model_name_or_path, filenames=("tokenizer_config.json", "vocab.txt"), **hub)
    return read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").exists() else {}


def require_version(requirement: str, hint: str | None = None) -> None:
    """Raise ImportError where an installed package is older than, as in "torch>=1.5.0", the version after the >=."""
    name, _, least = requirement.replace(" ", "").partition(">=")
    if re.search("[<>=!~,]", name + least):
        raise ValueError(f"{requirement!r} is not understood: write a package, >= and its oldest version.")
    if TorchVersion(version(name)) < (least or "0"):
        raise ImportError(f"{requirement} is required, and {name} is {version(name)}. {hint or ''}")


def set_seed(seed: int) -> None:
    """Set the seeds of Python's, NumPy's and PyTorch's random numbers, on every device."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


# ----------------------------------------------------------------------------------------------- how much minibert says

_handler = log.StreamHandler()


def _logger() -> log.Logger:
    """The logger "minibert", which writes to the standard error output itself from the first call of a function below on."""
    logger = log.getLogger("minibert")
    if logger.level == log.NOTSET:
        logger.addHandler(_handler)
        logger.setLevel(log.WARNING)
        logger.propagate = False
    return logger


def _show(layout: str) -> None:
    for handler in _logger().handlers:
        handler.setFormatter(log.Formatter(layout))


_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "WARN", "FATAL")
logging = SimpleNamespace(
    **{name: getattr(log, name) for name in _LEVELS},
    **{f"set_verbosity_{n.lower()}": lambda level=n: _logger().setLevel(level) for n in _LEVELS[:4]},
    # a logger of transformers is minibert's, so that a handler that a program of the era gives it hears what is said
    get_logger=lambda name=None: _logger().manager.getLogger(re.sub("^(transformers.*|$)", "minibert", name or "")),
    get_verbosity=lambda: _logger().level,
    get_log_levels_dict=lambda: {name.lower(): getattr(log, name) for name in _LEVELS[:5]},
    set_verbosity=lambda verbosity: _logger().setLevel(verbosity),
    add_handler=lambda handler: _logger().addHandler(handler),
    remove_handler=lambda handler: _logger().removeHandler(handler),
    enable_default_handler=lambda: _logger().addHandler(_handler),
    disable_default_handler=lambda: _logger().removeHandler(_handler),
    enable_propagation=lambda: setattr(_logger(), "propagate", True),
    disable_propagation=lambda: setattr(_logger(), "propagate", False),
    enable_explicit_format=lambda: _show("[%(levelname)s|%(filename)s:%(lineno)s] %(asctime)s >> %(message)s"),
    reset_format=lambda: _show("%(message)s"),
)
"""`from minibert import logging; logging.set_verbosity_error()`, as the reference's module of that name."""

# ----------------------------------------------------------------------------------------------------- registered classes


class Mapping(dict[Any, Any]):
    """`CONFIG_MAPPING`, `MODEL_MAPPING` and their like: which class is made of what; what was registered can be deleted."""

    @property
    def _extra_content(self) -> "Mapping":
        return self


def register_config(model_type: str, config: type[Any]) -> None:
    """Open checkpoints of this model_type with a config class of your own. Raises ValueError where the two do not agree."""
    if config.model_type != model_type:
        raise ValueError(f"{config.__name__}.model_type is {config.model_type!r}, not {model_type!r}.")
    if model_type == BertConfig.model_type:
        raise ValueError("'bert' is BertConfig's: give your config class another model_type.")
    auto.AutoConfig.classes[model_type] = config


@classmethod  # type: ignore[misc]
def register_model(cls: type[Any], config_class: type[Any], model_class: type[Any]) -> None:
    """Make `model_class` of a `config_class`. Raises ValueError unless the model's own `config_class` is this one."""
    if model_class.config_class is not config_class:
        given = f"{model_class.__name__}.config_class is {model_class.config_class.__name__}"
        raise ValueError(f"{given}, not {config_class.__name__}: set it to the class that is registered.")
    _refuse_bert(config_class)
    cls.classes[config_class] = model_class


def register_tokenizer(
    config_class: type[Any], slow_tokenizer_class: Any = None, fast_tokenizer_class: Any = None
) -> None:
    """Open a config class's tokenizer with a class of your own, without and with `use_fast`, or one of both.

    What was registered before stays unless it is replaced. Raises ValueError where classes are of the wrong kind.
    """
    slow, fast = slow_tokenizer_class, fast_tokenizer_class
    if slow is None and fast is None:
        raise ValueError("There is nothing to register: give slow_tokenizer_class or fast_tokenizer_class.")
    for own, kind in ((slow, "slow"), (fast, "fast")):
        if own is not None and issubclass(own, BertTokenizerFast) != (kind == "fast"):
            raise ValueError(f"{kind}_tokenizer_class: {own.__name__} is of the other kind: see BertTokenizerFast.")
    if slow is not None and fast is not None and fast.slow_tokenizer_class is not slow:
        raise ValueError(f"{fast.__name__}.slow_tokenizer_class must be {slow.__name__}, which is registered with it.")
    _refuse_bert(config_class)
    for own in filter(None, (slow, fast)):
        own.saved_as = own.__name__.removesuffix("Fast")
    before = auto.AutoTokenizer.classes.get(config_class, (None, None))
    auto.AutoTokenizer.classes[config_class] = (slow or before[0], fast or before[1])


def _refuse_bert(config_class: type[Any]) -> None:
    if config_class is BertConfig:
        raise ValueError("BertConfig has its classes already: register a config class of your own.")


class AutoModelWithLMHead(auto.AutoModelForMaskedLM):  # type: ignore[misc, valid-type]
    """`BertForMaskedLM`, under a name that the reference itself had retired: a FutureWarning says which to use."""

    @classmethod
    def from_pretrained(cls, *arguments: Any, **settings: Any) -> Any:
        warnings.warn(_RETIRED, FutureWarning, stacklevel=2)
        return super().from_pretrained(*arguments, **settings)

    @classmethod
    def from_config(cls, *arguments: Any, **settings: Any) -> Any:
        warnings.warn(_RETIRED, FutureWarning, stacklevel=2)
        return super().from_config(*arguments, **settings)


_RETIRED = "AutoModelWithLMHead names no kind of model. Use AutoModelForMaskedLM, which it is, or AutoModelForCausalLM."
_AUTO: list[Any] = [auto.AutoConfig, auto.AutoTokenizer, AutoModelWithLMHead, *auto._AutoModelClass.__subclasses__()]
for _each in _AUTO:
    _each.classes = Mapping(_each.classes)

# ---------------------------------------------------------------------------------------------------------- what is not here

_INSTEAD = {
    "fine-tune with `minibert.training.finetuning.finetune`, or write the loop yourself": "Trainer TrainingArguments "
    "Seq2SeqTrainer Seq2SeqTrainingArguments TrainerCallback EarlyStoppingCallback EvalPrediction HfArgumentParser",
    "`minibert.tasks` and `minibert.data` read files": "InputExample InputFeatures SquadV1Processor SquadV2Processor "
    "DataProcessor GlueDataset SquadDataset TextDataset LineByLineTextDataset TextDatasetForNextSentencePrediction",
    "a pair of BERTs is an `EncoderDecoderModel`": "AutoModelForSeq2SeqLM",
    "`tokenizer.pad` makes the batch": "DataCollatorForSeq2Seq DataCollatorForPermutationLanguageModeling",
    "use `AdamW`": "Adafactor",
}


def why_not_here(name: str) -> str | None:
    """What to use in place of a name of the reference that minibert leaves out; None for any other name."""
    advice = next((advice for advice, names in _INSTEAD.items() if name in names.split()), None)
    if name.endswith("Pipeline"):
        advice = "`minibert.pipeline` has BERT's tasks, and `generate` continues texts"
    if name.startswith(("TFBert", "TFAuto", "FlaxBert", "FlaxAuto")):
        advice = "minibert is PyTorch only"
    return advice and f"minibert has no {name}: {advice}. docs/differences.md lists what is left out."
