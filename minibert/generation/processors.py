"""Objects that change the scores of the next word, for the searches of `searches.py`; the mathematics is `generation/scores.py`'s.

Each is called with ids (rows, length) and scores (rows, vocab) and returns scores. What the era changes in place is changed
in place here too, since the scores that a search returns show it. Each `__init__` raises ValueError for a setting out of
its range. Reference: `transformers.generation_logits_process`.
"""

# ruff: noqa: ARG002 all are called alike, whatever they need
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..config import is_whole_number
from .scores import (
    end_tokens,
    forbid_repeated_ngrams,
    forbid_words,
    keep_top_k,
    keep_top_p,
    penalize_repetition,
)


def check(name: str, value: Any, least: float, *, above: bool = False, kinds: Any = int) -> None:
    """Raises ValueError unless a setting is a number that is at least so large, or `above` it."""
    if not isinstance(value, kinds) or not (value > least if above else value >= least):
        raise ValueError(f"{name} is {value!r}; it must be a number {'above' if above else 'of at least'} {least}.")


class LogitsProcessor:
    """Base of what changes scores in every search."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores in and out. Raises NotImplementedError."""
        raise NotImplementedError(f"{type(self).__name__} needs a __call__(input_ids, scores) of its own.")


class LogitsWarper:
    """Base of what reshapes the distribution that words are drawn from."""

    __call__ = LogitsProcessor.__call__


class LogitsProcessorList(list[Any]):
    """Processors or warpers, applied one after the other."""

    def __call__(self, input_ids: Tensor, scores: Tensor, **others: Any) -> Tensor:
        """Scores in and out. others: what some processors take besides. Raises ValueError where one lacks it."""
        for processor in self:
            wanted = list(inspect.signature(processor.__call__).parameters)[2:]
            if any(name not in others for name in wanted):
                raise ValueError(f"{type(processor).__name__} needs {', '.join(wanted)}: pass them to the list.")
            scores = processor(input_ids, scores, **(others if wanted else {}))
        return scores


class MinLengthLogitsProcessor(LogitsProcessor):
    """No end before `min_length` tokens, prompt included."""

    def __init__(self, min_length: int, eos_token_id: int | Sequence[int]):
        check("min_length", min_length, 0)
        for end in end_tokens(eos_token_id) or (None,):
            check("eos_token_id", end, 0)
        self.min_length, self.eos_token_id = min_length, eos_token_id

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if input_ids.size(-1) < self.min_length:
            scores[:, list(end_tokens(self.eos_token_id))] = -torch.inf
        return scores


class TemperatureLogitsWarper(LogitsWarper):
    """Scores divided by a temperature."""

    def __init__(self, temperature: float):
        check("temperature", temperature, 0, above=True, kinds=(int, float))
        self.temperature = temperature

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores / self.temperature


class RepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Words of the text become less likely."""

    def __init__(self, penalty: float):
        check("penalty", penalty, 0, above=True, kinds=(int, float))
        self.penalty = penalty

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.copy_(penalize_repetition(input_ids, scores, self.penalty))


class TopPLogitsWarper(LogitsWarper):
    """The fewest likeliest words whose probabilities reach `top_p`; the others get `filter_value`."""

    def __init__(self, top_p: float, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1):
        self.top_p = float(top_p)
        if not 0 <= self.top_p <= 1:
            raise ValueError(f"top_p is {top_p}; it must be from 0 to 1.")
        self.filter_value, self.min_tokens_to_keep = filter_value, min_tokens_to_keep

    def __call__(self, input_ids: Tensor | None, scores: Tensor) -> Tensor:
        return keep_top_p(scores, self.top_p, self.min_tokens_to_keep, others=self.filter_value)


class TopKLogitsWarper(LogitsWarper):
    """The `top_k` likeliest words; the others get `filter_value`."""

    def __init__(self, top_k: int, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1):
        check("top_k", top_k, 0, above=True)
        self.top_k = top_k
        self.filter_value, self.min_tokens_to_keep = filter_value, min_tokens_to_keep

    def __call__(self, input_ids: Tensor | None, scores: Tensor) -> Tensor:
        return keep_top_k(scores, max(self.top_k, self.min_tokens_to_keep), self.filter_value)


class NoRepeatNGramLogitsProcessor(LogitsProcessor):
    """No run of `ngram_size` words twice."""

    def __init__(self, ngram_size: int):
        check("ngram_size", ngram_size, 0, above=True)
        self.ngram_size = ngram_size

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.copy_(forbid_repeated_ngrams(input_ids, scores, self.ngram_size))


class EncoderNoRepeatNGramLogitsProcessor(LogitsProcessor):
    """No run of `encoder_ngram_size` words that the encoder has read. encoder_input_ids: (prompts, encoder seq)."""

    def __init__(self, encoder_ngram_size: int, encoder_input_ids: Tensor):
        check("encoder_ngram_size", encoder_ngram_size, 0, above=True)
        self.ngram_size = encoder_ngram_size
        self.encoder_input_ids = encoder_input_ids.view(-1, encoder_input_ids.size(-1))

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        read = self.encoder_input_ids.repeat_interleave(scores.size(0) // self.encoder_input_ids.size(0), dim=0)
        return scores.copy_(forbid_repeated_ngrams(input_ids, scores, self.ngram_size, said=read))


class NoBadWordsLogitsProcessor(LogitsProcessor):
    """Words, each a list of pieces, that must not come; the end token alone is none of them."""

    def __init__(self, bad_words_ids: list[list[int]], eos_token_id: int | Sequence[int] | None):
        lists = isinstance(bad_words_ids, list) and bad_words_ids and all(isinstance(w, list) for w in bad_words_ids)
        if not lists or not all(word and all(is_whole_number(i) and i >= 0 for i in word) for word in bad_words_ids):
            raise ValueError(f"bad_words_ids is {bad_words_ids!r}; it must be a list of words, each a list of ids.")
        self.bad_words_ids = [
            word for word in bad_words_ids if len(word) > 1 or word[0] not in end_tokens(eos_token_id)
        ]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return forbid_words(input_ids, scores, self.bad_words_ids)


class PrefixConstrainedLogitsProcessor(LogitsProcessor):
    """Only the words that a function of (prompt's number, ids so far) returns may follow."""

    def __init__(self, prefix_allowed_tokens_fn: Callable[[int, Tensor], Sequence[int]], num_beams: int):
        self._prefix_allowed_tokens_fn, self._num_beams = prefix_allowed_tokens_fn, num_beams

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        mask = torch.full_like(scores, -torch.inf)
        for row, ids in enumerate(input_ids):
            allowed = self._prefix_allowed_tokens_fn(row // self._num_beams, ids)
            try:
                mask[row].index_fill_(0, torch.as_tensor(allowed, dtype=torch.long, device=mask.device), 0.0)
            except (IndexError, TypeError, ValueError, RuntimeError) as error:
                wrong = f"prefix_allowed_tokens_fn returned {allowed!r:.80}"
                raise ValueError(f"{wrong}; it must return a list of ids below {scores.size(-1)}.") from error
        return scores + mask


class HammingDiversityLogitsProcessor(LogitsProcessor):
    """Words that earlier groups of beams have just chosen become less likely, for a group beam search of your own."""

    def __init__(self, diversity_penalty: float, num_beams: int, num_beam_groups: int):
        check("diversity_penalty", diversity_penalty, 0, above=True, kinds=float)
        check("num_beam_groups", num_beam_groups, 2)
        check("num_beams", num_beams, num_beam_groups)
        self._diversity_penalty, self._num_beams = diversity_penalty, num_beams
        self._num_sub_beams = num_beams // num_beam_groups

    def __call__(  # type: ignore[override]
        self, input_ids: Tensor, scores: Tensor, current_tokens: Tensor, beam_group_idx: int
    ) -> Tensor:
        first = beam_group_idx * self._num_sub_beams  # beam of the group, of `size` beams
        size = min(self._num_sub_beams, self._num_beams - first)
        for prompt, tokens in enumerate(current_tokens.view(-1, self._num_beams)):
            counts = torch.bincount(tokens[:first], minlength=scores.size(-1)).to(scores.device)
            if first > 0:
                scores[prompt * size : (prompt + 1) * size] -= self._diversity_penalty * counts
        return scores


def force(scores: Tensor, token: int) -> Tensor:
    """Make one word certain, in place."""
    scores.fill_(-torch.inf)
    scores[:, token] = 0
    return scores


class ForcedBOSTokenLogitsProcessor(LogitsProcessor):
    """The first word behind a single start token."""

    def __init__(self, bos_token_id: int):
        self.bos_token_id = bos_token_id

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return force(scores, self.bos_token_id) if input_ids.size(-1) == 1 else scores


class ForcedEOSTokenLogitsProcessor(LogitsProcessor):
    """The last word of a text that gets as long as `max_length`."""

    def __init__(self, max_length: int, eos_token_id: int):
        self.max_length, self.eos_token_id = max_length, eos_token_id

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return force(scores, self.eos_token_id) if input_ids.size(-1) == self.max_length - 1 else scores


class InfNanRemoveLogitsProcessor(LogitsProcessor):
    """What is no number becomes 0, +∞ the largest number; −∞ still forbids."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        scores[scores != scores] = 0.0
        scores[scores == torch.inf] = torch.finfo(scores.dtype).max
        return scores


def top_k_top_p_filtering(
    logits: Tensor, top_k: int = 0, top_p: float = 1.0, filter_value: float = -torch.inf, min_tokens_to_keep: int = 1
) -> Tensor:
    """Keep the `top_k` likeliest words, if above 0, and of these the fewest that reach `top_p`. logits: (rows, vocab)."""
    if top_k > 0:
        logits = TopKLogitsWarper(top_k, filter_value, min_tokens_to_keep)(None, logits)
    # The reference fills with −∞ here, whatever `filter_value` is.
    return TopPLogitsWarper(top_p, min_tokens_to_keep=min_tokens_to_keep)(None, logits) if 0 <= top_p <= 1 else logits
