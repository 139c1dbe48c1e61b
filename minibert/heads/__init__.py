"""One task a file: what BERT's vectors are used for."""

from .causal_lm import BertLMHeadModel
from .masked_lm import BertForMaskedLM
from .multiple_choice import BertForMultipleChoice
from .next_sentence import BertForNextSentencePrediction
from .pretraining import BertForPreTraining
from .question_answering import BertForQuestionAnswering
from .sequence_classification import BertForSequenceClassification
from .token_classification import BertForTokenClassification

__all__ = [
    "BertForMaskedLM",
    "BertForMultipleChoice",
    "BertForNextSentencePrediction",
    "BertForPreTraining",
    "BertForQuestionAnswering",
    "BertForSequenceClassification",
    "BertForTokenClassification",
    "BertLMHeadModel",
]
