"""Search: from the scores of the next word to a whole text.

    greedy search:  word = argmax scores
    sampling:       word ~ softmax(scores / T), among the top k and the top p
    beam search:    keep the num_beams texts of the highest Σ log p(word | words before) and extend them all;
                    a finished text competes with that sum / length^length_penalty

At every step of a beam search the best 2 · num_beams extensions are examined, so that num_beams texts can go on even if
as many end. Source: Graves 2012, §3; Wu et al. 2016, §7; Holtzman et al. 2020, §2. Reference: `greedy_search`,
`sample`, `beam_search`, `beam_sample`, `BeamSearchScorer` and `BeamHypotheses`.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..outputs import PastKeyValues
from .scores import ScoreRules, check_words_left

PROMPT_BLOCK = 256  # words of a prompt that one forward reads


@dataclass(frozen=True, kw_only=True)
class SearchOptions(ScoreRules):
    """Every option of a search. max_length counts the prompt; pad_token_id fills the rows of texts that have ended."""

    max_length: int
    do_sample: bool
    num_beams: int
    num_return_sequences: int
    length_penalty: float
    early_stopping: bool
    pad_token_id: int
    generator: torch.Generator | None = None


class NextWord:
    """The model as a function: ids so far → scores of the next word. With a cache, a call reads only the newest word.

    model: a `BertLMHeadModel`. attention_mask: (rows, prompt). encoder: what cross-attention reads, by argument's name.
    """

    positions_from_mask = False  # or counted from 0 on, padding included

    def __init__(self, model: Any, *, attention_mask: Tensor, encoder: dict[str, Tensor], use_cache: bool):
        self.model = model
        self.attention_mask = attention_mask
        self.encoder = encoder
        self.use_cache = use_cache
        self.past: PastKeyValues | None = None
        # Of the prompt too only the last word's scores are needed; a student's own forward may not know how to say so.
        own = "logits_to_keep" not in inspect.signature(model.forward).parameters
        self.keep = {} if own else {"logits_to_keep": 1}
        # So may its own `prepare_inputs_for_generation` add to what each forward reads: then the prompt stays in one piece.
        self.in_blocks = not own and model.prepare_inputs_for_generation.__module__.startswith("minibert.")

    def __call__(self, input_ids: Tensor) -> Tensor:
        """(rows, length) ids so far → (rows, vocab) scores."""
        read, length = 0, input_ids.size(1)
        if self.past is None and self.use_cache and self.in_blocks:
            # In one piece, attention would score every pair of words, and the causal mask would hide half of them.
            for block in input_ids.split(PROMPT_BLOCK, dim=1)[:-1]:
                read += block.size(1)
                inputs = {"attention_mask": self.attention_mask[:, :read], "past_key_values": self.past, **self.encoder}
                inputs |= self.positions(read - block.size(1), read)
                self.past = self.model(block, **inputs, **self.keep, use_cache=True, return_dict=True).past_key_values
        inputs = self.model.prepare_inputs_for_generation(input_ids, past=self.past, attention_mask=self.attention_mask)
        if read > 0:
            inputs["input_ids"] = input_ids[:, read:]
        inputs |= self.positions(length - inputs["input_ids"].size(1), length)
        outputs = self.model(**inputs, **self.encoder, **self.keep, use_cache=self.use_cache, return_dict=True)
        self.past = outputs.past_key_values
        # The word that will be chosen is text, whatever it is.
        ones = self.attention_mask.new_ones(self.attention_mask.size(0), 1)
        self.attention_mask = torch.cat([self.attention_mask, ones], dim=1)
        return outputs.logits[:, -1, :]

    def positions(self, start: int, end: int) -> dict[str, Tensor]:
        """The words' positions where they are counted from the mask, as today's library counts them: padding has none."""
        if not self.positions_from_mask:
            return {}
        counted = self.attention_mask[:, :end].long().cumsum(dim=1)[:, start:] - 1  # (rows, end − start)
        return {"position_ids": counted.clamp(min=0)}

    def said(self, input_ids: Tensor) -> Tensor:
        """The ids so far, −1 for a prompt's padding where that has no positions: the rules for scores must not take it for words."""
        if not self.positions_from_mask:
            return input_ids
        padding = self.attention_mask[:, : input_ids.size(1)] == 0
        return input_ids.masked_fill(F.pad(padding, (0, input_ids.size(1) - padding.size(1))), -1)

    def padding(self, beams: int) -> list[int]:
        """Of each prompt, which `beams` rows read, how many tokens are no words; 0 where padding counts as words do."""
        return ((self.attention_mask[::beams] == 0).sum(dim=1) * self.positions_from_mask).tolist()

    def reorder(self, rows: Tensor) -> None:
        """Continue from these rows: beams that live on, and beams that are copied."""
        if self.past is not None:
            self.past = self.model._reorder_cache(self.past, rows)


def token_by_token(
    next_word: NextWord, input_ids: Tensor, options: SearchOptions, on_tokens: Callable[[Tensor], None] | None = None
) -> Tensor:
    """Greedy search or sampling, until every row has ended or is full: (rows, prompt) → (rows, at most max_length).

    A text that has its end token is padded until all have. on_tokens: called with each step's words, (rows,).
    """
    unfinished = torch.ones(input_ids.size(0), dtype=torch.bool, device=input_ids.device)
    while input_ids.size(1) < options.max_length and bool(unfinished.any()):
        scores = options.process(next_word.said(input_ids), next_word(input_ids))
        scores = options.warp(scores) if options.do_sample else scores
        check_words_left(scores.amax(dim=-1).masked_fill(~unfinished, 0.0), input_ids.size(1), options.at_work)
        if options.do_sample:
            probabilities = scores.softmax(dim=-1).masked_fill(~unfinished[:, None], 1.0)  # an ended text's is not used
            tokens = torch.multinomial(probabilities, num_samples=1, generator=options.generator).squeeze(1)
        else:
            tokens = scores.argmax(dim=-1)  # (rows,)
        if options.ends:
            tokens = tokens.masked_fill(~unfinished, options.pad_token_id)
            unfinished = unfinished & ~torch.isin(tokens, tokens.new_tensor(options.ends))
        input_ids = torch.cat([input_ids, tokens[:, None]], dim=1)
        if on_tokens is not None:
            on_tokens(tokens)
    return input_ids


def beam_search(next_word: NextWord, input_ids: Tensor, options: SearchOptions) -> Tensor:
    """The best texts of every prompt, best first: (prompts · num_return_sequences, at most max_length), padded.

    input_ids: (prompts · num_beams, prompt), every prompt num_beams times. When words are drawn, every text asked for
    has a prompt of its own, and the best is kept.
    """
    beams = options.num_beams
    prompts = input_ids.size(0) // beams
    finished = [FinishedTexts(options, padding=number) for number in next_word.padding(beams)]
    scores = torch.zeros(prompts, beams, dtype=torch.float32, device=input_ids.device)
    if not options.do_sample:
        # The copies of a prompt are alike: only the first may be extended, or the beams would stay alike for ever.
        scores[:, 1:] = -1e9

    while input_ids.size(1) < options.max_length and not all(prompt.done for prompt in finished):
        words = next_word(input_ids).log_softmax(dim=-1)  # (prompts · beams, vocab)
        vocab = words.size(1)
        words = end_stuck(
            finished, (options.process(next_word.said(input_ids), words) + scores.view(-1, 1)).view(prompts, -1)
        )
        best_scores, best = best_extensions(words, input_ids.size(1), options)  # (prompts, 2 · beams)
        next_beams: list[tuple[int, int, float]] = []  # of every prompt in turn
        for i, prompt in enumerate(finished):
            extensions = [
                (i * beams + index // vocab, index % vocab, score)
                for index, score in zip(best[i].tolist(), best_scores[i].tolist(), strict=True)
            ]
            next_beams += prompt.split(extensions, input_ids)
        rows, tokens = (input_ids.new_tensor([beam[i] for beam in next_beams]) for i in (0, 1))
        scores = best_scores.new_tensor([score for _, _, score in next_beams]).view(prompts, beams)
        input_ids = torch.cat([input_ids[rows], tokens[:, None]], dim=1)
        next_word.reorder(rows)

    for i, prompt in enumerate(finished):
        if not prompt.done:
            for beam in range(beams):
                prompt.add(input_ids[i * beams + beam], float(scores[i, beam]))
    kept = 1 if options.do_sample else options.num_return_sequences
    fewest = min(len(prompt.texts) for prompt in finished)
    if fewest < kept:
        raise ValueError(f"num_return_sequences is {kept}, but a prompt has {fewest} texts. {options.at_work}")
    return padded([text for prompt in finished for _, text in prompt.texts[-kept:][::-1]], options)


def end_stuck(finished: list["FinishedTexts"], words: Tensor) -> Tensor:
    """Make prompts done of which no beam can go on, but some have ended; their words (prompts, beams · vocab) become 0."""
    for prompt, best in zip(finished, words.amax(dim=1).tolist(), strict=True):
        prompt.done |= best == -torch.inf and len(prompt.texts) > 0
    done = torch.tensor([prompt.done for prompt in finished], device=words.device)
    return words.masked_fill(done[:, None], 0.0) if bool(done.any()) else words


def best_extensions(words: Tensor, length: int, options: SearchOptions) -> tuple[Tensor, Tensor]:
    """The best 2 · beams (with several end tokens, more) of words (prompts, beams · vocab), or as many drawn, and where."""
    at_least = max(1, len(options.ends)) + 1  # should the first way to go on end, there is another
    number = at_least * options.num_beams
    if options.do_sample:
        words = options.warp(words.view(words.size(0) * options.num_beams, -1), at_least).view(words.shape)
    check_words_left(words.amax(dim=1), length, options.at_work)
    if not options.do_sample:
        return torch.topk(words, number, dim=1)
    indices = torch.multinomial(words.softmax(dim=-1), num_samples=number, generator=options.generator)
    scores, order = torch.sort(words.gather(1, indices), descending=True, dim=1)
    return scores, indices.gather(1, order)


class FinishedTexts:
    """The best `num_beams` texts of one prompt that have ended. padding: how many of its tokens are no words."""

    def __init__(self, options: SearchOptions, padding: int = 0):
        self.options, self.padding = options, padding
        self.texts: list[tuple[float, Tensor]] = []  # (score / length^penalty, ids), worst first
        self.done = False

    def split(self, extensions: list[tuple[int, int, float]], input_ids: Tensor) -> list[tuple[int, int, float]]:
        """Keep those extensions that end; return the best `num_beams` others, or padding where the prompt is done.

        extensions: 2 · beams of (row in input_ids, word, score), best first.
        """
        beams, ends = self.options.num_beams, self.options.ends
        if self.done:
            return [(0, self.options.pad_token_id, 0.0)] * beams
        for row, token, score in extensions[:beams]:  # an ending that is not among the best does not count
            if token in ends:
                self.add(input_ids[row], score, end=token)
        next_beams = [extension for extension in extensions if extension[1] not in ends][:beams]
        if len(self.texts) == beams:
            # Is every open text already worse, even the best?
            attainable = extensions[0][2] / (input_ids.size(1) - self.padding) ** self.options.length_penalty
            self.done = self.options.early_stopping or self.texts[0][0] >= attainable
        return next_beams

    def add(self, ids: Tensor, score: float, end: int | None = None) -> None:
        """Keep a text, without its end token, and that token if the text is among the best so far; a forbidden one is not."""
        penalized = score / (ids.size(0) - self.padding) ** self.options.length_penalty
        if score > -torch.inf and (len(self.texts) < self.options.num_beams or penalized > self.texts[0][0]):
            self.texts.append((penalized, ids if end is None else torch.cat([ids, ids.new_tensor([end])])))
            self.texts.sort(key=lambda text: text[0])  # of equal scores the earlier text goes, as in the reference
            del self.texts[: -self.options.num_beams]


def padded(texts: list[Tensor], options: SearchOptions) -> Tensor:
    """Texts of different lengths as rows, padded after their end."""
    rows = texts[0].new_full((len(texts), max(text.size(0) for text in texts)), options.pad_token_id)
    for row, text in zip(rows, texts, strict=True):
        row[: text.size(0)] = text
    return rows
