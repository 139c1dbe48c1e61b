"""The tokenizer: text in, a model's input out."""

import difflib
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any, TypeAlias

import numpy as np

from ..visible import visible
from .added_tokens import restore_added_tokens
from .alignment import Texts, origins
from .encoding import BatchEncoding, EncodeOptions, NotTextError, PaddingStrategy, TruncationStrategy
from .model_input import UNLIMITED, Columns, ModelInput
from .tokenizer_files import IGNORED, OF_WORDS, PretrainedFiles, load_vocab, read_tokenizer_json
from .vocabulary import Token
from .wordpiece import TextTokenizer, WordpieceTokenizer
from .words import BasicTokenizer

Text: TypeAlias = str | Sequence[str] | Sequence[int]  # one text, its words or tokens, or its ids
logger = logging.getLogger(__name__)


class BertTokenizer(ModelInput, PretrainedFiles):
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
    model_max_length: the longest sequence the model reads, in tokens; for padding and truncation. max_len: its old name.
    padding_side: "right" or "left".
    model_input_names: what the model takes; decides which columns are returned.
    clean_text: drop control characters. max_input_chars_per_word: longer words are unknown.
    others: change nothing, are warned of, and stay in `init_kwargs` beside the arguments above.

    Raises ValueError when the vocabulary cannot be read; when it lacks `unk_token`, at a word that it cannot spell.
    Reference class: `BertTokenizer` of transformers 4.12.5, the Python one.
    """

    _steps_of: Any = TextTokenizer

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
        max_len: int | None = None,
        padding_side: str | None = None,
        model_input_names: Sequence[str] | None = None,
        clean_text: bool = True,
        max_input_chars_per_word: int = 100,
        name_or_path: str = "",
        verbose: bool = True,
        **others: Any,
    ):
        not_kept = ("self", "__class__", "vocab_file", "others", "not_kept")
        given = {name: value for name, value in locals().items() if name not in not_kept}
        self.init_kwargs: dict[str, Any] = given | others
        for name in [name for name in others if name not in IGNORED]:
            near = " or ".join(difflib.get_close_matches(name, given)) or "an argument of another class"
            unknown = f"{type(self).__name__} has no argument {name}: it is kept in init_kwargs and changes nothing"
            logger.warning("%s. Did you mean %s?", visible(unknown), near)
        padding_side = type(self).padding_side if padding_side is None else padding_side
        if padding_side not in ("right", "left"):
            raise ValueError(f"padding_side={padding_side!r} is not understood. Choose 'right' or 'left'.")
        vocab = dict(vocab_file) if isinstance(vocab_file, Mapping) else load_vocab(vocab_file)
        if not vocab:
            raise ValueError(f"The vocabulary {vocab_file!s:.80} is empty.")
        if str(unk_token) not in vocab:
            missing = f"{vocab_file!s:.80} has no unknown token {str(unk_token)!r}: a word it cannot spell is an error"
            logger.warning("The vocabulary %s. If it has another, name it with unk_token=....", visible(missing))
        roles = [bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token]
        super().__init__(vocab, [*roles, additional_special_tokens], verbose=verbose)
        self.name_or_path = name_or_path
        never_split = self.init_kwargs["never_split"] = None if never_split is None else list(never_split)
        for name in OF_WORDS:
            value = self.init_kwargs[name]
            unset = value is None and name == "max_input_chars_per_word"
            if unset or isinstance(value, str) or (isinstance(value, (list, dict)) and name != "never_split"):
                kind = "text" if isinstance(value, str) else f"a {type(value).__name__}"
                raise ValueError(f"{name} = {value!r:.80} is {kind}. It must be true, false or a number.")
        longest: Any = max_len if model_max_length is None else model_max_length
        if longest is not None and not (isinstance(longest, (int, float, np.integer)) and 1 <= longest < float("inf")):
            raise ValueError(f"model_max_length = {longest!r} must be a number of tokens, at least 1.")
        self.model_max_length = UNLIMITED if longest is None else int(longest)
        self.padding_side = padding_side
        self.model_input_names = list(model_input_names or type(self).model_input_names)
        self.deprecation_warnings = {}  # topics that were warned of already
        self.do_basic_tokenize = do_basic_tokenize
        if do_basic_tokenize:
            of_words = {name: given[name] for name in ("tokenize_chinese_chars", "strip_accents", "clean_text")}
            self.basic_tokenizer = BasicTokenizer(do_lower_case, never_split, **of_words)
        self.wordpiece_tokenizer = WordpieceTokenizer(self.vocab, str(unk_token), max_input_chars_per_word)
        self.steps()

    def tokenize(self, text: str, pair: str | None = None, **options: Any) -> list[str]:
        """The tokens of `text`, without `[CLS]` and `[SEP]`; with other arguments those of `encode_plus`'s row."""
        if pair is not None or options:
            return self.encode_plus(text, pair, **{"add_special_tokens": False, **options}).tokens()
        if not isinstance(text, str):
            raise NotTextError(f"tokenize takes a str, not {type(text).__name__} {text!r:.80}.")
        return self.steps().tokens(text, self._tokenize)

    def _tokenize(self, text: str) -> list[str]:
        """The tokens of text without special or added tokens, nothing remembered."""
        return [piece for _, pieces in self.steps().words(text) for piece in pieces]

    def steps(self) -> TextTokenizer:
        """The steps from text to tokens, with the words that they remember; new ones after a setting was changed."""
        basic, wordpiece = self.basic_tokenizer if self.do_basic_tokenize else None, self.wordpiece_tokenizer
        special, whole, looked_for = self.all_special_tokens_extended, self.unique_no_split_tokens, self.looked_for
        of_basic = basic and {**vars(basic), "never_split": set(basic.never_split)}
        of_tokens = (special, whole, looked_for, self.added_flags, self.added_as_special)
        settings = ((basic, wordpiece, len(self.vocab), of_tokens), of_basic, dict(vars(wordpiece)))
        made_for, steps = self.__dict__.get("_steps", (None, None))
        if made_for != settings:
            ways = (type(self).tokenize, type(self)._tokenize)
            own = None if ways == (BertTokenizer.tokenize, BertTokenizer._tokenize) else self.tokenize
            steps = self._steps_of(basic, wordpiece, special=special, whole=whole, looked_for=looked_for, own=own)
            self._steps = settings, steps
        return steps

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_steps"}  # made again where it is used

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
        What the other arguments mean stands at `EncodeOptions`.

        Returns `input_ids`, `token_type_ids` and `attention_mask`, each (seq) or (batch, seq), and what was asked for.
        Raises ValueError or TypeError when something is no text, naming its index in the batch.
        """
        options = EncodeOptions(*map(locals().get, EncodeOptions._fields))  # type: ignore[arg-type]  # by name
        batched = isinstance(text, (list, tuple))
        if batched and is_split_into_words:
            batched = len(text) > 0 and isinstance(text[0], (list, tuple))
        if not batched:
            return self._encode([(text, text_pair)], options)
        if text_pair is None:
            return self._encode_batch(text, options)
        if isinstance(text_pair, str) or len(text) != len(text_pair):
            given = "one str" if isinstance(text_pair, str) else f"{len(text_pair)} texts"
            raise ValueError(f"A batch of {len(text)} texts needs as many in text_pair, not {given}.")
        return self._encode_batch(list(zip(text, text_pair, strict=True)), options)

    def encode(self, text: Text, text_pair: Text | None = None, *arguments: Any, **named: Any) -> Any:
        """The `input_ids` of `encode_plus`: a list, or a (1, seq) tensor with `return_tensors`."""
        return self.encode_plus(text, text_pair, *arguments, **named)["input_ids"]

    def encode_plus(self, text: Text, text_pair: Text | None = None, *arguments: Any, **named: Any) -> BatchEncoding:
        """Encode one text or pair, given as text, tokens, words or ids."""
        return self._encode([(text, text_pair)], EncodeOptions(*arguments, **named))

    def batch_encode_plus(self, batch_text_or_text_pairs: list[Any], *arguments: Any, **named: Any) -> BatchEncoding:
        """Encode a list of texts, or of (text, text) pairs."""
        return self._encode_batch(batch_text_or_text_pairs, EncodeOptions(*arguments, **named))

    def _encode_batch(self, batch: Sequence[Any], options: EncodeOptions) -> BatchEncoding:
        if isinstance(batch, (str, Mapping)) or not hasattr(batch, "__len__"):
            raise NotTextError(f"A batch is a list of texts or of pairs, not {type(batch).__name__} {batch!r:.80}.")
        if len(batch) == 0:
            raise ValueError("There is nothing to encode: the batch is empty.")
        texts: Texts = []
        for index, item in enumerate(batch):
            words = options.is_split_into_words and not (item and isinstance(item[0], (list, tuple)))
            pair = item if isinstance(item, (list, tuple)) and not words else (item, None)
            if len(pair) != 2:
                found = f"Item {index} of the batch should be a str or a (text, text) pair, and is {len(pair)} things"
                raise ValueError(f"{found}: {item!r:.80}. Pass is_split_into_words=True for the words of one text.")
            texts.append((pair[0], pair[1]))
        return self._encode(texts, options, batched=True)

    def _encode(self, texts: Texts, options: EncodeOptions, batched: bool = False) -> BatchEncoding:
        """Texts and their pairs → rows."""
        options, steps, words = self.resolved(options), self.steps(), options.is_split_into_words
        windows = options.return_overflowing_tokens and (self.is_fast or options.return_offsets_mapping)
        of_row = options._replace(return_overflowing_tokens=False) if windows else options
        columns, samples, from_text = Columns(), list[int](), True
        for index, (text, text_pair) in enumerate(texts):
            try:
                ids = self._ids(text, words, steps)
                pair_ids = None if text_pair is None else self._ids(text_pair, words, steps)
                rows = self.rows_of(ids, pair_ids, options) if self.is_fast or windows else [(ids, pair_ids)]
            except ValueError as error:
                kind = NotTextError if isinstance(error, NotTextError) else ValueError
                raise kind(f"Item {index} of the batch: {error}" if batched else error) from error
            for first, second in rows:
                self.add_row(columns, first, second, options=of_row)
                samples.append(index)
            from_text = from_text and (words or (isinstance(text, str) and isinstance(text_pair, (str, NoneType))))
        if not from_text and (windows or options.return_offsets_mapping):
            raise ValueError("Offsets are positions in a text: give texts or words, not tokens or ids.")
        where = partial(origins, self, steps, texts=texts, options=options) if from_text else None
        alone, tensors = not batched and not windows, options.return_tensors
        columns = self.padded(columns, options, alone=alone)
        if windows:
            columns["overflow_to_sample_mapping"] = samples
        if options.return_length and (windows or self.is_fast) and not (alone and tensors):
            column = columns["input_ids"]
            columns["length"] = [len(column)] if alone else list(map(len, column))  # padding counts, as in Rust
        if where and options.return_offsets_mapping:
            offsets = [encoding.offsets for encoding in where()]
            columns["offset_mapping"] = offsets[0] if alone else offsets
        pairs = 1 if texts[0][1] is None else 2
        return BatchEncoding(columns, where, tensors, prepend_batch_axis=alone, n_sequences=pairs, is_fast=self.is_fast)

    def _ids(self, text: Any, is_split_into_words: bool, steps: TextTokenizer) -> list[int]:
        """The ids of a text, of words, or of tokens; ids are returned as they are."""
        if isinstance(text, str):
            return self.convert_tokens_to_ids(steps.tokens(text) if steps.remembers else self.tokenize(text))
        if isinstance(text, (list, tuple)):
            if is_split_into_words and all(isinstance(word, str) for word in text):
                return [index for word in text for index in self._ids(word, False, steps)]
            if text and all(isinstance(token, str) for token in text):
                return self.convert_tokens_to_ids(text)
            if text and all(isinstance(index, int) for index in text):
                return list(text)
        wanted = "a list of words" if is_split_into_words else "a str, a list of tokens or a list of ids"
        raise NotTextError(f"expected {wanted}, got {type(text).__name__} {text!r:.80}.")

    def __repr__(self) -> str:
        sizes = f"vocab_size={self.vocab_size}, model_max_len={self.model_max_length}, is_fast={self.is_fast}"
        how = f"padding_side='{self.padding_side}', special_tokens={self.special_tokens_map_extended}"
        return f"PreTrainedTokenizer(name_or_path='{self.name_or_path}', {sizes}, {how})"


class BertTokenizerFast(BertTokenizer):
    """What `AutoTokenizer` opens. The same, but finds added tokens, cuts, and decodes as the Rust tokenizer: docs/tokenizer.md.

    tokenizer_file: a tokenizer.json; its settings count where none are given, its vocabulary where vocab_file is None.
    """

    is_fast = True

    def __init__(
        self, vocab_file: Any = None, tokenizer_file: Any = None, do_lower_case: bool | None = None, **settings: Any
    ):
        vocab, given, added = read_tokenizer_json(Path(tokenizer_file)) if tokenizer_file else ("", {}, {})
        given |= {} if do_lower_case is None else {"do_lower_case": do_lower_case}
        super().__init__(vocab_file or vocab, **{**given, **settings})
        self.cut_out([token for token in self.all_special_tokens if token in self.vocab], special=True)
        restore_added_tokens(self, added)

    def _steps_of(self, *arguments: Any, **named: Any) -> TextTokenizer:
        from ..compat.fast_text import FastTextTokenizer

        return FastTextTokenizer(*arguments, flags=self.added_flags, as_special=self.added_as_special, **named)

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """As the Rust decoder, which cleans up at once, `do not` to `don't` too: 2 . 0 → 2. 0."""
        return self.clean_up_tokenization(" ".join(tokens).replace(" ##", "")).replace(" do not", " don't")
