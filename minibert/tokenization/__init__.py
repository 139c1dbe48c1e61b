"""Text → pieces → ids and back, and the training of a vocabulary."""

from .alignment import CharSpan, Encoding, TokenSpan
from .encoding import BatchEncoding, PaddingStrategy, TruncationStrategy
from .explain import Step, explain
from .special_tokens import AddedToken
from .tokenizer import BertTokenizer, BertTokenizerFast
from .tokenizer_files import load_vocab
from .train_vocabulary import train_wordpiece
from .wordpiece import WordpieceTokenizer
from .words import BasicTokenizer

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
