"""Beam search: keep the few likeliest texts so far and extend them all.

    score of a text = Σ log p(word | words before)
    a finished text competes with  score / length^length_penalty

At every step each of the `num_beams` texts is extended by every word; the best 2 · num_beams extensions are looked at,
so that there are num_beams ways on even if as many end here. Source: Graves 2012, §3; Wu et al. 2016, §7.
Reference: `beam_search`, `beam_sample`, `BeamSearchScorer` and `BeamHypotheses`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .next_word import NextWord
from .options import GenerationOptions


class FinishedTexts:
    """The best `num_beams` texts that have ended, of one prompt."""

    def __init__(self, options: GenerationOptions):
        self.options = options
        self.texts: list[tuple[float, Tensor]] = []  # (score / length^penalty, ids without the end token)
        self.done = False

    def add(self, ids: Tensor, score: float) -> None:
        """Take in a finished text if it is among the best so far."""
        penalized = score / ids.size(0) ** self.options.length_penalty
        if len(self.texts) < self.options.num_beams:
            self.texts.append((penalized, ids))
        elif penalized > self.worst():
            # Of equal scores the earlier text goes, as in the reference.
            self.texts.append((penalized, ids))
            del self.texts[min(range(len(self.texts)), key=lambda i: self.texts[i][0])]

    def worst(self) -> float:
        """The lowest penalized score kept."""
        return min(score for score, _ in self.texts)

    def settle(self, best_open_score: float, length: int) -> None:
        """Decide whether no open text can still do better: there are enough, and the best open one is worse."""
        if len(self.texts) == self.options.num_beams and not self.done:
            attainable = best_open_score / length**self.options.length_penalty
            self.done = self.options.early_stopping or self.worst() >= attainable

    def best(self, number: int) -> list[Tensor]:
        """The best texts, the very best first."""
        ordered = sorted(self.texts, key=lambda text: text[0])
        return [ids for _, ids in reversed(ordered[len(ordered) - number :])]


def beam_search(next_word: NextWord, input_ids: Tensor, options: GenerationOptions, kept: int) -> Tensor:
    """The `kept` best texts of every prompt, best first: (prompts · kept, at most max_length), padded.

    input_ids: (prompts · num_beams, prompt), every prompt num_beams times.
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
        best_scores, places = best_extensions(words, prompts, options)  # (prompts, 2 · beams)
        rows, tokens, scores = split_extensions(input_ids, best_scores, places, words.size(1), finished, options)
        input_ids = torch.cat([input_ids[rows], tokens[:, None]], dim=1)
        next_word.reorder(rows)

    for i, prompt in enumerate(finished):
        if not prompt.done:
            for beam in range(beams):
                prompt.add(input_ids[i * beams + beam], float(scores[i, beam]))
    return padded([text for prompt in finished for text in prompt.best(kept)], options)


def best_extensions(words: Tensor, prompts: int, options: GenerationOptions) -> tuple[Tensor, Tensor]:
    """The best 2 · beams of all beams' extensions, or as many drawn at random: scores and places in (beams · vocab)."""
    number = 2 * options.num_beams
    if not options.do_sample:
        return torch.topk(words.view(prompts, -1), number, dim=1)
    words = options.warp(words).view(prompts, -1)
    places = torch.multinomial(words.softmax(dim=-1), num_samples=number, generator=options.generator)
    scores, order = torch.sort(words.gather(1, places), descending=True, dim=1)
    return scores, places.gather(1, order)


def split_extensions(
    input_ids: Tensor,
    best_scores: Tensor,
    places: Tensor,
    vocab_size: int,
    finished: list[FinishedTexts],
    options: GenerationOptions,
) -> tuple[Tensor, Tensor, Tensor]:
    """Put extensions that end among the finished texts; the best of the others are the next beams.

    Returns their rows in `input_ids` and their words, (prompts · beams,) each, and their scores, (prompts, beams).
    """
    beams = options.num_beams
    rows, tokens, scores = [], [], []
    for i, prompt in enumerate(finished):
        if prompt.done:
            assert options.pad_token_id is not None
            rows += [0] * beams
            tokens += [options.pad_token_id] * beams
            scores.append([0.0] * beams)
            continue
        open_texts: list[tuple[int, int, float]] = []
        extensions = zip(best_scores[i].tolist(), places[i].tolist(), strict=True)
        for rank, (score, place) in enumerate(extensions):
            row, token = i * beams + place // vocab_size, place % vocab_size
            if token != options.eos_token_id:
                open_texts.append((row, token, score))
            elif rank < beams:  # an ending that is not among the best does not count
                prompt.add(input_ids[row], score)
            if len(open_texts) == beams:
                break
        rows += [row for row, _, _ in open_texts]
        tokens += [token for _, token, _ in open_texts]
        scores.append([score for _, _, score in open_texts])
        prompt.settle(float(best_scores[i].max()), input_ids.size(1))
    device = input_ids.device
    return (
        torch.tensor(rows, device=device),
        torch.tensor(tokens, device=device),
        torch.tensor(scores, dtype=best_scores.dtype, device=device),
    )


def padded(texts: list[Tensor], options: GenerationOptions) -> Tensor:
    """Texts of different lengths as rows: the end token after each that has room for it, then padding."""
    lengths = [text.size(0) for text in texts]
    width = min(max(lengths) + 1, options.max_length)
    rows = texts[0].new_full((len(texts), width), options.pad_token_id or 0)
    for row, text in zip(rows, texts, strict=True):
        row[: text.size(0)] = text
        if text.size(0) < options.max_length:
            assert options.eos_token_id is not None  # a text shorter than max_length has ended
            row[text.size(0)] = options.eos_token_id
    return rows
