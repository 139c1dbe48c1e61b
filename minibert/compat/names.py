"""Names of the era at the top level: other names of classes, what Auto classes open, constants and helpers; and what is not here.

Reference: `transformers/__init__.py` and `transformers.models.auto`, 4.12.
"""

import random
import warnings
from dataclasses import make_dataclass
from enum import Enum
from typing import Any

import numpy as np
import torch

import minibert.auto as auto

from ..config import BertConfig
from ..config_files import ConfigFiles
from ..model import BertPreTrainedModel
from ..outputs import ModelOutput
from ..tokenization import BertTokenizer, BertTokenizerFast

# ------------------------------------------------------------------------------------------------ classes and constants

PreTrainedModel, PretrainedConfig = BertPreTrainedModel, ConfigFiles
PreTrainedTokenizerBase = PreTrainedTokenizer = BertTokenizer
PreTrainedTokenizerFast = BertTokenizerFast
WEIGHTS_NAME, CONFIG_NAME = "pytorch_model.bin", "config.json"


class TensorType(str, Enum):
    """Values of `return_tensors=`."""

    PYTORCH = "pt"
    NUMPY = "np"


def _output(name: str, *fields: str) -> Any:
    space = {"__module__": __name__, "__doc__": f"An output with {', '.join(fields)}: for outputs of your own."}
    return make_dataclass(name, [(field, Any, None) for field in fields], bases=(ModelOutput,), namespace=space)


_STATES = ("hidden_states", "attentions")
BaseModelOutput = _output("BaseModelOutput", "last_hidden_state", *_STATES)
BaseModelOutputWithPooling = _output("BaseModelOutputWithPooling", "last_hidden_state", "pooler_output", *_STATES)
BaseModelOutputWithPast = _output("BaseModelOutputWithPast", "last_hidden_state", "past_key_values", *_STATES)
BaseModelOutputWithCrossAttentions = _output(
    "BaseModelOutputWithCrossAttentions", "last_hidden_state", *_STATES, "cross_attentions"
)


def set_seed(seed: int) -> None:
    """Set the seeds of Python's, NumPy's and PyTorch's random numbers, on every device."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def is_torch_available() -> bool:
    """Always: minibert is PyTorch."""
    return True


def is_tf_available() -> bool:
    """Never: nothing here uses TensorFlow, whose checkpoints are read without it."""
    return False


is_tokenizers_available, is_flax_available = is_torch_available, is_tf_available

# ------------------------------------------------------------------------------------------------------ registered classes


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
    """Open a `config_class`'s tokenizer with a class of your own, without and with `use_fast`, or one of both.

    What was registered before stays unless it is replaced. Raises ValueError where classes are of the wrong kind.
    """
    slow, fast = slow_tokenizer_class, fast_tokenizer_class
    if slow is None and fast is None:
        raise ValueError("There is nothing to register: give slow_tokenizer_class or fast_tokenizer_class.")
    if slow is not None and issubclass(slow, BertTokenizerFast):
        raise ValueError(
            f"slow_tokenizer_class: {slow.__name__} is a BertTokenizerFast. Give it as fast_tokenizer_class."
        )
    if fast is not None and not issubclass(fast, BertTokenizerFast):
        raise ValueError(f"fast_tokenizer_class: {fast.__name__} is no BertTokenizerFast.")
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


OF_AUTO_CONFIG = {"register": staticmethod(register_config)}
OF_AUTO_MODELS = {"register": register_model}
OF_AUTO_TOKENIZER = {"register": staticmethod(register_tokenizer)}


class AutoModelWithLMHead(auto.AutoModelForMaskedLM):  # type: ignore[misc, valid-type]
    """`BertForMaskedLM`, under a name that the reference itself had retired: a FutureWarning says which to use."""

    @classmethod
    def from_pretrained(cls, *arguments: Any, **settings: Any) -> Any:
        """As `AutoModelForMaskedLM.from_pretrained`."""
        warnings.warn(_RETIRED, FutureWarning, stacklevel=2)
        return super().from_pretrained(*arguments, **settings)

    @classmethod
    def from_config(cls, *arguments: Any, **settings: Any) -> Any:
        """As `AutoModelForMaskedLM.from_config`."""
        warnings.warn(_RETIRED, FutureWarning, stacklevel=2)
        return super().from_config(*arguments, **settings)


_RETIRED = (
    "AutoModelWithLMHead does not say which model is meant. "
    "Use AutoModelForMaskedLM, which it is, or AutoModelForCausalLM."
)
_AUTO: list[Any] = [auto.AutoConfig, auto.AutoTokenizer, AutoModelWithLMHead, *auto._AutoModelClass.__subclasses__()]
for _each in _AUTO:
    _each.classes = Mapping(_each.classes)
CONFIG_MAPPING, TOKENIZER_MAPPING = auto.AutoConfig.classes, auto.AutoTokenizer.classes
MODEL_MAPPING, MODEL_WITH_LM_HEAD_MAPPING = auto.AutoModel.classes, AutoModelWithLMHead.classes
MODEL_FOR_PRETRAINING_MAPPING = auto.AutoModelForPreTraining.classes
MODEL_FOR_CAUSAL_LM_MAPPING = auto.AutoModelForCausalLM.classes
MODEL_FOR_MASKED_LM_MAPPING = auto.AutoModelForMaskedLM.classes
MODEL_FOR_MULTIPLE_CHOICE_MAPPING = auto.AutoModelForMultipleChoice.classes
MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING = auto.AutoModelForNextSentencePrediction.classes
MODEL_FOR_QUESTION_ANSWERING_MAPPING = auto.AutoModelForQuestionAnswering.classes
MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING = auto.AutoModelForSequenceClassification.classes
MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING = auto.AutoModelForTokenClassification.classes

# ---------------------------------------------------------------------------------------------------------- what is not here

_INSTEAD = {
    "fine-tune with `minibert.training.finetuning.finetune`, or write the loop yourself": "Trainer TrainingArguments "
    "Seq2SeqTrainer Seq2SeqTrainingArguments TrainerCallback TrainerState TrainerControl EarlyStoppingCallback "
    "DefaultFlowCallback PrinterCallback ProgressCallback EvalPrediction IntervalStrategy HfArgumentParser",
    "predict with `minibert predict`, or call the tokenizer and the model": "pipeline Pipeline FillMaskPipeline "
    "TextClassificationPipeline TokenClassificationPipeline NerPipeline QuestionAnsweringPipeline "
    "FeatureExtractionPipeline TextGenerationPipeline SummarizationPipeline ZeroShotClassificationPipeline",
    "`minibert.tasks` and `minibert.data` read files": "DataProcessor InputExample InputFeatures SquadExample "
    "SquadFeatures SquadV1Processor SquadV2Processor SingleSentenceClassificationProcessor GlueDataset SquadDataset "
    "GlueDataTrainingArguments SquadDataTrainingArguments TextDataset LineByLineTextDataset "
    "LineByLineWithRefDataset LineByLineWithSOPTextDataset TextDatasetForNextSentencePrediction "
    "glue_convert_examples_to_features squad_convert_examples_to_features glue_compute_metrics",
    "a pair of BERTs is an `EncoderDecoderModel`": "AutoModelForSeq2SeqLM MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING",
    "`tokenizer.pad` makes the batch": "DataCollatorForSeq2Seq DataCollatorForSOP DataCollatorForPermutationLanguageModeling",
    "use `AdamW`": "Adafactor",
}


def why_not_here(name: str) -> str | None:
    """What to use in place of a name of the reference that minibert leaves out; None for any other name."""
    advice = next((advice for advice, names in _INSTEAD.items() if name in names.split()), None)
    if name.startswith(("TFBert", "TFAuto", "FlaxBert", "FlaxAuto")):
        advice = "minibert is PyTorch only"
    return advice and f"minibert has no {name}: {advice}. docs/differences.md lists what is left out."
