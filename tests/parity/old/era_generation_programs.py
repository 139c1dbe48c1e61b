"""The era's own objects of generation, as programs for both libraries: searches, processors, criteria, what they return.

Every name is looked up at the top of the library, or in the module of the era that had it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import encoder_decoder_programs
import generation_programs
import torch
from programs import TINY, Program, build
from torch import Tensor

MODULES = ("generation_utils", "generation_logits_process", "generation_stopping_criteria", "generation_beam_search")
WORDS = TINY["vocab_size"]
END = 24
RETURNED = {
    "return_dict_in_generate": True,
    "output_scores": True,
    "output_attentions": True,
    "output_hidden_states": True,
}


def find(library: Any, name: str) -> Any:
    """A name of the library, from its top or from the era's module."""
    if hasattr(library, name):
        return getattr(library, name)
    modules = (import_module(f"{library.__name__}.{module}") for module in MODULES)
    return next(getattr(module, name) for module in modules if hasattr(module, name))


def decoder(library: Any, **config: Any) -> Any:
    return build(library, "BertLMHeadModel", is_decoder=True, initializer_range=0.4, **config).eval()


def tensors(value: Any, name: str = "") -> dict[str, Any]:
    """Every tensor of an output by its path, and the class of the output; empty fields are left out."""
    if isinstance(value, Tensor):
        return {name or "ids": value}
    if isinstance(value, (tuple, list)):
        return {key: t for i, item in enumerate(value) for key, t in tensors(item, f"{name}.{i}").items()}
    found = {key: t for field in value for key, t in tensors(value[field], field).items()}
    return {"class": type(value).__name__, "fields": list(value), **found}


# ------------------------------------------------------------------------------------------------------------- generate

SEARCHES: dict[str, dict[str, Any]] = {
    "greedy": {},
    "sampling": {"do_sample": True, "num_return_sequences": 2, "temperature": 0.7, "top_p": 0.9},
    "beams": {"num_beams": 3, "num_return_sequences": 2},
    "beams, drawn": {"num_beams": 3, "num_return_sequences": 2, "do_sample": True, "top_k": 20},
}
RULES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "an end": {"eos_token_id": END},
    "all rules": {
        "eos_token_id": END,
        "min_length": 8,
        "repetition_penalty": 1.3,
        "no_repeat_ngram_size": 2,
        "bad_words_ids": [[5], [17, 20]],
    },
    "a forced end": {"forced_eos_token_id": 7},
    "invalid values removed": {"remove_invalid_values": True},
    "even words only": {"prefix_allowed_tokens_fn": lambda prompt, _: list(range(2 * (prompt % 2), WORDS, 2))},
    "much time": {"max_time": 1000.0},
}
ERA_RULES = {k: v for k, v in RULES.items() if k not in ("nothing", "an end", "all rules")}


def quiet(call: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(9)
        return call()


def generate(search: str, rule: str, padding: str, returned: bool) -> Program:
    def program(library: Any) -> dict[str, Tensor]:
        options = {"max_length": 14, **SEARCHES[search], **RULES[rule], **(RETURNED if returned else {})}
        prompts = generation_programs.prompts(padding)
        return tensors(quiet(lambda: decoder(library).generate(**prompts, **options)))

    return program


def generate_by_pair(search: str, rule: str) -> Program:
    def program(library: Any) -> dict[str, Tensor]:
        model = encoder_decoder_programs.build(library, initializer_range=0.4).eval()
        options = {"max_length": 10, "encoder_no_repeat_ngram_size": 1, **SEARCHES[search], **RULES[rule], **RETURNED}
        return tensors(quiet(lambda: model.generate(**generation_programs.prompts("right"), **options)))

    return program


def asked_by_config(field: str, value: Any) -> Program:
    def program(library: Any) -> dict[str, Tensor]:
        model = decoder(library)
        setattr(model.config, field, value)
        return tensors(quiet(lambda: model.generate(**generation_programs.prompts("none"), max_length=9)))

    return program


def pair_from_start_token(options: dict[str, Any]) -> Program:
    """A pair without a text to read: the encoder reads the config's first token."""

    def program(library: Any) -> dict[str, Tensor]:
        model = encoder_decoder_programs.build(library, initializer_range=0.4).eval()
        model.config.bos_token_id = 11
        return tensors(quiet(lambda: model.generate(**options)))

    return program


# ------------------------------------------------------------------------------------------------------------- searches


def lists(library: Any, *names_and_arguments: tuple[Any, ...]) -> Any:
    made = [find(library, name)(*arguments) for name, *arguments in names_and_arguments]
    return find(library, "LogitsProcessorList")(made)


def processors(library: Any) -> Any:
    return lists(
        library,
        ("MinLengthLogitsProcessor", 8, END),
        ("RepetitionPenaltyLogitsProcessor", 1.2),
        ("NoRepeatNGramLogitsProcessor", 2),
        ("NoBadWordsLogitsProcessor", [[5], [17, 20]], END),
    )


def warpers(library: Any) -> Any:
    return lists(library, ("TemperatureLogitsWarper", 1.4), ("TopKLogitsWarper", 30), ("TopPLogitsWarper", 0.95))


def searched(method: str, returned: bool, by_pair: bool, criteria: str) -> Program:
    """A search called by its own name, on a decoder or on a pair."""

    def program(library: Any) -> dict[str, Tensor]:
        prompts = generation_programs.prompts("left")
        beams = 3 if "beam" in method else 1
        given: dict[str, Any] = {"logits_processor": processors(library), "eos_token_id": END, "pad_token_id": 0}
        if criteria == "a length":
            given["max_length"] = 12
        else:
            names = {"MaxLengthCriteria": {"max_length": 12}, "MaxTimeCriteria": {"max_time": 1000.0}}
            stop = [find(library, name)(**arguments) for name, arguments in names.items()]
            given["stopping_criteria"] = find(library, "StoppingCriteriaList")(stop)
        if "sample" in method:
            given["logits_warper"] = warpers(library)
        if beams > 1:
            keep = 2 if method == "beam_search" else 1
            device = torch.device("cpu")
            given["beam_scorer"] = find(library, "BeamSearchScorer")(
                batch_size=3, num_beams=beams, device=device, length_penalty=1.5, num_beam_hyps_to_keep=keep
            )
        mask = prompts["attention_mask"].repeat_interleave(beams, dim=0)
        ids = prompts["input_ids"].repeat_interleave(beams, dim=0)
        if by_pair:
            model = encoder_decoder_programs.build(library, initializer_range=0.4).eval()
            encoder = model.get_encoder()(
                ids, attention_mask=mask, return_dict=True, output_attentions=True, output_hidden_states=True
            )
            given |= {"encoder_outputs": encoder, "attention_mask": mask}
            ids = torch.full((len(ids), 1), 2)
        else:
            model = decoder(library)
            given["attention_mask"] = mask

        def run() -> Any:
            with torch.no_grad():
                return getattr(model, method)(ids, **given, **(RETURNED if returned else {}))

        return tensors(quiet(run))

    return program


def with_gradient(library: Any) -> dict[str, Tensor]:
    """A search itself keeps the graph: the scores that it returns can be trained."""
    model = decoder(library)
    ids = generation_programs.prompts("none")["input_ids"]
    options = {"max_length": 8, "output_scores": True, "return_dict_in_generate": True}
    output = quiet(lambda: model.greedy_search(ids, **options))
    torch.stack(output.scores).logsumexp(-1).sum().backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


# ---------------------------------------------------------------------------------------------------- the objects alone

PROCESSORS: dict[str, tuple[Any, ...]] = {
    "MinLengthLogitsProcessor": (9, 3),
    "TemperatureLogitsWarper": (0.3,),
    "RepetitionPenaltyLogitsProcessor": (1.7,),
    "TopPLogitsWarper": (0.7,),
    "TopKLogitsWarper": (4,),
    "NoRepeatNGramLogitsProcessor": (2,),
    "NoBadWordsLogitsProcessor": ([[5], [3], [1, 2], [4, 1, 3]], 3),
    "ForcedBOSTokenLogitsProcessor": (4,),
    "ForcedEOSTokenLogitsProcessor": (8, 4),
    "InfNanRemoveLogitsProcessor": (),
}
MORE_PROCESSORS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "top p, another value": ("TopPLogitsWarper", (0.5, -7.0, 3)),
    "top p of 1": ("TopPLogitsWarper", (1.0,)),
    "top p of 0": ("TopPLogitsWarper", (0.0,)),
    "top k, another value": ("TopKLogitsWarper", (2, -7.0, 5)),
    "top k of all": ("TopKLogitsWarper", (99,)),
    "runs of one": ("NoRepeatNGramLogitsProcessor", (1,)),
    "runs of three": ("NoRepeatNGramLogitsProcessor", (3,)),
    "what the encoder read": ("EncoderNoRepeatNGramLogitsProcessor", (2, torch.tensor([[1, 2, 3, 1], [4, 1, 4, 4]]))),
    "what one encoder read": ("EncoderNoRepeatNGramLogitsProcessor", (1, torch.tensor([1, 2, 3]))),
    "allowed": ("PrefixConstrainedLogitsProcessor", (lambda i, ids: [i, int(ids[-1])], 2)),
}


def processed(name: str, arguments: tuple[Any, ...], length: int) -> Program:
    """What comes back, and what became of the scores that were given: some processors change them in place."""

    def program(library: Any) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(length)
        ids = torch.randint(0, 6, (4, length), generator=generator)
        scores = torch.randn(4, 10, generator=generator) * 3
        scores[1, 2], scores[2, 5] = float("inf"), float("nan")
        returned = find(library, name)(*arguments)(ids, scores)
        return {"returned": returned.nan_to_num(nan=-12345.0), "given": scores.nan_to_num(nan=-12345.0)}

    return program


def diversity(library: Any) -> dict[str, Tensor]:
    processor = find(library, "HammingDiversityLogitsProcessor")(0.5, num_beams=4, num_beam_groups=2)
    results = {}
    for group in (0, 1):
        scores = torch.randn(4, 8, generator=torch.Generator().manual_seed(group))
        current = torch.tensor([1, 5, 0, 0, 6, 6, 0, 0])
        results[str(group)] = processor(torch.zeros(4, 1).long(), scores, current_tokens=current, beam_group_idx=group)
    return results


def filtered(options: dict[str, Any]) -> Program:
    def program(library: Any) -> dict[str, Tensor]:
        logits = torch.randn(3, 20, generator=torch.Generator().manual_seed(4)) * 2
        return {"logits": library.top_k_top_p_filtering(logits, **options)}

    return program


def refused(name: str, *arguments: Any) -> Program:
    """The type of the error of a call that neither library takes."""

    def program(library: Any) -> dict[str, Any]:
        try:
            find(library, name)(*arguments)
        except Exception as error:
            return {"error": type(error).__name__}
        return {"error": None}

    return program


def scored(ends: bool) -> Program:
    """One step and the end of a beam search, by the scorer alone."""

    def program(library: Any) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(5)
        scorer = find(library, "BeamSearchScorer")(
            batch_size=3, num_beams=2, device=torch.device("cpu"), num_beam_hyps_to_keep=2, length_penalty=0.7
        )
        ids = torch.randint(3, 9, (6, 5), generator=generator)
        scores = -torch.rand(3, 4, generator=generator).sort().values
        tokens = torch.randint(3, 9, (3, 4), generator=generator)
        if ends:
            tokens[0, 0] = tokens[1, 1] = tokens[2, 3] = 2
        indices = torch.randint(0, 2, (3, 4), generator=generator)
        step = scorer.process(ids, scores, tokens, indices, pad_token_id=0, eos_token_id=2)
        ids = torch.cat([ids[step["next_beam_indices"]], step["next_beam_tokens"][:, None]], dim=1)
        end = scorer.finalize(
            ids, step["next_beam_scores"], tokens, indices, max_length=8, pad_token_id=0, eos_token_id=2
        )
        return {**step, **end, "done": bool(scorer.is_done)}

    return program


def hypotheses(library: Any) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for early in (False, True):
        kept = find(library, "BeamHypotheses")(num_beams=3, length_penalty=2.0, early_stopping=early)
        for i, score in enumerate((-3.0, -1.0, -7.0, -1.5, -1.5, -0.5)):
            kept.add(torch.full((3 + i,), i), score)
            worst = kept.worst_score
            results[f"{early} {i}"] = (len(kept), worst, kept.is_done(-4.0, 5), kept.is_done(-0.1, 5))
    return results


def criteria(library: Any) -> dict[str, Any]:
    results: dict[str, Any] = {}
    scores = torch.ones(2, 9)
    made = find(library, "StoppingCriteriaList")(
        [find(library, "MaxTimeCriteria")(max_time=1000.0), find(library, "MaxLengthCriteria")(max_length=7)]
    )
    late = find(library, "MaxTimeCriteria")(max_time=1.0, initial_timestamp=0.0)
    new = quiet(lambda: find(library, "MaxNewTokensCriteria")(start_length=4, max_new_tokens=2))
    for length in (5, 6, 7, 8):
        ids = torch.ones(2, length).long()
        results[str(length)] = [bool(c(ids, scores)) for c in (made, late, new)]
    results["lengths"] = [made.max_length, new.max_length, find(library, "StoppingCriteriaList")([late]).max_length]
    validate = find(library, "validate_stopping_criteria")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [validate(made, 7).max_length, validate(made, 9).max_length]
        empty = validate(find(library, "StoppingCriteriaList")(), 11)
    results["validated"] = [*found, len(empty), empty.max_length, [w.category.__name__ for w in caught]]
    return results


def all_programs() -> dict[str, Program]:
    """Every program by name."""
    programs: dict[str, Program] = {}
    for search in SEARCHES:
        for rule in RULES:
            for padding in ("none", "left"):
                programs[f"era: generate, {search}, {rule}, padding {padding}"] = generate(search, rule, padding, True)
            programs[f"era: generate by a pair, {search}, {rule}"] = generate_by_pair(search, rule)
        for rule in ERA_RULES:
            programs[f"era: generate ids, {search}, {rule}"] = generate(search, rule, "none", False)
    config = {"forced_eos_token_id": 7, "remove_invalid_values": True, "return_dict_in_generate": True}
    for field, value in config.items():
        programs[f"era: generate, config.{field}"] = asked_by_config(field, value)
    starts: dict[str, dict[str, Any]] = {
        "new tokens": {"max_new_tokens": 6},
        "a length": {"max_length": 7},
        "beams": {"max_new_tokens": 6, "num_beams": 3},
        "a beginning": {"decoder_input_ids": torch.tensor([[2, 9, 8]]), "max_length": 9},
        "another token": {"bos_token_id": 12, "max_length": 7},
        "an output": {"max_length": 7, **RETURNED},
    }
    for name, options in starts.items():
        programs[f"era: a pair from nothing, {name}"] = pair_from_start_token(options)
    for method in ("greedy_search", "sample", "beam_search", "beam_sample"):
        for returned in (False, True):
            for by_pair in (False, True):
                for stop in ("a length", "criteria"):
                    name = f"era: {method}, {'pair' if by_pair else 'decoder'}, {'dict' if returned else 'ids'}, {stop}"
                    programs[name] = searched(method, returned, by_pair, stop)
    programs["era: greedy_search with a gradient"] = with_gradient
    for length in (1, 3, 7, 12):
        for name, arguments in PROCESSORS.items():
            programs[f"era: {name}, {length} tokens"] = processed(name, arguments, length)
        for title, (name, arguments) in MORE_PROCESSORS.items():
            programs[f"era: {title}, {length} tokens"] = processed(name, arguments, length)
    programs["era: HammingDiversityLogitsProcessor"] = diversity
    filters: list[dict[str, Any]] = [
        {},
        {"top_k": 3},
        {"top_p": 0.6},
        {"top_k": 5, "top_p": 0.6},
        {"top_k": 2, "min_tokens_to_keep": 4},
        {"top_k": 3, "filter_value": -5.0},
        {"top_p": 0.0},
        {"top_p": 2.0},
        {"top_p": 0.5, "filter_value": -5.0},
    ]
    for options in filters:
        programs[f"era: top_k_top_p_filtering({options})"] = filtered(options)
    errors: list[tuple[Any, ...]] = [
        ("MinLengthLogitsProcessor", -1, 3),
        ("MinLengthLogitsProcessor", 2, -3),
        ("TemperatureLogitsWarper", 0.0),
        ("TemperatureLogitsWarper", "a"),
        ("RepetitionPenaltyLogitsProcessor", -1.0),
        ("TopPLogitsWarper", 1.5),
        ("TopKLogitsWarper", 0),
        ("NoRepeatNGramLogitsProcessor", 0),
        ("NoBadWordsLogitsProcessor", [], 3),
        ("NoBadWordsLogitsProcessor", [3], 3),
        ("NoBadWordsLogitsProcessor", [[-3]], 3),
        ("HammingDiversityLogitsProcessor", 0.0, 4, 2),
        ("HammingDiversityLogitsProcessor", 0.5, 1, 2),
        ("HammingDiversityLogitsProcessor", 0.5, 4, 1),
        ("HammingDiversityLogitsProcessor", 0.5, 2, 4),
        ("BeamSearchScorer", 2, 1, torch.device("cpu")),
    ]
    for name, *arguments in errors:
        programs[f"era: {name} refuses {arguments}"] = refused(name, *arguments)
    for ends in (False, True):
        programs[f"era: BeamSearchScorer, {'some' if ends else 'no'} ends"] = scored(ends)
    programs["era: BeamHypotheses"] = hypotheses
    programs["era: StoppingCriteria"] = criteria
    return programs
