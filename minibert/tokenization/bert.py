"""The tokenizer: text in, a model's input out."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..checkpoints import locate
from .basic import BasicTokenizer
from .calls import Calls
from .decoding import Decoding
from .pretrained_files import ALL_FILES, VOCAB, TokenizerFiles, read_folder, write_folder
from .special_tokens import Token
from .strategies import UNLIMITED
from .trie import Trie
from .vocabulary import load_vocab, save_vocab
from .wordpiece import WordpieceTokenizer

logger = logging.getLogger(__name__)


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


class BertTokenizer(Calls, Decoding):
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
        use_auth_token: bool | str | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
        subfolder: str = "",
        **settings: Any,
    ) -> BertTokenizer:
        """Load a tokenizer that was saved, comes with minibert, or is published on the hub.

        name_or_path: a folder, a vocab.txt, a bundled name such as "novels-4l-256h", or a name on the hub.
        subfolder: where in that folder the files are.
        settings: arguments of `BertTokenizer` that win over the files'.
        use_auth_token: the old name of `token`. The others are those of `minibert.checkpoints.locate`.

        Special tokens that the vocabulary lacks are added to it. Raises CheckpointError when there is nothing to load.
        """
        for ignored in (
            "resume_download",
            "proxies",
            "mirror",
            "trust_remote_code",
            "from_tf",
            "from_flax",
            "_fast_init",
        ):
            settings.pop(ignored, None)  # arguments of the reference with nothing left to say here
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
                    token=use_auth_token if token is None else token,
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


class BertTokenizerFast(BertTokenizer):
    """The same tokenizer for programs that ask for the Rust one of transformers by name.

    The one difference: `return_overflowing_tokens=True` always returns the overflow as windows, rows of their own with
    `overflow_to_sample_mapping`. `BertTokenizer` does so when `return_offsets_mapping=True` is also given.
    """

    is_fast = True
