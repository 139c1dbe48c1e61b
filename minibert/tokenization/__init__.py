"""Text → pieces → ids and back, and the training of a vocabulary."""

from .encoding import BatchEncoding as BatchEncoding
from .encoding import CharSpan as CharSpan
from .encoding import Encoding as Encoding
from .encoding import PaddingStrategy as PaddingStrategy
from .encoding import TokenSpan as TokenSpan
from .encoding import TruncationStrategy as TruncationStrategy
from .explain import Step as Step
from .explain import explain as explain
from .tokenizer import BertTokenizer as BertTokenizer
from .tokenizer import BertTokenizerFast as BertTokenizerFast
from .tokenizer_files import load_vocab as load_vocab
from .train_vocabulary import train_wordpiece as train_wordpiece
from .vocabulary import AddedToken as AddedToken
from .wordpiece import WordpieceTokenizer as WordpieceTokenizer
from .words import BasicTokenizer as BasicTokenizer
