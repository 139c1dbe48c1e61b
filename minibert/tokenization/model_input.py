"""From ids to a model's input: `[CLS]` and `[SEP]` are added, what is too long is cut, what is too short is padded.

    one text    [CLS] A [SEP] [PAD]…             segments 0 0…0 0 0…
    a pair      [CLS] A [SEP] B [SEP] [PAD]…     segments 0 0…0 0 1…1 1 0…

Source: Devlin et al. 2019, figure 2. Reference: `BertTokenizer.build_inputs_with_special_tokens` and its neighbours,
`PreTrainedTokenizerBase.pad`, `truncate_sequences` and `_get_padding_truncation_strategies`.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch

from .encoding import PADDING, TRUNCATION, BatchEncoding, EncodeOptions, PaddingStrategy, TruncationStrategy, to_python
from .vocabulary import Vocabulary

logger = logging.getLogger(__name__)

UNLIMITED = int(1e30)  # model_max_length when none was given
LARGE = int(1e20)  # above this a length counts as unlimited

FILLERS = {"attention_mask": 0, "special_tokens_mask": 1, "offset_mapping": (0, 0)}  # what padding is in a column

Ids: TypeAlias = list[Any]  # or tokens that know their positions in the text
Columns: TypeAlias = dict[str, list[Any]]  # name → rows


class ModelInput(Vocabulary):
    """Turn ids into rows that BERT can read.

    model_max_length: what the model reads at most. padding_side: "right" or "left". model_input_names: its inputs.
    """

    model_max_length: int
    padding_side: str = "right"
    model_input_names: list[str] = ["input_ids", "token_type_ids", "attention_mask"]  # noqa: RUF012  # every tokenizer copies it
    deprecation_warnings: dict[str, bool]  # what was warned of already

    def build_inputs_with_special_tokens(self, token_ids_0: Ids, token_ids_1: Ids | None = None) -> Ids:
        """`[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`."""
        cls, sep = self.cls_token_id, self.sep_token_id
        if cls is None or sep is None:
            raise ValueError("BERT's input begins with cls_token and ends with sep_token: set both on the tokenizer.")
        return [cls, *token_ids_0, sep] if token_ids_1 is None else [cls, *token_ids_0, sep, *token_ids_1, sep]

    def create_token_type_ids_from_sequences(self, token_ids_0: Ids, token_ids_1: Ids | None = None) -> list[int]:
        """Segments: 0 for `[CLS] A [SEP]`, 1 for `B [SEP]`."""
        return [0] * (len(token_ids_0) + 2) + ([] if token_ids_1 is None else [1] * (len(token_ids_1) + 1))

    def get_special_tokens_mask(
        self, token_ids_0: Ids, token_ids_1: Ids | None = None, already_has_special_tokens: bool = False
    ) -> list[int]:
        """1 where a special token stands, 0 elsewhere, in the sequence that `build_inputs_with_special_tokens` would build.

        already_has_special_tokens: `token_ids_0` is a finished sequence.
        """
        if already_has_special_tokens:
            if token_ids_1 is not None:
                raise ValueError("A finished sequence stands alone: give token_ids_0 only.")
            special = set(self.all_special_ids)
            return [int(index in special) for index in token_ids_0]
        second = None if token_ids_1 is None else [None] * len(token_ids_1)
        return [
            int(each is not None) for each in self.build_inputs_with_special_tokens([None] * len(token_ids_0), second)
        ]

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        return len(self.build_inputs_with_special_tokens([], [] if pair else None))

    @property
    def max_len_single_sentence(self) -> int:
        """Longest single sequence that fits, special tokens not counted."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=False)

    @property
    def max_len_sentences_pair(self) -> int:
        """Longest pair that fits, both together, special tokens not counted."""
        return self.model_max_length - self.num_special_tokens_to_add(pair=True)

    def resolved(self, options: EncodeOptions) -> EncodeOptions:
        """The options with every default filled in. Raises ValueError when they contradict one another."""
        padding, truncation, max_length = options.padding, options.truncation, options.max_length
        for name, least in (("max_length", 1), ("pad_to_multiple_of", 1), ("stride", 0)):
            value = getattr(options, name)
            if value is not None and not (isinstance(value, (int, np.integer)) and value >= least):
                raise ValueError(f"{name} = {value!r} must be a whole number of at least {least}.")
        if max_length is not None and padding is False and truncation is False:
            truncation = True
            self.warn_once("max_length= alone cuts long sequences to it: say so with truncation=True.", options.verbose)
        if options.truncation_strategy is not None:
            warnings.warn("truncation_strategy= is the old name of truncation=.", FutureWarning, stacklevel=3)
            truncation = truncation or options.truncation_strategy
        if options.pad_to_max_length:
            warnings.warn("pad_to_max_length= is the old way to say padding='max_length'.", FutureWarning, stacklevel=3)
            padding = padding or ("longest" if max_length is None else "max_length")
        if options.return_token_type_ids and not (options.add_special_tokens or self.is_fast):
            raise ValueError("return_token_type_ids=True needs add_special_tokens=True. Leave it out to get zeros.")
        for name, value, choices in (("padding", padding, PADDING), ("truncation", truncation, TRUNCATION)):
            if value not in choices:
                raise ValueError(f"{name}={value!r} is not understood. Choose {', '.join(map(repr, choices))}.")
        padding, truncation = PADDING[padding], TRUNCATION[truncation]
        cuts = truncation is not TruncationStrategy.DO_NOT_TRUNCATE
        if max_length is None and (cuts or padding is PaddingStrategy.MAX_LENGTH):
            if self.model_max_length <= LARGE:
                max_length = self.model_max_length
            else:
                padding = PaddingStrategy.DO_NOT_PAD if padding is PaddingStrategy.MAX_LENGTH else padding
                truncation, cuts = TruncationStrategy.DO_NOT_TRUNCATE, False
                advice = "give max_length=, or set tokenizer.model_max_length"
                self.warn_once(f"There is no length to pad or cut to, and nothing is done: {advice}.", options.verbose)
        if padding is not PaddingStrategy.DO_NOT_PAD:
            if self.pad_token_id is None:
                raise ValueError("There is no token to pad with. Set one: tokenizer.pad_token = '[PAD]'.")
            multiple = options.pad_to_multiple_of
            if cuts and multiple and max_length and max_length % multiple:
                raise ValueError(f"Rows cut to max_length={max_length} cannot be padded to a multiple of {multiple}.")
        options = options._replace(padding=padding, truncation=truncation, max_length=max_length)
        if options.return_token_type_ids is None:
            options = options._replace(return_token_type_ids="token_type_ids" in self.model_input_names)
        if options.return_attention_mask is None:
            options = options._replace(return_attention_mask="attention_mask" in self.model_input_names)
        return options

    def warn_once(self, message: str, verbose: bool) -> None:
        """Log a warning, if asked to, the first time there is reason for it with this tokenizer."""
        if verbose and message not in self.deprecation_warnings:
            self.deprecation_warnings[message] = True
            logger.warning(message)

    def rows_of(self, ids: Ids, pair_ids: Ids | None, options: EncodeOptions) -> list[tuple[Ids, Ids | None]]:
        """A sequence or pair as the rows it becomes: one, or windows, cut already where that is done as the Rust tokenizer did."""
        if not (self.is_fast or (options.return_overflowing_tokens and options.return_offsets_mapping)):
            return [(ids, pair_ids)]
        from ..compat.windows import windows_of

        return windows_of(self, ids, pair_ids, options=options)

    def add_row(self, columns: Columns, ids: Ids, pair_ids: Ids | None, options: EncodeOptions) -> None:
        """Append one sequence or pair, cut to length and with its special tokens, to columns that are padded later."""
        row: dict[str, Any] = {}
        if options.max_length or options.return_overflowing_tokens:
            excess = self.excess(ids, pair_ids, options)
            ids, pair_ids, overflow = self.truncate_sequences(
                ids, pair_ids, excess, truncation_strategy=options.truncation, stride=options.stride
            )
            if options.return_overflowing_tokens:
                row = {"overflowing_tokens": overflow, "num_truncated_tokens": excess}
        special = options.add_special_tokens
        row["input_ids"] = self.build_inputs_with_special_tokens(ids, pair_ids) if special else ids + (pair_ids or [])
        size = len(row["input_ids"])
        if options.return_token_type_ids:
            plain = [0] * len(ids) + [int(self.is_fast)] * len(pair_ids or ())
            row["token_type_ids"] = self.create_token_type_ids_from_sequences(ids, pair_ids) if special else plain
        if options.return_special_tokens_mask:
            row["special_tokens_mask"] = self.get_special_tokens_mask(ids, pair_ids) if special else [0] * size
        if options.return_length:
            row["length"] = size
        if options.return_attention_mask:
            row["attention_mask"] = [1] * size
        if options.max_length is None and size > self.model_max_length:
            found = f"A sequence is longer than the model's maximum of {self.model_max_length} tokens"
            after = "The model refuses what is beyond, or answers from positions that it was never trained on"
            self.warn_once(f"{found}. {after}: pass truncation=True to cut it.", options.verbose)
        for name, value in row.items():
            columns.setdefault(name, []).append(value)

    def excess(self, ids: Ids, pair_ids: Ids | None, options: EncodeOptions) -> int:
        """By how many tokens a sequence or pair is too long; below 0 when it is shorter, 0 without a maximum."""
        pair = pair_ids is not None
        if (
            options.return_overflowing_tokens
            and pair
            and options.truncation is TruncationStrategy.LONGEST_FIRST
            and not self.is_fast
        ):
            raise ValueError("The overflow of a pair needs truncation='only_first' or 'only_second'.")
        if not options.max_length:
            return 0
        special = self.num_special_tokens_to_add(pair) if options.add_special_tokens else 0
        return len(ids) + len(pair_ids or ()) + special - options.max_length

    def truncate_sequences(
        self,
        ids: Ids,
        pair_ids: Ids | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: str | TruncationStrategy = "longest_first",
        stride: int = 0,
    ) -> tuple[Ids, Ids | None, Ids]:
        """Cut tokens off the end of one or both sequences. Returns both, and the tokens cut off.

        "only_first" and "only_second" cut that sequence; when it is too short for that, nothing is cut and an error is
        logged. "longest_first" cuts whichever is longer, token by token (the second when both are as long); of a pair,
        it returns no overflow. The overflow begins with `stride` tokens that were kept.
        """
        strategy = TruncationStrategy(truncation_strategy)
        cuts_second = strategy is TruncationStrategy.ONLY_SECOND
        tokens = pair_ids if cuts_second else ids
        if num_tokens_to_remove <= 0 or strategy is TruncationStrategy.DO_NOT_TRUNCATE or tokens is None:
            return ids, pair_ids, []
        if pair_ids is not None and strategy is TruncationStrategy.LONGEST_FIRST:
            first, second = len(ids), len(pair_ids)
            for _ in range(num_tokens_to_remove):
                if first > second:
                    first -= 1
                else:
                    second = max(second - 1, 0)
            return ids[:first], pair_ids[:second], []
        kept = len(tokens) - num_tokens_to_remove
        if kept <= 0:
            impossible = f"cannot cut {num_tokens_to_remove} tokens off a sequence of {len(tokens)}"
            logger.error(f"truncation={strategy.value!r} {impossible}: nothing is cut. Choose a larger max_length.")
            return ids, pair_ids, []
        overflow = tokens[max(kept - stride, 0) :]
        return (ids, tokens[:kept], overflow) if cuts_second else (tokens[:kept], pair_ids, overflow)

    def prepare_for_model(
        self, ids: Ids, pair_ids: Ids | None = None, *arguments: Any, prepend_batch_axis: bool = False, **named: Any
    ) -> BatchEncoding:
        """A model's input from ids that have no special tokens yet. The other arguments are those of `EncodeOptions`."""
        options = self.resolved(EncodeOptions(*arguments, **named))
        columns: Columns = {}
        self.add_row(columns, ids, pair_ids, options=options)
        row = self.padded(columns, options, alone=True)
        return BatchEncoding(row, tensor_type=options.return_tensors, prepend_batch_axis=prepend_batch_axis)

    def pad(
        self, encoded_inputs: Mapping[str, Any] | Sequence[Mapping[str, Any]], padding: Any = True, **named: Any
    ) -> BatchEncoding:
        """Pad one encoding, a batch, or a list of encodings (as a data loader collects them).

        Tensors and arrays come back as tensors and arrays. Columns other than ids, attention mask, segments,
        special-token mask and offsets are passed on as they are. padding, and max_length, pad_to_multiple_of,
        return_attention_mask, return_tensors, verbose: as in `EncodeOptions`.
        """
        main = self.model_input_names[0]
        if isinstance(encoded_inputs, Mapping):
            columns = dict(encoded_inputs)
        else:
            columns = {name: [row[name] for row in encoded_inputs] for name in (encoded_inputs or [{}])[0]}
        if main not in columns:
            found = ", ".join(columns) or "no columns"
            raise ValueError(f"There is nothing to pad: the encodings need {main!r}, and have {found}.")
        options = self.resolved(EncodeOptions(padding=padding, truncation="do_not_truncate", **named))
        ids, tensor_type = columns[main], options.return_tensors
        for kind, name in ((torch.Tensor, "pt"), (np.ndarray, "np")):
            if tensor_type is None and (isinstance(ids, kind) or (len(ids) and isinstance(ids[0], kind))):
                tensor_type = name
        columns = {name: to_python(column) for name, column in columns.items()}
        alone = not columns[main] or not isinstance(columns[main][0], (list, tuple))
        if alone:
            columns = {name: [column] for name, column in columns.items()}
        columns = self.padded(columns, options)
        return BatchEncoding(
            {name: rows[0] if alone else rows for name, rows in columns.items()}, tensor_type=tensor_type
        )

    def padded(self, columns: Columns, options: EncodeOptions, alone: bool = False) -> dict[str, Any]:
        """Pad a batch, {name: list of rows}, and add the attention mask if asked for.

        Padding has the id `pad_token_id`, segment `pad_token_type_id`, attention 0, and counts as special.
        alone: return the one row of the batch; its length counts the padding, as in the reference.
        """
        main = self.model_input_names[0]
        sizes = list(map(len, columns[main]))
        for name, rows in columns.items():
            if len(rows) != len(sizes):
                raise ValueError(f"{name!r} has {len(rows)} rows where {main!r} has {len(sizes)}.")
        if options.return_attention_mask and "attention_mask" not in columns:
            columns["attention_mask"] = [[1] * size for size in sizes]
        if options.padding is not PaddingStrategy.DO_NOT_PAD:
            target = max(sizes) if options.padding is PaddingStrategy.LONGEST else options.max_length or 0
            if options.pad_to_multiple_of:
                target = -(-target // options.pad_to_multiple_of) * options.pad_to_multiple_of
            fillers = {main: self.pad_token_id, "token_type_ids": self.pad_token_type_id, **FILLERS}
            right = self.padding_side == "right"
            for name in fillers.keys() & columns.keys():
                pairs = zip(columns[name], ([fillers[name]] * (target - size) for size in sizes), strict=True)
                columns[name] = [[*row, *pad] if right else [*pad, *row] for row, pad in pairs]
        if not alone:
            return columns
        row = {name: rows[0] for name, rows in columns.items() if name != "length"}
        return {**row, "length": len(row[main])} if "length" in columns else row
