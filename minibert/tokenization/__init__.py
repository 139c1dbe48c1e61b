"""Text → pieces → ids and back, and the training of a vocabulary."""

from .added_token import AddedToken
from .basic import BasicTokenizer
from .batch_encoding import BatchEncoding
from .bert import BertTokenizer, BertTokenizerFast
from .encoding import CharSpan, Encoding, TokenSpan
from .strategies import PaddingStrategy, TruncationStrategy
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
    "TokenSpan",
    "TruncationStrategy",
    "WordpieceTokenizer",
    "load_vocab",
]
