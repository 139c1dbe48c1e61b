"""Text → pieces → ids and back, and the training of a vocabulary."""

from .added_token import AddedToken
from .basic import BasicTokenizer
from .batch_encoding import BatchEncoding
from .bert import BertTokenizer, BertTokenizerFast
from .encoding import CharSpan, Encoding, TokenSpan
from .explain import Step, explain
from .strategies import PaddingStrategy, TruncationStrategy
from .train import train_wordpiece
from .vocabulary import load_vocab
from .wordpiece import WordpieceTokenizer

__all__ = [
    "AddedToken",
    "BasicTokenizer",
    "BatchEncoding",
    "BertTokenizer",
    "BertTokenizerFast",
    "CharSpan",
    "Encoding",
    "PaddingStrategy",
    "Step",
    "TokenSpan",
    "TruncationStrategy",
    "WordpieceTokenizer",
    "explain",
    "load_vocab",
    "train_wordpiece",
]
