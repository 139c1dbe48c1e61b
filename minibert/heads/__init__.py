"""One task a file: what BERT's vectors are used for."""

from .causal_lm import BertLMHeadModel as BertLMHeadModel
from .masked_lm import BertForMaskedLM as BertForMaskedLM
from .multiple_choice import BertForMultipleChoice as BertForMultipleChoice
from .next_sentence import BertForNextSentencePrediction as BertForNextSentencePrediction
from .pretraining import BertForPreTraining as BertForPreTraining
from .question_answering import BertForQuestionAnswering as BertForQuestionAnswering
from .sequence_classification import BertForSequenceClassification as BertForSequenceClassification
from .token_classification import BertForTokenClassification as BertForTokenClassification
