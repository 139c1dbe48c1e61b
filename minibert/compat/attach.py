"""What programs of the era call on a model, a config or a tokenizer, put on the core's classes: the core stays readable, and imports nothing."""

import warnings
from typing import Any

from ..auto import AutoConfig, AutoTokenizer, _AutoModelClass
from ..config_files import ConfigFiles
from ..encoder_decoder import EncoderDecoderConfig, EncoderDecoderModel
from ..generation import Generation
from ..heads import BertForMaskedLM, BertForQuestionAnswering, BertForTokenClassification, BertLMHeadModel
from ..model.base import BertBase
from ..model.bert import BertModel
from ..model.layer import BertLayer
from ..tokenization import BasicTokenizer, BatchEncoding, BertTokenizer, BertTokenizerFast
from .methods import OF_CONFIGS, OF_ENCODINGS, OF_MODELS, OF_PAIRS, OF_TOKENIZERS
from .modeling_bert import OF_BODIES, OF_LAYERS, UNDERSCORED
from .names import register_config, register_model, register_tokenizer
from .new_vocabulary import train_new_from_iterator
from .searches import OF_DECODERS
from .tokenization_bert import OF_BASIC, OF_VOCABULARIES

_NO_POOLER = {"_keys_to_ignore_on_load_unexpected": [r"pooler"]}
_WORD_PREDICTOR = {**_NO_POOLER, "_keys_to_ignore_on_load_missing": [r"position_ids", r"predictions.decoder.bias"]}

ATTACHED: dict[type, dict[str, Any]] = {
    ConfigFiles: OF_CONFIGS,
    EncoderDecoderConfig: {"is_composition": True},
    BertBase: OF_MODELS | UNDERSCORED,
    BertModel: OF_BODIES,
    BertLayer: OF_LAYERS,
    EncoderDecoderModel: OF_PAIRS | OF_DECODERS,
    Generation: OF_DECODERS,
    BertForMaskedLM: _WORD_PREDICTOR,
    BertLMHeadModel: _WORD_PREDICTOR,
    BertForTokenClassification: _NO_POOLER,
    BertForQuestionAnswering: _NO_POOLER,
    BasicTokenizer: OF_BASIC,
    BertTokenizer: OF_TOKENIZERS | OF_VOCABULARIES,
    BertTokenizerFast: {"slow_tokenizer_class": BertTokenizer, "train_new_from_iterator": train_new_from_iterator},
    BatchEncoding: OF_ENCODINGS,
    AutoConfig: {"register": staticmethod(register_config)},
    AutoTokenizer: {"register": staticmethod(register_tokenizer)},
    _AutoModelClass: {"register": register_model},
}
"""Class → name → function, property or value. Each file of `compat/` that has some is imported here and listed by class."""


def attach() -> None:
    """Give the classes what the era has; called once, when the first public name of minibert is imported."""
    for owner, found in ATTACHED.items():
        for name, value in found.items():
            setattr(owner, name, value)
    # Under torch.jit.trace sizes are tensors. What is asked of them changes no number, at another length neither.
    for module in ("checks", "attention"):
        warnings.filterwarnings("ignore", "Converting a tensor to a Python", module=rf"minibert\.model\.{module}$")
