"""Search: from the scores of the next word to a whole text.

    greedy search:  word = argmax scores
    sampling:       word ~ softmax(scores / T), among the top k and the top p
    beam search:    keep the num_beams texts of the highest Σ log p(word | words before) and extend them all;
                    a finished text competes with that sum / length^length_penalty

At every step of a beam search the best 2 · num_beams extensions are examined, so that num_beams texts can go on even if as many
end. `next_word` is the model as a function: (rows, length) ids so far → (rows, vocab) scores.
Source: Graves 2012, §3; Wu et al. 2016, §7; Holtzman et al. 2020, §2. Reference: `greedy_search`, `sample`, `beam_search`,
`beam_sample`, `BeamSearchScorer` and `BeamHypotheses`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .scores import ScoreRules

NextWord = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class SearchOptions(ScoreRules):
    """Every option of one search. max_length counts the prompt; pad_token_id fills the rows of texts that have ended."""

    max_length: int
    do_sample: bool
    num_beams: int
    num_return_sequences: int
    length_penalty: float
    early_stopping: bool
    pad_token_id: int
    generator: torch.Generator | None = None


def token_by_token(
    next_word: NextWord,
    input_ids: Tensor,
    options: SearchOptions,
    on_tokens: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """Greedy search or sampling, until every row has ended or is full: (rows, prompt) → (rows, at most max_length).

    A text that has its end token is padded until all have. on_tokens: called with each step's words, (rows,).
    """
    unfinished = torch.ones(input_ids.size(0), dtype=torch.bool, device=input_ids.device)
    while input_ids.size(1) < options.max_length and bool(unfinished.any()):
        scores = options.process(input_ids, next_word(input_ids))
        if options.do_sample:
            probabilities = options.warp(scores).softmax(dim=-1)
            tokens = torch.multinomial(probabilities, num_samples=1, generator=options.generator).squeeze(1)
        else:
            tokens = scores.argmax(dim=-1)  # (rows,)
        if options.eos_token_id is not None:
            tokens = tokens.masked_fill(~unfinished, options.pad_token_id)
            unfinished = unfinished & (tokens != options.eos_token_id)
        input_ids = torch.cat([input_ids, tokens[:, None]], dim=1)
        if on_tokens is not None:
            on_tokens(tokens)
    return input_ids


def beam_search(
    next_word: NextWord, input_ids: Tensor, options: SearchOptions, *, kept: int, reorder: Callable[[Tensor], None]
) -> Tensor:
    """The `kept` best texts of every prompt, best first: (prompts · kept, at most max_length), padded.

    input_ids: (prompts · num_beams, prompt), every prompt num_beams times. reorder: called with the rows, (rows,) indices,
    whose texts the next step extends, so that the model's cache follows.
    """
    beams = options.num_beams
    prompts = input_ids.size(0) // beams
    finished = [FinishedTexts(options) for _ in range(prompts)]
    scores = torch.zeros(prompts, beams, device=input_ids.device)
    if not options.do_sample:
        # The copies of a prompt are alike: only the first may be extended, or the beams would stay alike for ever.
        scores[:, 1:] = -1e9

    while input_ids.size(1) < options.max_length and not all(prompt.done for prompt in finished):
        words = next_word(input_ids).log_softmax(dim=-1)  # (prompts · beams, vocab)
        words = options.process(input_ids, words) + scores.view(-1, 1)
        best_scores, best = best_extensions(words, prompts, options)  # (prompts, 2 · beams)
        next_beams: list[tuple[int, int, float]] = []  # of every prompt in turn
        for i, prompt in enumerate(finished):
            extensions = [
                (i * beams + index // words.size(1), index % words.size(1), score)
                for index, score in zip(best[i].tolist(), best_scores[i].tolist(), strict=True)
            ]
            next_beams += prompt.split(extensions, input_ids)
        rows, tokens = (input_ids.new_tensor([beam[i] for beam in next_beams]) for i in (0, 1))
        scores = best_scores.new_tensor([score for _, _, score in next_beams]).view(prompts, beams)
        input_ids = torch.cat([input_ids[rows], tokens[:, None]], dim=1)
        reorder(rows)

    for i, prompt in enumerate(finished):
        if not prompt.done:
            for beam in range(beams):
                prompt.add(input_ids[i * beams + beam], float(scores[i, beam]))
    return padded([text for prompt in finished for text in prompt.best(kept)], options)


def best_extensions(words: Tensor, prompts: int, options: SearchOptions) -> tuple[Tensor, Tensor]:
    """The best 2 · beams of all beams' extensions, or as many drawn at random: scores and indices in (beams · vocab)."""
    number = 2 * options.num_beams
    if not options.do_sample:
        return torch.topk(words.view(prompts, -1), number, dim=1)
    words = options.warp(words, at_least=2).view(prompts, -1)  # a second way to go on, should the first one end
    indices = torch.multinomial(words.softmax(dim=-1), num_samples=number, generator=options.generator)
    scores, order = torch.sort(words.gather(1, indices), descending=True, dim=1)
    return scores, indices.gather(1, order)


class FinishedTexts:
    """The best `num_beams` texts of one prompt that have ended."""

    def __init__(self, options: SearchOptions):
        self.options = options
        self.texts: list[tuple[float, Tensor]] = []  # (score / length^penalty, ids without the end token), worst first
        self.done = False

    def split(self, extensions: list[tuple[int, int, float]], input_ids: Tensor) -> list[tuple[int, int, float]]:
        """Keep those extensions that end; the best others are the next beams.

        extensions: 2 · beams of (row in input_ids, word, score), best first. Returns `num_beams` of them. A prompt
        that is done gets padding.
        """
        beams = self.options.num_beams
        if self.done:
            return [(0, self.options.pad_token_id, 0.0)] * beams
        for row, token, score in extensions[:beams]:  # an ending that is not among the best does not count
            if token == self.options.eos_token_id:
                self.add(input_ids[row], score)
        next_beams = [extension for extension in extensions if extension[1] != self.options.eos_token_id][:beams]
        if len(self.texts) == beams:
            # Is every open text already worse, even the best?
            attainable = extensions[0][2] / input_ids.size(1) ** self.options.length_penalty
            self.done = self.options.early_stopping or self.texts[0][0] >= attainable
        return next_beams

    def add(self, ids: Tensor, score: float) -> None:
        """Keep a finished text if it is among the best so far."""
        penalized = score / ids.size(0) ** self.options.length_penalty
        if len(self.texts) < self.options.num_beams or penalized > self.texts[0][0]:
            self.texts.append((penalized, ids))
            self.texts.sort(key=lambda text: text[0])  # of equal scores the earlier text goes, as in the reference
            del self.texts[: -self.options.num_beams]

    def best(self, number: int) -> list[Tensor]:
        """The best texts, the very best first."""
        return [ids for _, ids in reversed(self.texts[-number:])]


def padded(texts: list[Tensor], options: SearchOptions) -> Tensor:
    """Texts of different lengths as rows: the end token after each that is shorter than max_length, then padding."""
    lengths = [text.size(0) for text in texts]
    width = min(max(lengths) + 1, options.max_length)
    rows = texts[0].new_full((len(texts), width), options.pad_token_id)
    for row, text in zip(rows, texts, strict=True):
        row[: text.size(0)] = text
        if text.size(0) < options.max_length:
            assert options.eos_token_id is not None  # a text shorter than max_length has ended
            row[text.size(0)] = options.eos_token_id
    return rows
