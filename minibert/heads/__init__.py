"""One task a file: what BERT's vectors are used for."""

from .masked_lm import BertForMaskedLM
from .pretraining import BertForPreTraining

__all__ = ["BertForMaskedLM", "BertForPreTraining"]
