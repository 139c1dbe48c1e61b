"""minibert: BERT from scratch in plain PyTorch, to read, to step through, and equal to the reference to the bit.

from minibert import BertForPreTraining, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
model = BertForPreTraining.from_pretrained("novels-4l-256h")
outputs = model(**tokenizer("He shook his [MASK].", return_tensors="pt"))
"""

from .config import BertConfig
from .heads import BertForMaskedLM, BertForPreTraining
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
from .tokenization import BatchEncoding, BertTokenizer
from .version import __version__

__all__ = [
    "BatchEncoding",
    "BertAttention",
    "BertConfig",
    "BertEmbeddings",
    "BertEncoder",
    "BertForMaskedLM",
    "BertForPreTraining",
    "BertIntermediate",
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
    "__version__",
]
