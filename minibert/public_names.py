"""The names that `import minibert` gives, and the files that they come from."""

from typing import TYPE_CHECKING

from .auto import (
    AutoConfig as AutoConfig,
    AutoModel as AutoModel,
    AutoModelForCausalLM as AutoModelForCausalLM,
    AutoModelForMaskedLM as AutoModelForMaskedLM,
    AutoModelForMultipleChoice as AutoModelForMultipleChoice,
    AutoModelForNextSentencePrediction as AutoModelForNextSentencePrediction,
    AutoModelForPreTraining as AutoModelForPreTraining,
    AutoModelForQuestionAnswering as AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification as AutoModelForSequenceClassification,
    AutoModelForTokenClassification as AutoModelForTokenClassification,
    AutoModelWithLMHead as AutoModelWithLMHead,
    AutoTokenizer as AutoTokenizer,
)
from .config import BertConfig as BertConfig
from .encoder_decoder import EncoderDecoderConfig as EncoderDecoderConfig, EncoderDecoderModel as EncoderDecoderModel
from .heads import (
    BertForMaskedLM as BertForMaskedLM,
    BertForMultipleChoice as BertForMultipleChoice,
    BertForNextSentencePrediction as BertForNextSentencePrediction,
    BertForPreTraining as BertForPreTraining,
    BertForQuestionAnswering as BertForQuestionAnswering,
    BertForSequenceClassification as BertForSequenceClassification,
    BertForTokenClassification as BertForTokenClassification,
    BertLMHeadModel as BertLMHeadModel,
)
from .heads.prediction import (
    BertLMPredictionHead as BertLMPredictionHead,
    BertOnlyMLMHead as BertOnlyMLMHead,
    BertOnlyNSPHead as BertOnlyNSPHead,
    BertPredictionHeadTransform as BertPredictionHeadTransform,
    BertPreTrainingHeads as BertPreTrainingHeads,
)
from .model import BertModel as BertModel, BertPreTrainedModel as BertPreTrainedModel
from .model.attention import (
    BertAttention as BertAttention,
    BertSelfAttention as BertSelfAttention,
    BertSelfOutput as BertSelfOutput,
)
from .model.embeddings import BertEmbeddings as BertEmbeddings
from .model.encoder import BertEncoder as BertEncoder
from .model.layer import BertIntermediate as BertIntermediate, BertLayer as BertLayer, BertOutput as BertOutput
from .model.pooler import BertPooler as BertPooler
from .optim import (
    TYPE_TO_SCHEDULER_FUNCTION as TYPE_TO_SCHEDULER_FUNCTION,
    AdamL2 as AdamL2,
    AdamW as AdamW,
    SchedulerType as SchedulerType,
    get_constant_schedule as get_constant_schedule,
    get_constant_schedule_with_warmup as get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup as get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup as get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup as get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup as get_polynomial_decay_schedule_with_warmup,
    get_scheduler as get_scheduler,
    no_decay_groups as no_decay_groups,
)
from .tokenization import (
    BasicTokenizer as BasicTokenizer,
    BatchEncoding as BatchEncoding,
    BertTokenizer as BertTokenizer,
    BertTokenizerFast as BertTokenizerFast,
    WordpieceTokenizer as WordpieceTokenizer,
)

if not TYPE_CHECKING:  # type checkers and editors read the lists above
    __all__ = [name for name in globals() if not name.startswith("__") and name != "TYPE_CHECKING"]

    from .compat.attach import attach

    attach()
