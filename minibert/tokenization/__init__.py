"""Text → pieces → ids and back, and the training of a vocabulary."""

from .encoding import (
    BatchEncoding as BatchEncoding,
    CharSpan as CharSpan,
    Encoding as Encoding,
    PaddingStrategy as PaddingStrategy,
    TokenSpan as TokenSpan,
    TruncationStrategy as TruncationStrategy,
)
from .explain import Step as Step, explain as explain
from .tokenizer import BertTokenizer as BertTokenizer, BertTokenizerFast as BertTokenizerFast
from .tokenizer_files import load_vocab as load_vocab
from .train_vocabulary import train_wordpiece as train_wordpiece
from .vocabulary import AddedToken as AddedToken
from .wordpiece import WordpieceTokenizer as WordpieceTokenizer
from .words import BasicTokenizer as BasicTokenizer
