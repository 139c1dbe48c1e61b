"""The tokenizer: text in, a model's input out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Any, TypeAlias

from .characters import Traced, joined
from .encoding import AlignedToken, BatchEncoding, Encoding
from .padding_truncation import UNLIMITED, EncodeOptions, ModelInput, PaddingStrategy, TruncationStrategy, to_python
from .special_tokens import AddedToken, Token
from .tokenizer_files import PretrainedFiles, load_vocab
from .wordpiece import WordpieceTokenizer
from .words import BasicTokenizer, lower_each

Text: TypeAlias = str | Sequence[str] | Sequence[int]  # one text, its words or tokens, or its ids

MAX_WORDS = 1 << 17  # of this many different words the pieces are remembered: some 30 MB
MAX_WORD_LENGTH = 64  # longer words are rare, and not worth the memory

# What English spelling joins and the tokenizer split, in the order in which it is put right.
SPACED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")


class Memory:
    """The pieces that words became under one state of the tokenizer, and what that state says about special tokens.

    state: every setting that the pieces depend on. plain: whether all steps are the tokenizer's own; a method that a
    subclass overrides may depend on more than one word. special: the special tokens. kept: what keeps its case.
    openings: for each first character of a special or added token, the beginning that all of these tokens share.
    pieces: text between two spaces → pieces.
    """

    def __init__(
        self, state: object = None, plain: bool = False, special: Iterable[str] = (), tokens: Iterable[str] = ()
    ):
        self.state, self.plain, self.special = state, plain, list(special)
        self.kept = [token for token in [*tokens, *special] if token]
        shared: dict[str, str] = {}
        for token in [*self.kept, *map(str.lower, self.kept)]:
            shared[token[0]] = os.path.commonprefix([shared.get(token[0], token), token])  # noqa: RUF071  of characters
        self.openings = list(shared.values())
        self.pieces: dict[str, tuple[str, ...]] = {}

    def __reduce__(self) -> Any:
        return Memory, ()  # a pickled or copied tokenizer starts with an empty one


class BertTokenizer(PretrainedFiles, ModelInput):
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

    A call is `tokenize` (cut out special tokens, then `BasicTokenizer`, then `WordpieceTokenizer`),
    `convert_tokens_to_ids`, `add_row`, `finished`. Reference class: `BertTokenizer` of transformers 4.12.5, the Python one.
    """

    is_fast = False  # whether overflow is always returned as windows, rows of their own

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
        if padding_side not in ("right", "left"):
            raise ValueError(f"padding_side={padding_side!r} is not understood. Choose 'right' or 'left'.")
        vocab = dict(vocab_file) if isinstance(vocab_file, Mapping) else load_vocab(vocab_file)
        if str(unk_token) not in vocab:
            name = f"of {len(vocab)} pieces" if isinstance(vocab_file, Mapping) else f"'{vocab_file}'"
            raise ValueError(
                f"The vocabulary {name} has no unknown token {str(unk_token)!r}, so words it cannot spell would have no "
                "id. Name the one it has with unk_token=..., or add a line to the file."
            )
        roles = {
            "bos_token": bos_token,
            "eos_token": eos_token,
            "unk_token": unk_token,
            "sep_token": sep_token,
            "pad_token": pad_token,
            "cls_token": cls_token,
            "mask_token": mask_token,
            "additional_special_tokens": additional_special_tokens,
        }
        super().__init__(vocab, verbose=verbose, tokens=roles)
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
        self.do_basic_tokenize = do_basic_tokenize
        if do_basic_tokenize:
            self.basic_tokenizer = BasicTokenizer(
                do_lower_case, never_split, tokenize_chinese_chars=tokenize_chinese_chars, strip_accents=strip_accents
            )
        self.wordpiece_tokenizer = WordpieceTokenizer(self.vocab, str(unk_token))
        self.memory = Memory()

    @property
    def do_lower_case(self) -> bool:
        """Whether text is lower-cased."""
        return self.basic_tokenizer.do_lower_case

    @property
    def lowers(self) -> bool:
        return self.do_basic_tokenize and self.basic_tokenizer.do_lower_case

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
        Raises ValueError or TypeError when something is no text, naming its index in the batch.
        """
        options = EncodeOptions(
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            is_split_into_words=is_split_into_words,
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
        batched = isinstance(text, (list, tuple))
        if is_split_into_words:
            batched = isinstance(text, (list, tuple)) and len(text) > 0 and isinstance(text[0], (list, tuple))
        if not batched:
            return self._encode([(text, text_pair)], options)
        if text_pair is None:
            return self._encode_batch(text, options)
        if isinstance(text_pair, str) or len(text) != len(text_pair):
            given = "one str" if isinstance(text_pair, str) else f"{len(text_pair)} texts"
            raise ValueError(f"A batch of {len(text)} texts needs as many in text_pair, not {given}.")
        return self._encode_batch(list(zip(text, text_pair, strict=True)), options)

    def encode(self, text: Text, text_pair: Text | None = None, *arguments: Any, **named: Any) -> Any:
        """The `input_ids` of one text or pair: a list, or a (1, seq) tensor with `return_tensors`."""
        return self.encode_plus(text, text_pair, *arguments, **named)["input_ids"]

    def encode_plus(self, text: Text, text_pair: Text | None = None, *arguments: Any, **named: Any) -> BatchEncoding:
        """Encode one text or pair, given as text, tokens, words or ids. The other arguments are those of `__call__`."""
        return self._encode([(text, text_pair)], EncodeOptions(*arguments, **named))

    def batch_encode_plus(self, batch_text_or_text_pairs: Sequence[Any], *arguments: Any, **named: Any) -> BatchEncoding:
        """Encode a list of texts, or of (text, text) pairs. The other arguments are those of `__call__`."""
        return self._encode_batch(batch_text_or_text_pairs, EncodeOptions(*arguments, **named))

    def _encode_batch(self, batch: Sequence[Any], options: EncodeOptions) -> BatchEncoding:
        """Several texts, or several pairs: each item as (text, its pair or None)."""
        if len(batch) == 0:
            raise ValueError("There is nothing to encode: the batch is empty.")
        texts: list[tuple[Any, Any]] = []
        for index, item in enumerate(batch):
            one_text = options.is_split_into_words and not (item and isinstance(item[0], (list, tuple)))
            if one_text or not isinstance(item, (list, tuple)):
                texts.append((item, None))
            elif len(item) == 2:
                texts.append((item[0], item[1]))
            else:
                raise ValueError(
                    f"Item {index} of the batch should be a str or a (text, text) pair, and is {len(item)} things: "
                    f"{_shortened(item)}. Pass is_split_into_words=True if they are the words of one text."
                )
        return self._encode(texts, options, batched=True)

    def _encode(self, texts: list[tuple[Any, Any]], options: EncodeOptions, batched: bool = False) -> BatchEncoding:
        """Texts and their pairs → rows."""
        options = self.resolved(options)
        memory = self._recall()
        windows = options.return_overflowing_tokens and (self.is_fast or options.return_offsets_mapping)
        from_text = True
        columns: dict[str, list[Any]] = {}
        for index, (text, text_pair) in enumerate(texts):
            try:
                ids = self._ids(text, options.is_split_into_words, memory)
                pair_ids = None if text_pair is None else self._ids(text_pair, options.is_split_into_words, memory)
            except ValueError as error:
                raise ValueError(f"Item {index} of the batch cannot be encoded: {error}" if batched else error) from error
            if not windows:
                self.add_row(columns, ids, pair_ids, options)
            if not options.is_split_into_words and not (isinstance(text, str) and isinstance(text_pair, (str, NoneType))):
                from_text = False
        if not from_text and (windows or options.return_offsets_mapping):
            raise ValueError("Offsets are positions in a text: give texts or words, not tokens or ids.")
        n_sequences = 1 if texts[0][1] is None else 2
        if windows:
            return self._windows(texts, options, n_sequences)
        columns = self.finished(columns, options, count_padding=not batched)
        origins = (lambda: self._origins(texts, options._replace(return_overflowing_tokens=False))[0]) if from_text else None
        if options.return_offsets_mapping and origins:
            columns["offset_mapping"] = [encoding.offsets for encoding in origins()]
        if not batched:
            columns = {name: column[0] for name, column in columns.items()}
        return BatchEncoding(
            columns,
            origins,
            tensor_type=options.return_tensors,
            prepend_batch_axis=not batched,
            n_sequences=n_sequences,
        )

    def _ids(self, text: Any, is_split_into_words: bool, memory: Memory) -> list[int]:
        """The ids of a text, of words, or of tokens; ids are returned as they are."""
        if isinstance(text, str):
            return self.convert_tokens_to_ids(self._tokens(text, memory) if memory.plain else self.tokenize(text))
        if isinstance(text, (list, tuple)):
            if is_split_into_words and all(isinstance(word, str) for word in text):
                return [index for word in text for index in self._ids(word, False, memory)]
            if text and all(isinstance(token, str) for token in text):
                return self.convert_tokens_to_ids(text)
            if text and all(isinstance(index, int) for index in text):
                return list(text)
        wanted = "a list of words" if is_split_into_words else "a str, a list of tokens or a list of ids"
        raise ValueError(f"expected {wanted}, got {_shortened(text)}.")

    def tokenize(self, text: str) -> list[str]:
        """The tokens of `text`, without `[CLS]` and `[SEP]`."""
        return self._tokens(text, self._recall())

    def _tokens(self, text: str, memory: Memory) -> list[str]:
        """`tokenize`. No word reaches across a space, so what stands between two spaces is cut into pieces once."""
        tokens: list[str] = []
        for part, is_token in self.parts(text, memory):
            if is_token:
                tokens.append(part)
            elif not memory.plain:
                tokens += self._tokenize(part)
            else:
                for chunk in part.split(" "):
                    pieces = memory.pieces.get(chunk)
                    if pieces is None:
                        pieces = ()
                        for _, of_word in self._words(chunk, memory.special):
                            pieces += tuple(of_word)
                        if len(memory.pieces) >= MAX_WORDS:
                            memory.pieces.clear()
                        if len(chunk) <= MAX_WORD_LENGTH:
                            memory.pieces[chunk] = pieces
                    tokens += pieces
        return tokens

    def _tokenize(self, text: str) -> list[str]:
        """Pieces of text that holds no special or added token (or holds them glued to other text)."""
        if not self.do_basic_tokenize:
            return self.wordpiece_tokenizer.tokenize(text)
        return [piece for _, pieces in self._words(text, self.all_special_tokens) for piece in pieces]

    def _words(self, text: str, special: list[str]) -> list[tuple[str, list[str]]]:
        """Each word of such text, with its pieces."""
        basic = self.basic_tokenizer if self.do_basic_tokenize else None
        words = []
        for word in basic.tokenize(text, never_split=special) if basic else text.split():
            whole = basic and word in basic.never_split
            words.append((word, [word] if whole else self.wordpiece_tokenizer.tokenize(word)))
        return words

    def parts(self, text: str, memory: Memory | None = None) -> list[tuple[str, bool]]:
        """`text` in lower case, if so set, cut around special and added tokens: (part, whether it is such a token).

        Special and added tokens keep their case, and swallow the spaces around them.
        """
        memory = memory or self._recall()
        lowered = lower_each(text) if self.lowers else text
        for opening in memory.openings:
            if opening in text or opening in lowered:
                break
        else:
            return [(lowered, False)] if text else []
        if self.lowers:
            pieces, start = [], 0
            for match in re.finditer("|".join(map(re.escape, memory.kept)), text):
                pieces += [lower_each(text[start : match.start()]), text[match.start() : match.end()]]
                start = match.end()
            lowered = joined([*pieces, lower_each(text[start:])])
        whole = set(self.unique_no_split_tokens)
        settings = {str(token): token for token in self.all_special_tokens_extended if isinstance(token, AddedToken)}
        parts = self.tokens_trie.split(lowered)
        for index, part in enumerate(parts):
            if part in whole:
                token = settings.get(part, AddedToken(part, lstrip=True, rstrip=True))
                if token.rstrip and index + 1 < len(parts):
                    parts[index + 1] = parts[index + 1].lstrip()
                if token.lstrip and index > 0:
                    parts[index - 1] = parts[index - 1].rstrip()
        return [(part, part in whole) for part in parts if part]

    def _recall(self) -> Memory:
        """The memory of words while the settings it was made under hold; a new one when they changed."""
        basic, wordpiece = self.basic_tokenizer if self.do_basic_tokenize else None, self.wordpiece_tokenizer
        special = self.all_special_tokens
        state = (
            basic and (basic.do_lower_case, basic.strip_accents, basic.tokenize_chinese_chars, set(basic.never_split)),
            (wordpiece.vocab, len(self.vocab), wordpiece.unk_token, wordpiece.max_input_chars_per_word),
            (self.unique_no_split_tokens, special),
        )
        if self.memory.state != state:
            steps = (type(self).tokenize, type(self)._tokenize, type(basic), type(wordpiece))
            own = (BertTokenizer.tokenize, BertTokenizer._tokenize, BasicTokenizer if basic else type(None))
            plain = steps == (*own, WordpieceTokenizer)
            self.memory = Memory(state, plain, special=special, tokens=self.unique_no_split_tokens)
        return self.memory

    def _aligned(self, text: Any, sequence: int) -> list[AlignedToken]:
        """The tokens of a text or of words, and where each came from: the steps of `tokenize` on `Traced` text.

        Words are counted as the tokenizer splits them; a special token is one. Of a text given as words, `word` is a
        word's number, and `start` and `end` count inside the word.
        """
        if not isinstance(text, str):
            words = [(number, token) for number, word in enumerate(text) for token in self._aligned(word, sequence)]
            return [token._replace(word=number) for number, token in words]
        memory = self._recall()
        words = []
        for part, is_token in self.parts(Traced(text, range(len(text))), memory):
            words += [(part, [part])] if is_token else self._words(part, memory.special)
        aligned: list[AlignedToken] = []
        for number, (word, pieces) in enumerate(words):
            end = 0
            for piece in pieces:
                start, end = end, end + len(piece.removeprefix("##") if end else piece)
                span = (word[start:end] if len(pieces) > 1 else word).span
                aligned.append(AlignedToken(str(piece), self.token_to_id(piece), *span, number, sequence))
        return aligned

    def _origins(self, texts: list[tuple[Any, Any]], options: EncodeOptions) -> tuple[list[Encoding], list[int]]:
        """The rows that `texts` become, with the origin of every token; and the index of each row's text.

        They are made as rows of ids are, by `cut` or `windows`, `add_row` and `padded`, from tokens that know their ids.
        """
        columns: dict[str, list[Any]] = {}
        samples: list[int] = []
        options_of_rows = options._replace(
            return_token_type_ids=True,
            return_attention_mask=True,
            return_special_tokens_mask=True,
            return_overflowing_tokens=False,
        )
        for index, (text, text_pair) in enumerate(texts):
            first, second = self._aligned(text, 0), None if text_pair is None else self._aligned(text_pair, 1)
            windows = self.windows(first, second, options) if options.return_overflowing_tokens else [(first, second)]
            for window in windows:
                self.add_row(columns, *window, options_of_rows)
                samples.append(index)
        columns = self.padded(columns, options_of_rows)
        encodings = []
        names = ("input_ids", "token_type_ids", "attention_mask", "special_tokens_mask")
        for row, *others in zip(*(columns[name] for name in names), strict=True):
            # what comes from no text, special tokens and padding, is still an id
            tokens = [each if isinstance(each, AlignedToken) else AlignedToken(self.id_to_token(each), each) for each in row]
            texts_of, ids, starts, ends, words, sequences = map(list, zip(*tokens, strict=True)) if tokens else [[]] * 6
            encodings.append(Encoding(texts_of, ids, *others, list(zip(starts, ends)), words, sequences))
        return encodings, samples

    def _windows(self, texts: list[tuple[Any, Any]], options: EncodeOptions, n_sequences: int) -> BatchEncoding:
        """A batch with a row for each window; `overflow_to_sample_mapping` says of which text."""
        encodings, samples = self._origins(texts, options)
        columns: dict[str, Any] = {"input_ids": [encoding.ids for encoding in encodings]}
        if options.return_token_type_ids:
            columns["token_type_ids"] = [encoding.type_ids for encoding in encodings]
        if options.return_attention_mask:
            columns["attention_mask"] = [encoding.attention_mask for encoding in encodings]
        if options.return_special_tokens_mask:
            columns["special_tokens_mask"] = [encoding.special_tokens_mask for encoding in encodings]
        if options.return_offsets_mapping:
            columns["offset_mapping"] = [encoding.offsets for encoding in encodings]
        if options.return_length:
            columns["length"] = list(map(len, encodings))
        columns["overflow_to_sample_mapping"] = samples
        return BatchEncoding(columns, encodings, tensor_type=options.return_tensors, n_sequences=n_sequences)

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """Tokens with spaces between them, `##` pieces joined to what stands before: un ##aff ##able → unaffable."""
        return " ".join(tokens).replace(" ##", "").strip()

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool = True,
        spaces_between_special_tokens: bool = True,
    ) -> str:
        """Text of `token_ids` (an id, a list, an array or a tensor of one sequence).

        skip_special_tokens: leave `[CLS]`, `[PAD]` and the like out.
        clean_up_tokenization_spaces: close the gaps before punctuation and English contractions: do n't → don't.
        spaces_between_special_tokens: a space on each side of an added token.
        """
        ids = to_python(token_ids)
        tokens = self.convert_ids_to_tokens([ids] if isinstance(ids, int) else ids, skip_special_tokens)
        texts: list[str] = []
        pieces: list[str] = []
        for token in tokens:
            if token in self.added_tokens_encoder:
                if pieces:
                    texts.append(self.convert_tokens_to_string(pieces))
                texts.append(token)
                pieces = []
            else:
                pieces.append(token)
        if pieces:
            texts.append(self.convert_tokens_to_string(pieces))
        text = (" " if spaces_between_special_tokens else "").join(texts)
        return self.clean_up_tokenization(text) if clean_up_tokenization_spaces else text

    def batch_decode(
        self,
        sequences: Sequence[Any],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool = True,
        spaces_between_special_tokens: bool = True,
    ) -> list[str]:
        """Text of each sequence of a batch."""
        return [
            self.decode(sequence, skip_special_tokens, clean_up_tokenization_spaces, spaces_between_special_tokens)
            for sequence in sequences
        ]

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """Close the gaps that tokens leave in English text."""
        for spaced in SPACED:
            out_string = out_string.replace(spaced, spaced.strip())
        return out_string

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


def _shortened(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"
