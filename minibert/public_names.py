"""The names that `import minibert` gives, and the files that they come from."""

from .auto import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForNextSentencePrediction,
    AutoModelForPreTraining,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoModelWithLMHead,
    AutoTokenizer,
)
from .config import BertConfig
from .encoder_decoder import EncoderDecoderConfig, EncoderDecoderModel
from .heads import (
    BertForMaskedLM,
    BertForMultipleChoice,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertLMHeadModel,
)
from .heads.prediction import (
    BertLMPredictionHead,
    BertOnlyMLMHead,
    BertOnlyNSPHead,
    BertPredictionHeadTransform,
    BertPreTrainingHeads,
)
from .model import BertModel, BertPreTrainedModel
from .model.attention import BertAttention, BertSelfAttention, BertSelfOutput
from .model.embeddings import BertEmbeddings
from .model.encoder import BertEncoder
from .model.layer import BertIntermediate, BertLayer, BertOutput
from .model.pooler import BertPooler
from .optim import (
    TYPE_TO_SCHEDULER_FUNCTION,
    AdamL2,
    AdamW,
    SchedulerType,
    get_constant_schedule,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
    get_scheduler,
    no_decay_groups,
)
from .tokenization import BasicTokenizer, BatchEncoding, BertTokenizer, BertTokenizerFast, WordpieceTokenizer
from .version import __version__

__all__ = [
    "TYPE_TO_SCHEDULER_FUNCTION",
    "AdamL2",
    "AdamW",
    "AutoConfig",
    "AutoModel",
    "AutoModelForCausalLM",
    "AutoModelForMaskedLM",
    "AutoModelForMultipleChoice",
    "AutoModelForNextSentencePrediction",
    "AutoModelForPreTraining",
    "AutoModelForQuestionAnswering",
    "AutoModelForSequenceClassification",
    "AutoModelForTokenClassification",
    "AutoModelWithLMHead",
    "AutoTokenizer",
    "BasicTokenizer",
    "BatchEncoding",
    "BertAttention",
    "BertConfig",
    "BertEmbeddings",
    "BertEncoder",
    "BertForMaskedLM",
    "BertForMultipleChoice",
    "BertForNextSentencePrediction",
    "BertForPreTraining",
    "BertForQuestionAnswering",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertIntermediate",
    "BertLMHeadModel",
    "BertLMPredictionHead",
    "BertLayer",
    "BertModel",
    "BertOnlyMLMHead",
    "BertOnlyNSPHead",
    "BertOutput",
    "BertPooler",
    "BertPreTrainedModel",
    "BertPreTrainingHeads",
    "BertPredictionHeadTransform",
    "BertSelfAttention",
    "BertSelfOutput",
    "BertTokenizer",
    "BertTokenizerFast",
    "EncoderDecoderConfig",
    "EncoderDecoderModel",
    "SchedulerType",
    "WordpieceTokenizer",
    "__version__",
    "get_constant_schedule",
    "get_constant_schedule_with_warmup",
    "get_cosine_schedule_with_warmup",
    "get_cosine_with_hard_restarts_schedule_with_warmup",
    "get_linear_schedule_with_warmup",
    "get_polynomial_decay_schedule_with_warmup",
    "get_scheduler",
    "no_decay_groups",
]
