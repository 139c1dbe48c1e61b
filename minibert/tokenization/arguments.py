"""Settle what a caller asked of an encoding, once, before any text is touched.

Reference: `PreTrainedTokenizerBase._get_padding_truncation_strategies`.
"""

from __future__ import annotations

import logging
import warnings

from .added_vocabulary import AddedVocabulary
from .strategies import LARGE, EncodeOptions, Lengths, PaddingStrategy, TruncationStrategy

logger = logging.getLogger(__name__)


class Arguments(AddedVocabulary):
    """Turn arguments into `EncodeOptions`: defaults filled in, contradictions refused.

    model_max_length: what the model reads at most. padding_side: "right" or "left". model_input_names: its inputs.
    deprecation_warnings: topics that were warned of already.
    """

    model_max_length: int
    padding_side: str
    model_input_names: list[str]
    deprecation_warnings: dict[str, bool]

    def options(
        self,
        *,
        add_special_tokens: bool,
        padding: bool | str | PaddingStrategy,
        truncation: bool | str | TruncationStrategy,
        max_length: int | None,
        stride: int,
        pad_to_multiple_of: int | None,
        return_tensors: str | None,
        return_token_type_ids: bool | None,
        return_attention_mask: bool | None,
        return_overflowing_tokens: bool,
        return_special_tokens_mask: bool,
        return_length: bool,
        verbose: bool,
        return_offsets_mapping: bool = False,
        truncation_strategy: str | None = None,
        pad_to_max_length: bool = False,
    ) -> EncodeOptions:
        """Settle what was asked, and check it, before any text is touched."""
        if max_length is not None and padding is False and truncation is False:
            truncation = TruncationStrategy.LONGEST_FIRST
            if verbose:
                self.warn_once(
                    "truncation not asked for",
                    "max_length was given without truncation= or padding=: long sequences are cut to it, as with "
                    "truncation='longest_first'. Say so with truncation=True.",
                )
        if truncation_strategy is not None:
            warnings.warn("truncation_strategy= is the old name of truncation=.", FutureWarning, stacklevel=3)
            truncation = truncation or truncation_strategy
        if pad_to_max_length:
            warnings.warn("pad_to_max_length= is the old way to say padding='max_length'.", FutureWarning, stacklevel=3)
            padding = padding or ("longest" if max_length is None else "max_length")
        if return_token_type_ids and not add_special_tokens:
            raise ValueError(
                "return_token_type_ids=True needs add_special_tokens=True: the segments are those of a sequence with "
                "its special tokens. Leave return_token_type_ids out to get zeros."
            )
        return EncodeOptions(
            add_special_tokens=add_special_tokens,
            lengths=self.lengths(padding, truncation, max_length, pad_to_multiple_of, verbose),
            stride=stride,
            pad_to_multiple_of=pad_to_multiple_of,
            return_tensors=return_tensors,
            return_token_type_ids=_or_default(return_token_type_ids, "token_type_ids" in self.model_input_names),
            return_attention_mask=_or_default(return_attention_mask, "attention_mask" in self.model_input_names),
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
        )

    def lengths(
        self,
        padding: bool | str | PaddingStrategy,
        truncation: bool | str | TruncationStrategy,
        max_length: int | None,
        pad_to_multiple_of: int | None,
        verbose: bool,
    ) -> Lengths:
        """Settle padding, truncation and the length they aim for: `max_length`, or else the model's own.

        Raises ValueError when there is no token to pad with, or a cut row could not be a multiple of what was asked.
        """
        how = Lengths(PaddingStrategy.parse(padding), TruncationStrategy.parse(truncation), max_length)
        if max_length is None:
            how = self._with_model_length(how, verbose)
        pads = how.padding is not PaddingStrategy.DO_NOT_PAD
        if pads:
            self.padding_id()
        cuts = how.truncation is not TruncationStrategy.DO_NOT_TRUNCATE
        if pads and cuts and pad_to_multiple_of and how.max_length and how.max_length % pad_to_multiple_of:
            raise ValueError(
                f"Rows cut to max_length={how.max_length} cannot be padded to a multiple of {pad_to_multiple_of}: "
                f"choose a max_length that pad_to_multiple_of divides."
            )
        return how

    def _with_model_length(self, how: Lengths, verbose: bool) -> Lengths:
        pads = how.padding is PaddingStrategy.MAX_LENGTH
        cuts = how.truncation is not TruncationStrategy.DO_NOT_TRUNCATE
        if not pads and not cuts:
            return how
        if self.model_max_length <= LARGE:
            return how._replace(max_length=self.model_max_length)
        if verbose:
            self.warn_once(
                "no maximum length",
                "There is no length to pad or cut to: give max_length=, or set tokenizer.model_max_length. "
                "Sequences are left as they are.",
            )
        return Lengths(PaddingStrategy.DO_NOT_PAD if pads else how.padding, TruncationStrategy.DO_NOT_TRUNCATE, None)

    def warn_once(self, topic: str, message: str) -> None:
        """Log a warning the first time its topic comes up with this tokenizer."""
        if topic not in self.deprecation_warnings:
            self.deprecation_warnings[topic] = True
            logger.warning(message)

    def padding_id(self) -> int:
        """The id of padding. Raises ValueError when no token plays that part."""
        token_id = self.pad_token_id
        if token_id is None:
            raise ValueError(
                "There is no token to pad with. Set one with tokenizer.add_special_tokens({'pad_token': '[PAD]'})."
            )
        return token_id


def _or_default(asked: bool | None, default: bool) -> bool:
    return default if asked is None else asked
