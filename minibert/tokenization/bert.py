"""The tokenizer: text in, a model's input out."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from ..checkpoints import locate
from .assembly import Sequences
from .basic import BasicTokenizer
from .batch_encoding import BatchEncoding
from .decoding import Decoding
from .pretrained_files import ALL_FILES, VOCAB, TokenizerFiles, read_folder, write_folder
from .special_tokens import Token
from .splitting import Splitting
from .strategies import UNLIMITED, EncodeOptions, PaddingStrategy, TruncationStrategy
from .trie import Trie
from .vocabulary import load_vocab, save_vocab
from .wordpiece import WordpieceTokenizer

logger = logging.getLogger(__name__)

Text: TypeAlias = str | Sequence[str] | Sequence[int]  # one text, its words or tokens, or its ids

# The checkpoints published with the paper and after it: their position embeddings end at 512.
GOOGLE_MODELS = frozenset(
    f"bert-{name}"
    for name in (
        *(f"{size}-{case}" for size in ("base", "large") for case in ("cased", "uncased")),
        *(f"base-{kind}" for kind in ("multilingual-cased", "multilingual-uncased", "chinese", "cased-finetuned-mrpc")),
        *(f"base-german-{kind}" for kind in ("cased", "dbmdz-cased", "dbmdz-uncased")),
        *(f"large-{case}-whole-word-masking{use}" for case in ("cased", "uncased") for use in ("", "-finetuned-squad")),
    )
)


class BertTokenizer(Splitting, Decoding):
    """BERT's tokenizer: lower-case and split text into words, words into pieces, pieces into ids.

        tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
        inputs = tokenizer(["It was a dark night.", "Rain fell."], padding=True, return_tensors="pt")
        model(**inputs)

    vocab_file: path of a vocab.txt, one piece a line; or a mapping of pieces to ids.
    do_lower_case: lower-case the text (an uncased model's vocabulary).
    do_basic_tokenize: split words before looking for pieces; without, words are what stands between whitespace.
    never_split: words that are not lower-cased or split.
    unk_token … additional_special_tokens: the tokens with a role, as text or `AddedToken`.
    tokenize_chinese_chars: every ideograph a word of its own (switch it off for Japanese).
    strip_accents: drop accents; None means "when lower-casing".
    model_max_length: the longest sequence the model reads, in tokens; for padding and truncation.
    padding_side: "right" or "left".
    model_input_names: what the model takes; decides which columns are returned.

    Raises ValueError when the vocabulary cannot be read or lacks `unk_token`.

    The steps are `lowered` and `parts` (special tokens), `BasicTokenizer`, `WordpieceTokenizer`, and `assembled_row`.
    Reference class: `BertTokenizer` of transformers 4.12.5, the Python one.
    """

    vocab_files_names = {"vocab_file": "vocab.txt"}  # noqa: RUF012
    is_fast = False

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | Mapping[str, int],
        do_lower_case: bool = True,
        do_basic_tokenize: bool = True,
        never_split: Iterable[str] | None = None,
        unk_token: Token = "[UNK]",
        sep_token: Token | None = "[SEP]",
        pad_token: Token | None = "[PAD]",
        cls_token: Token | None = "[CLS]",
        mask_token: Token | None = "[MASK]",
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        *,
        bos_token: Token | None = None,
        eos_token: Token | None = None,
        additional_special_tokens: Sequence[Token] | None = None,
        model_max_length: int | None = None,
        padding_side: str = "right",
        model_input_names: Sequence[str] = ("input_ids", "token_type_ids", "attention_mask"),
        name_or_path: str = "",
        verbose: bool = True,
    ):
        super().__init__(
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            additional_special_tokens=additional_special_tokens,
            verbose=verbose,
        )
        if padding_side not in ("right", "left"):
            raise ValueError(f"padding_side={padding_side!r} is not understood. Choose 'right' or 'left'.")
        self.name_or_path = name_or_path
        self.init_kwargs: dict[str, Any] = {
            "do_lower_case": do_lower_case,
            "do_basic_tokenize": do_basic_tokenize,
            "never_split": None if never_split is None else list(never_split),
            "tokenize_chinese_chars": tokenize_chinese_chars,
            "strip_accents": strip_accents,
        }
        self.model_max_length = UNLIMITED if model_max_length is None else model_max_length
        self.padding_side = padding_side
        self.model_input_names = list(model_input_names)
        self.deprecation_warnings = {}
        self.vocab = dict(vocab_file) if isinstance(vocab_file, Mapping) else load_vocab(vocab_file)
        self.ids_to_tokens = {index: piece for piece, index in self.vocab.items()}
        self.added_tokens_encoder = {}
        self.added_tokens_decoder = {}
        self.unique_no_split_tokens = []
        self.tokens_trie = Trie()
        if str(unk_token) not in self.vocab:
            place = f"of {len(self.vocab)} pieces" if isinstance(vocab_file, Mapping) else f"'{vocab_file}'"
            raise ValueError(
                f"The vocabulary {place} has no unknown token {str(unk_token)!r}, so words it cannot spell would have no "
                "id. Name the one it has with unk_token=..., or add a line to the file."
            )
        self.do_basic_tokenize = do_basic_tokenize
        if do_basic_tokenize:
            self.basic_tokenizer = BasicTokenizer(do_lower_case, never_split, tokenize_chinese_chars, strip_accents)
        self.wordpiece_tokenizer = WordpieceTokenizer(self.vocab, str(unk_token))
        self.memory_settings = None

    @property
    def do_lower_case(self) -> bool:
        """Whether text is lower-cased."""
        return self.basic_tokenizer.do_lower_case

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        revision: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        token: bool | str | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
        subfolder: str = "",
        **settings: Any,
    ) -> BertTokenizer:
        """Load a tokenizer that was saved, comes with minibert, or is published on the hub.

        name_or_path: a folder, a vocab.txt, a bundled name such as "novels-4l-256h", or a name on the hub.
        subfolder: where in that folder the files are.
        settings: arguments of `BertTokenizer` that win over the files'.
        The others are those of `minibert.checkpoints.locate`.

        Special tokens that the vocabulary lacks are added to it. Raises CheckpointError when there is nothing to load.
        """
        path = Path(name_or_path) / subfolder
        if path.is_file():
            files = TokenizerFiles(path, {}, {})
        else:
            place = path if subfolder or path.is_dir() else name_or_path
            files = read_folder(
                locate(
                    place,
                    filenames=ALL_FILES,
                    revision=revision,
                    cache_dir=cache_dir,
                    token=token,
                    local_files_only=local_files_only,
                    force_download=force_download,
                )
            )
        if str(name_or_path) in GOOGLE_MODELS:
            files.settings["model_max_length"] = min(files.settings.get("model_max_length", UNLIMITED), 512)
        arguments = {"name_or_path": str(name_or_path), **files.settings, **settings}
        tokenizer = cls(files.vocab, **arguments)
        tokenizer._restore_added_tokens(files.added_tokens)
        if tokenizer.sanitize_special_tokens():
            logger.warning(
                "Special tokens were added to the vocabulary: train their embeddings before relying on them."
            )
        return tokenizer

    def _restore_added_tokens(self, added_tokens: dict[str, int]) -> None:
        for token, index in sorted(added_tokens.items(), key=lambda item: item[1]):
            if self.vocab.get(token) == index:
                continue
            if index != len(self):
                raise ValueError(
                    f"Added token {token!r} has id {index} in the files, where the next free id is {len(self)}: the "
                    "vocabulary is not the one it was added to, or a token in between is missing."
                )
            self.add_tokens(token, special_tokens=token in self.all_special_tokens)

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], filename_prefix: str | None = None
    ) -> tuple[str, ...]:
        """Write the tokenizer's files to a folder, made if need be. Returns their paths.

        `from_pretrained(save_directory)` reads them, here and in transformers.
        """
        folder = Path(save_directory)
        if folder.is_file():
            raise ValueError(f"'{folder}' is a file. Give the folder to save the tokenizer in.")
        folder.mkdir(parents=True, exist_ok=True)
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        settings = {
            **self.init_kwargs,
            **self.special_tokens_map_extended,
            "model_max_length": self.model_max_length,
            "padding_side": self.padding_side,
            "name_or_path": self.name_or_path,
        }
        config, special, added = write_folder(
            folder, prefix, settings, self.special_tokens_map_extended, self.added_tokens_encoder
        )
        return str(config), str(special), *self.save_vocabulary(folder, filename_prefix), str(added)

    def save_vocabulary(self, save_directory: str | os.PathLike[str], filename_prefix: str | None = None) -> tuple[str]:
        """Write vocab.txt to a folder, or the vocabulary to the file named. Returns its path."""
        path = Path(save_directory)
        name, folder = (VOCAB, path) if path.is_dir() else (path.name, path.parent)
        vocab_file = folder / (f"{filename_prefix}-{name}" if filename_prefix else name)
        save_vocab(self.vocab, vocab_file)
        return (str(vocab_file),)

    def __repr__(self) -> str:
        return (
            f"PreTrainedTokenizer(name_or_path='{self.name_or_path}', vocab_size={self.vocab_size}, "
            f"model_max_len={self.model_max_length}, is_fast={self.is_fast}, padding_side='{self.padding_side}', "
            f"special_tokens={self.special_tokens_map_extended})"
        )

    def __call__(
        self,
        text: Text | Sequence[Text],
        text_pair: Text | Sequence[Text] | None = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        truncation_strategy: str | None = None,
        pad_to_max_length: bool = False,
    ) -> BatchEncoding:
        """Encode one text, one pair, or a batch of either.

        text, text_pair: a str; with `is_split_into_words`, the list of its words; or a list of these, a batch.
        add_special_tokens: add `[CLS]` and `[SEP]`.
        padding: True pads to the longest of the batch, "max_length" to `max_length` or the model's maximum.
        truncation: True or "longest_first" cuts the longer of a pair, "only_first" and "only_second" that text, to
            `max_length` or the model's maximum.
        stride: how many kept tokens the overflow repeats.
        pad_to_multiple_of: round the padded length up.
        return_tensors: "pt" or "np"; lists otherwise.
        return_token_type_ids, return_attention_mask: None means "as `model_input_names` says".
        return_overflowing_tokens: also return `overflowing_tokens` and `num_truncated_tokens`.
        return_special_tokens_mask, return_length: also return `special_tokens_mask`, `length`.
        verbose: log, once, which arguments do not go together and that a sequence is too long.
        truncation_strategy, pad_to_max_length: what `truncation` and `padding` were called before transformers 3.

        Returns `input_ids`, `token_type_ids` and `attention_mask`, each (seq) or (batch, seq), and what was asked for.
        Raises ValueError or TypeError when something is no text, naming its place in the batch.
        """
        options = self.options(
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
            return_token_type_ids=return_token_type_ids,
            return_attention_mask=return_attention_mask,
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            truncation_strategy=truncation_strategy,
            pad_to_max_length=pad_to_max_length,
        )
        if is_split_into_words:
            batched = isinstance(text, (list, tuple)) and len(text) > 0 and isinstance(text[0], (list, tuple))
        else:
            batched = isinstance(text, (list, tuple))
        if not batched:
            return self._encode_one((text, text_pair), is_split_into_words, options)
        if text_pair is None:
            return self._encode_batch(text, is_split_into_words, options)
        if isinstance(text_pair, str) or len(text) != len(text_pair):
            given = "one str" if isinstance(text_pair, str) else f"{len(text_pair)} texts"
            raise ValueError(f"A batch of {len(text)} texts needs as many in text_pair, not {given}.")
        return self._encode_batch(list(zip(text, text_pair, strict=True)), is_split_into_words, options)

    def encode(
        self,
        text: Text,
        text_pair: Text | None = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        stride: int = 0,
        return_tensors: str | None = None,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        verbose: bool = True,
        truncation_strategy: str | None = None,
        pad_to_max_length: bool = False,
    ) -> Any:
        """The `input_ids` of one text or pair: a list, or a (1, seq) tensor with `return_tensors`."""
        return self.encode_plus(
            text,
            text_pair,
            add_special_tokens,
            padding,
            truncation,
            max_length,
            stride,
            is_split_into_words,
            pad_to_multiple_of,
            return_tensors,
            verbose=verbose,
            truncation_strategy=truncation_strategy,
            pad_to_max_length=pad_to_max_length,
        )["input_ids"]

    def encode_plus(
        self,
        text: Text,
        text_pair: Text | None = None,
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        truncation_strategy: str | None = None,
        pad_to_max_length: bool = False,
    ) -> BatchEncoding:
        """Encode one text or pair, which may be given as text, tokens, words or ids. Arguments as in `__call__`."""
        options = self.options(
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
            return_token_type_ids=return_token_type_ids,
            return_attention_mask=return_attention_mask,
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            truncation_strategy=truncation_strategy,
            pad_to_max_length=pad_to_max_length,
        )
        return self._encode_one((text, text_pair), is_split_into_words, options)

    def batch_encode_plus(
        self,
        batch_text_or_text_pairs: Sequence[Text | tuple[Text, Text]],
        add_special_tokens: bool = True,
        padding: bool | str | PaddingStrategy = False,
        truncation: bool | str | TruncationStrategy = False,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        truncation_strategy: str | None = None,
        pad_to_max_length: bool = False,
    ) -> BatchEncoding:
        """Encode a list of texts, or of (text, text) pairs. Arguments as in `__call__`."""
        options = self.options(
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
            return_token_type_ids=return_token_type_ids,
            return_attention_mask=return_attention_mask,
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            truncation_strategy=truncation_strategy,
            pad_to_max_length=pad_to_max_length,
        )
        return self._encode_batch(batch_text_or_text_pairs, is_split_into_words, options)

    def _encode_one(self, texts: tuple[Any, Any], is_split_into_words: bool, options: EncodeOptions) -> BatchEncoding:
        self.recall()
        text, text_pair = texts
        ids = self._input_ids(text, is_split_into_words)
        pair_ids = None if text_pair is None else self._input_ids(text_pair, is_split_into_words)
        row = self.finished_row(ids, pair_ids, options)
        return BatchEncoding(row, options.return_tensors, prepend_batch_axis=True)

    def _encode_batch(self, batch: Sequence[Any], is_split_into_words: bool, options: EncodeOptions) -> BatchEncoding:
        if len(batch) == 0:
            raise ValueError("There is nothing to encode: the batch is empty.")
        self.recall()
        sequences: Sequences = []
        for place, item in enumerate(batch):
            try:
                text, text_pair = _as_pair(item, is_split_into_words)
                ids = self._input_ids(text, is_split_into_words)
                pair_ids = None if text_pair is None else self._input_ids(text_pair, is_split_into_words)
            except TypeError as error:
                raise TypeError(f"Item {place} of the batch cannot be encoded: {error}") from error
            sequences.append((ids, pair_ids))
        return BatchEncoding(self.finished_batch(sequences, options), options.return_tensors)

    def _input_ids(self, text: Text, is_split_into_words: bool) -> list[int]:
        if isinstance(text, str):
            return self._text_ids(text)
        if isinstance(text, (list, tuple)):
            if is_split_into_words and all(isinstance(word, str) for word in text):
                return [index for word in text for index in self._text_ids(word)]
            if text and all(isinstance(token, str) for token in text):
                return self.convert_tokens_to_ids(text)
            if text and all(isinstance(index, int) for index in text):
                return list(text)
        wanted = "a list of words" if is_split_into_words else "a str, a list of tokens or a list of ids"
        raise TypeError(f"expected {wanted}, got {_shortened(text)}.")


def _as_pair(item: Any, is_split_into_words: bool) -> tuple[Any, Any]:
    """One item of a batch as (text, its pair or None)."""
    if not isinstance(item, (list, tuple)):
        return item, None
    if is_split_into_words and not (item and isinstance(item[0], (list, tuple))):
        return item, None
    if len(item) != 2:
        raise TypeError(
            f"expected a str or a (text, text) pair, got {len(item)} things: {_shortened(item)}. "
            "Pass is_split_into_words=True if they are the words of one text."
        )
    return item[0], item[1]


def _shortened(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"
