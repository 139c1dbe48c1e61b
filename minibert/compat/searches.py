"""The four searches of the era as methods of a model: loops over processors and criteria, a forward for each word.

    model.greedy_search   model.sample   model.beam_search   model.beam_sample

Ids, scores and random numbers are 4.12.5's. To read how the searches work, see `generation/search.py`, which is faster.
Reference: `GenerationMixin` of `transformers.generation_utils`.
"""

import warnings
from dataclasses import make_dataclass
from typing import Any

import torch
from torch import Tensor

from ..generation.processors import LogitsProcessorList
from ..generation.scores import check_words_left, end_tokens
from ..generation.search import end_stuck
from ..outputs import ModelOutput
from .beam_scorer import GROUPS, BeamScorer
from .stopping import MaxLengthCriteria, StoppingCriteriaList, validate_stopping_criteria

LISTS = ("logits_processor", "stopping_criteria", "logits_warper")
WHY = "Loosen the processors and warpers. (A temperature divides the scores of beams once more at each word.)"
SETTINGS = ["pad_token_id", "eos_token_id", "output_attentions", "output_hidden_states", "output_scores"]
SETTINGS += ["return_dict_in_generate"]


def output_of_pair(output: Any, encoder_outputs: Any) -> Any:
    """A decoder's output with what the encoder returned beside it, of the same kinds."""
    own = {f"decoder_{name}" if name in OF_DECODER[:2] else name: value for name, value in output.items()}
    read = {f"encoder_{name}": getattr(encoder_outputs, name, None) for name in OF_DECODER[:2] if name in output}
    return globals()[type(output).__name__.replace("DecoderOnly", "EncoderDecoder")](**own, **read)


def output_class(search: str, *fields: str) -> Any:
    """What a search returns with `return_dict_in_generate=True`, by its name, such as "BeamSampleDecoderOnly".

    sequences: (rows, length) ids. scores: for each new word (rows, vocab), as far as processed when the word was chosen;
    sequences_scores: of a beam search, (rows,). Of attentions and vectors, for each new word what the forward returned.
    """
    first = ["sequences", *(["sequences_scores"] if search.startswith("Beam") else []), "scores"]
    shown = {"__module__": __name__, "__doc__": output_class.__doc__, "of_pair": output_of_pair}
    columns = [(field, Any, None) for field in (*first, *fields)]
    return make_dataclass(f"{search}Output", columns, bases=(ModelOutput,), namespace=shown)


OF_DECODER = ["attentions", "hidden_states", "cross_attentions"]
OF_PAIR = [f"{side}_{field}" for side in ("encoder", "decoder") for field in OF_DECODER[:2]]
OF_PAIR.insert(3, "cross_attentions")
GreedySearchDecoderOnlyOutput = output_class("GreedySearchDecoderOnly", *OF_DECODER)
SampleDecoderOnlyOutput = output_class("SampleDecoderOnly", *OF_DECODER)
BeamSearchDecoderOnlyOutput = output_class("BeamSearchDecoderOnly", *OF_DECODER)
BeamSampleDecoderOnlyOutput = output_class("BeamSampleDecoderOnly", *OF_DECODER)
GreedySearchEncoderDecoderOutput = output_class("GreedySearchEncoderDecoder", *OF_PAIR)
SampleEncoderDecoderOutput = output_class("SampleEncoderDecoder", *OF_PAIR)
BeamSearchEncoderDecoderOutput = output_class("BeamSearchEncoderDecoder", *OF_PAIR)
BeamSampleEncoderDecoderOutput = output_class("BeamSampleEncoderDecoder", *OF_PAIR)


def greedy_search(model: Any, input_ids: Tensor, *lists: Any, **asked: Any) -> Any:
    """The likeliest word each time, until every text of input_ids (rows, prompt) has ended or a criterion says stop.

    lists: logits_processor, stopping_criteria (by name or in this order). asked: max_length, synced_gpus; `SETTINGS`, by
    default the config's; what else the model reads, such as attention_mask or encoder_outputs.
    Returns ids, or with `return_dict_in_generate` an output object.
    """
    run = Run(model, lists, asked)
    return run.output("GreedySearch", sequences=token_by_token(run, input_ids))


def sample(model: Any, input_ids: Tensor, *lists: Any, **asked: Any) -> Any:
    """Words drawn by their probability. lists: logits_processor, stopping_criteria, logits_warper. asked: as above."""
    run = Run(model, lists, asked, draws=True)
    return run.output("Sample", sequences=token_by_token(run, input_ids))


def beam_search(model: Any, input_ids: Tensor, beam_scorer: BeamScorer, *lists: Any, **asked: Any) -> Any:
    """The texts of the highest sums of log-probabilities. input_ids: each prompt `num_beams` times. Others as above."""
    run = Run(model, lists, asked)
    return run.output("BeamSearch", **beam_by_beam(run, input_ids, beam_scorer))


def beam_sample(model: Any, input_ids: Tensor, beam_scorer: BeamScorer, *lists: Any, **asked: Any) -> Any:
    """Beam search over extensions that are drawn. Arguments as above."""
    run = Run(model, lists, asked, draws=True)
    return run.output("BeamSample", **beam_by_beam(run, input_ids, beam_scorer))


def group_beam_search(model: Any, *_: Any, **__: Any) -> None:
    """Raises NotImplementedError: not here."""
    raise NotImplementedError(GROUPS)


OF_DECODERS = {each.__name__: each for each in (greedy_search, sample, beam_search, beam_sample, group_beam_search)}


class Run:
    """One run of a search: its settings, and what it collects."""

    def __init__(self, model: Any, lists: tuple[Any, ...], asked: dict[str, Any], *, draws: bool = False):
        self.model, self.pair = model, model.config.is_encoder_decoder
        self.read = {**dict(zip(LISTS, lists, strict=False)), **asked}
        processor, criteria, warper = (self.read.pop(name, None) for name in LISTS)
        found = {name: self.read.pop(name, None) for name in SETTINGS}
        self.setting = {n: getattr(model.config, n) if value is None else value for n, value in found.items()}
        self.pad, self.ends = self.setting["pad_token_id"], end_tokens(self.setting["eos_token_id"])
        if self.ends and self.pad is None:
            raise ValueError("With an eos_token_id there must be a pad_token_id, for the texts that end early.")
        self.process, self.warp = processor or LogitsProcessorList(), warper or LogitsProcessorList()
        self.draws = draws
        self.criteria, max_length = criteria or StoppingCriteriaList(), self.read.pop("max_length", None)
        if max_length is not None:
            self.criteria = validate_stopping_criteria(self.criteria, max_length)
        if self.criteria.max_length is None:
            positions = (model.config.decoder if self.pair else model.config).max_position_embeddings
            if not self.criteria:
                warnings.warn(
                    f"No max_length and no stopping criteria: a text may get {positions} tokens.", stacklevel=3
                )
            self.criteria = StoppingCriteriaList([*self.criteria, MaxLengthCriteria(positions)])
        own = {"synced_gpus": False, "generator": None, "positions_from_mask": False}
        self.synced, self.generator, self.counts_words = (self.read.pop(name, value) for name, value in own.items())
        self.lists: dict[str, list[Any]] = {"scores": [], "attentions": [], "hidden_states": [], "cross_attentions": []}

    def logits(self, input_ids: Tensor, *, waits: bool) -> Tensor:
        """(rows, length) ids so far → (rows, vocab) scores of the next word. waits: a forward for its peers' sake only."""
        inputs = self.model.prepare_inputs_for_generation(input_ids, **self.read)
        for name in ("encoder_hidden_states", "encoder_attention_mask", "use_cache"):
            if self.read.get(name) is not None:
                inputs[name] = self.read[name]
        mask = None if self.pair else self.read.get("attention_mask")
        if self.counts_words and mask is not None:
            counted = (mask.long().cumsum(dim=1) - 1).clamp(min=0)
            inputs["position_ids"] = counted[:, -inputs["input_ids"].size(1) :]
        returned = {name: self.setting[name] for name in ("output_attentions", "output_hidden_states")}
        found = self.model(**inputs, **returned, return_dict=True)
        if not waits:
            self.read["past"] = found.past_key_values
            if mask is not None:
                self.read["attention_mask"] = torch.cat([mask, mask.new_ones(mask.size(0), 1)], dim=1)
            own = {
                name: found.get(f"decoder_{name}" if self.pair else name) for name in ("attentions", "hidden_states")
            }
            for name, value in {**own, "cross_attentions": found.get("cross_attentions")}.items():
                self.collect(name, value)
        return found.logits[:, -1, :]

    def collect(self, name: str, value: Any) -> None:
        """Keep what belongs to a word, if it was asked for."""
        setting = "output_attentions" if name == "cross_attentions" else f"output_{name}"
        if self.setting["return_dict_in_generate"] and self.setting[setting] and value is not None:
            self.lists[name].append(value)

    def is_over(self, finished: bool) -> bool:
        """Whether this search has finished; with `synced_gpus`, whether those of all processes have."""
        if not self.synced:
            return finished
        running = torch.tensor(0.0 if finished else 1.0, device=self.model.device)
        torch.distributed.all_reduce(running)
        return float(running) == 0

    def stops(self, input_ids: Tensor) -> bool:
        """Whether a criterion says so."""
        return bool(self.criteria(input_ids, tuple(self.lists["scores"]) or None))

    def output(self, search: str, sequences: Tensor, sequence_scores: Tensor | None = None) -> Any:
        """The ids, or the output object with what was asked for."""
        if not self.setting["return_dict_in_generate"]:
            return sequences
        fields: dict[str, Any] = {name: tuple(found) for name, found in self.lists.items() if found}
        if sequence_scores is not None and self.setting["output_scores"]:
            fields["sequences_scores"] = sequence_scores
        output = globals()[f"{search}DecoderOnlyOutput"](sequences=sequences, **fields)
        return output.of_pair(self.read["encoder_outputs"]) if self.pair else output


def token_by_token(run: Run, input_ids: Tensor) -> Tensor:
    """Greedy search or sampling: (rows, prompt) → (rows, length)."""
    unfinished, finished = torch.ones(input_ids.size(0), dtype=torch.bool, device=input_ids.device), False
    while not run.is_over(finished):
        scores = run.logits(input_ids, waits=finished)
        if finished:
            continue
        if not run.draws:
            run.collect("scores", scores)  # what processors then change in place shows
            scores = run.process(input_ids, scores)
            best = scores.amax(dim=-1).clamp(max=0)  # a processor may force a word by +∞
            check_words_left(best.masked_fill(~unfinished, 0.0), input_ids.size(1), WHY)
            tokens = scores.argmax(dim=-1)
        else:
            scores = run.warp(input_ids, run.process(input_ids, scores))
            run.collect("scores", scores)
            check_words_left(scores.amax(dim=-1).masked_fill(~unfinished, 0.0), input_ids.size(1), WHY)
            probabilities = scores.softmax(dim=-1).masked_fill(~unfinished[:, None], 1.0)
            tokens = torch.multinomial(probabilities, num_samples=1, generator=run.generator).squeeze(1)
        if run.ends:
            tokens = tokens.masked_fill(~unfinished, run.pad)
            unfinished = unfinished & ~torch.isin(tokens, tokens.new_tensor(run.ends))
        input_ids = torch.cat([input_ids, tokens[:, None]], dim=-1)
        finished = run.stops(input_ids) or not bool(unfinished.any())
    return input_ids


def beam_by_beam(run: Run, input_ids: Tensor, scorer: Any) -> dict[str, Tensor]:
    """Beam search, or over drawn extensions: "sequences" and "sequence_scores"."""
    prompts, beams, finished = len(scorer._beam_hyps), scorer.num_beams, False
    if input_ids.size(0) != prompts * beams:
        raise ValueError(
            f"input_ids has {input_ids.size(0)} rows; {prompts} prompts × {beams} beams are {prompts * beams}."
        )
    special = {"pad_token_id": run.pad, "eos_token_id": run.ends or None}
    number = (max(1, len(run.ends)) + 1) * beams  # so many that `beams` do not end
    scores = torch.zeros(prompts, beams, dtype=torch.float32, device=input_ids.device)
    scores[:, 1:] = 0.0 if run.draws else -1e9  # the copies of a prompt are alike: only one may be extended
    scores = scores.view(-1)
    while not run.is_over(finished):
        logits = run.logits(input_ids, waits=finished)
        if finished:
            continue
        words = run.process(input_ids, logits.log_softmax(dim=-1)) + scores[:, None]
        words = run.warp(input_ids, words) if run.draws else words
        run.collect("scores", words)
        vocab, words = words.size(-1), end_stuck(scorer._beam_hyps, words.view(prompts, -1))
        check_words_left(words.amax(dim=1), input_ids.size(1), WHY)
        if not run.draws:
            best_scores, best = torch.topk(words, number, dim=1)
        else:
            drawn = torch.multinomial(words.softmax(dim=-1), num_samples=number, generator=run.generator)
            best_scores, order = torch.sort(words.gather(1, drawn), descending=True, dim=1)
            best = drawn.gather(1, order)
        chosen = scorer.process(input_ids, best_scores, *(best % vocab, best // vocab), **special)
        scores, rows = chosen["next_beam_scores"], chosen["next_beam_indices"]
        input_ids = torch.cat([input_ids[rows], chosen["next_beam_tokens"][:, None]], dim=-1)
        if run.read["past"] is not None:
            run.read["past"] = run.model._reorder_cache(run.read["past"], rows)
        finished = scorer.is_done or run.stops(input_ids)
    others = (best % vocab, best // vocab)
    return scorer.finalize(input_ids, scores, *others, max_length=run.criteria.max_length, **special)
