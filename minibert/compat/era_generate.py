"""`generate` with the options of the era: output objects, forced tokens, allowed prefixes, a time limit.

Builds the processors and criteria that they mean, in 4.12.5's order, and calls the searches of `searches.py`.
Reference: `GenerationMixin.generate`, `_get_logits_processor`, `_get_logits_warper`, `_get_stopping_criteria`.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..config_files import SHARED_DEFAULTS
from ..generation import processors as p
from ..generation.generate import ERA_OPTIONS
from ..generation.search import NextWord, SearchOptions
from . import searches
from .beam_scorer import GROUPS, BeamSearchScorer
from .stopping import MaxLengthCriteria, MaxTimeCriteria, StoppingCriteriaList

RETURNS = ("output_scores", "output_attentions", "output_hidden_states", "return_dict_in_generate")
BY_ARGUMENT: dict[str, Any] = dict.fromkeys((*RETURNS, "synced_gpus"), False)
BY_ARGUMENT |= dict.fromkeys(("max_time", "prefix_allowed_tokens_fn", "encoder_input_ids", "decoder_start_token_id"))


def generate_as_asked(
    next_word: NextWord, input_ids: Tensor, options: SearchOptions, *, era_options: dict[str, Any], on_tokens: Any
) -> Any:
    """What the search returns, or None where era_options and the config ask for nothing that the core's searches lack.

    next_word: the model and what it reads. input_ids: (rows, prompt), a row for each beam and text.
    Raises TypeError for an option that the era has not, ValueError and NotImplementedError for one that cannot be followed.
    """
    off = {**BY_ARGUMENT, **{name: SHARED_DEFAULTS[name] for name in ERA_OPTIONS}}
    unknown = ", ".join(sorted(era_options.keys() - off.keys()))
    if unknown:
        raise TypeError(f"generate takes no argument {unknown}.")
    model = next_word.model
    asked = {name: getattr(model.config, name) for name in ERA_OPTIONS}
    asked |= {name: value for name, value in era_options.items() if value is not None}
    asked = {name: value for name, value in asked.items() if name == "encoder_input_ids" or value != off[name]}
    if not asked:
        return None
    if "decoder_start_token_id" in asked:
        raise ValueError("decoder_start_token_id is for an EncoderDecoderModel; a decoder alone starts from input_ids.")
    for name in {"forced_bos_token_id", "forced_eos_token_id"} & asked.keys():
        if asked[name] not in range(model.config.vocab_size):
            raise ValueError(f"{name} is {asked[name]}; it must be among the ids below {model.config.vocab_size}.")
    if "num_beam_groups" in asked or "diversity_penalty" in asked:
        raise NotImplementedError(GROUPS)
    if "return_dict_in_generate" not in asked and asked.keys() & RETURNS:
        warnings.warn("Only ids come back: output_… needs return_dict_in_generate=True.", stacklevel=4)

    criteria = StoppingCriteriaList([MaxLengthCriteria(options.max_length)])
    if "max_time" in asked:
        criteria.append(MaxTimeCriteria(asked["max_time"]))
    if on_tokens is not None and options.num_beams == 1:
        criteria.insert(0, lambda ids, _: on_tokens(ids[:, -1]) and None)  # whatever it returns, it never stops
    given: dict[str, Any] = {n: era_options[n] for n in (*RETURNS, "synced_gpus") if era_options.get(n) is not None}
    given |= {"pad_token_id": options.pad_token_id, "eos_token_id": options.eos_token_id, "stopping_criteria": criteria}
    given |= {"attention_mask": next_word.attention_mask, "use_cache": next_word.use_cache, **next_word.encoder}
    given |= {"positions_from_mask": next_word.positions_from_mask, "generator": options.generator}
    rules = processors_of(options, asked)
    if next_word.positions_from_mask:  # then padding is no word for those that count words
        counting = (p.RepetitionPenaltyLogitsProcessor, p.NoRepeatNGramLogitsProcessor)
        rules[:] = [partial(_of_words, rule, next_word.said) if isinstance(rule, counting) else rule for rule in rules]
    given |= {"logits_processor": rules}
    given |= {"logits_warper": warpers_of(options)} if options.do_sample else {}
    if options.num_beams == 1:
        return (searches.sample if options.do_sample else searches.greedy_search)(model, input_ids, **given)
    kept: dict[str, Any] = {"num_beam_hyps_to_keep": 1 if options.do_sample else options.num_return_sequences}
    kept |= {"do_early_stopping": options.early_stopping, "length_penalty": options.length_penalty}
    prompts, device = input_ids.size(0) // options.num_beams, input_ids.device
    given["beam_scorer"] = scorer = BeamSearchScorer(prompts, options.num_beams, device, **kept)
    for finished, number in zip(scorer._beam_hyps, next_word.padding(options.num_beams), strict=True):
        finished.padding = number
    return (searches.beam_sample if options.do_sample else searches.beam_search)(model, input_ids, **given)


def _of_words(rule: Any, said: Callable[[Tensor], Tensor], input_ids: Tensor, scores: Tensor) -> Tensor:
    return rule(said(input_ids), scores)


def processors_of(options: SearchOptions, asked: dict[str, Any]) -> p.LogitsProcessorList:
    """The processors that the options mean, in 4.12.5's order."""
    ngram, read = asked.get("encoder_no_repeat_ngram_size", 0), asked.get("encoder_input_ids")
    if ngram and read is None:
        raise ValueError("encoder_no_repeat_ngram_size needs an EncoderDecoderModel, and input_ids that it reads.")
    allowed, first = asked.get("prefix_allowed_tokens_fn"), asked.get("forced_bos_token_id")
    last, words = asked.get("forced_eos_token_id"), [list(word) for word in options.bad_words_ids or ()]
    penalty, size = options.repetition_penalty, options.no_repeat_ngram_size
    rules: list[tuple[bool, Any, tuple[Any, ...]]] = [
        (penalty != 1.0, p.RepetitionPenaltyLogitsProcessor, (penalty,)),
        (size > 0, p.NoRepeatNGramLogitsProcessor, (size,)),
        (ngram > 0, p.EncoderNoRepeatNGramLogitsProcessor, (ngram, read)),
        (bool(words), p.NoBadWordsLogitsProcessor, (words, options.ends)),
        (bool(options.ends), p.MinLengthLogitsProcessor, (options.min_length, options.ends)),
        (allowed is not None, p.PrefixConstrainedLogitsProcessor, (allowed, options.num_beams)),
        (first is not None, p.ForcedBOSTokenLogitsProcessor, (first,)),
        (last is not None, p.ForcedEOSTokenLogitsProcessor, (options.max_length, last)),
        ("remove_invalid_values" in asked, p.InfNanRemoveLogitsProcessor, ()),
    ]
    return p.LogitsProcessorList(kind(*arguments) for is_on, kind, arguments in rules if is_on)


def warpers_of(options: SearchOptions) -> p.LogitsProcessorList:
    """The warpers that the options mean."""
    least = 1 if options.num_beams == 1 else max(1, len(options.ends)) + 1
    rules: list[tuple[bool, Any, tuple[Any, ...]]] = [
        (options.temperature != 1.0, p.TemperatureLogitsWarper, (options.temperature,)),
        (options.top_k > 0, p.TopKLogitsWarper, (options.top_k, -torch.inf, least)),
        (options.top_p < 1.0, p.TopPLogitsWarper, (options.top_p, -torch.inf, least)),
    ]
    return p.LogitsProcessorList(kind(*arguments) for is_on, kind, arguments in rules if is_on)
