"""Which beams live on, for the searches of `searches.py`: the era's objects, around `FinishedTexts` of `generation/search.py`.

Reference: `transformers.generation_beam_search`.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from ..generation.scores import end_tokens
from ..generation.search import FinishedTexts

GROUPS = "Group beam search is not here (docs/differences.md): leave out num_beam_groups and diversity_penalty."


class BeamHypotheses(FinishedTexts):
    """The best `num_beams` finished texts of one prompt, `beams`: (score / length^length_penalty, ids), worst first."""

    ends: Sequence[int] = ()  # as `BeamSearchScorer.process` is told

    def __init__(self, num_beams: int, length_penalty: float, early_stopping: bool):
        self.num_beams, self.length_penalty, self.early_stopping = num_beams, length_penalty, early_stopping
        super().__init__(cast(Any, self))  # its own options, which may be set at any time
        self.beams = self.texts

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def worst_score(self) -> float:
        """Of the texts kept."""
        return self.texts[0][0] if self.texts else 1e9

    def add(self, hyp: Tensor, sum_logprobs: float, end: int | None = None) -> None:
        """Keep a text if it is among the best so far; with its end token only where there are several, of which it is one."""
        super().add(hyp, sum_logprobs, end if len(self.ends) > 1 else None)

    def is_done(self, best_sum_logprobs: float, cur_len: int) -> bool:
        """Whether there are `num_beams` texts and no open one, of `cur_len` tokens, can be better than the worst."""
        better = best_sum_logprobs / cur_len**self.length_penalty > self.worst_score
        return len(self) == self.num_beams and (self.early_stopping or not better)


class BeamScorer:
    """Base of what a beam search asks at every step, `process`, and at its end, `finalize`: see `BeamSearchScorer`."""


class BeamSearchScorer(BeamScorer):
    """Beam search over `batch_size` prompts.

    settings: do_early_stopping; num_beam_hyps_to_keep, the texts of each prompt that come back; max_length, which is the
    search's business in the era too. Raises ValueError for numbers that do not fit.
    """

    def __init__(
        self, batch_size: int, num_beams: int, device: Any = "cpu", length_penalty: float = 1, **settings: Any
    ):
        kept, early = settings.get("num_beam_hyps_to_keep", 1), settings.get("do_early_stopping", False)
        if settings.get("num_beam_groups", 1) != 1:
            raise NotImplementedError(GROUPS)
        if not isinstance(num_beams, int) or not 1 < num_beams >= kept:
            raise ValueError(f"num_beams is {num_beams}; it must be at least 2, and num_beam_hyps_to_keep ({kept}).")
        self.num_beams, self.num_beam_hyps_to_keep, self.device = num_beams, kept, device
        self._beam_hyps = [BeamHypotheses(num_beams, length_penalty, early) for _ in range(batch_size)]

    @property
    def _done(self) -> Tensor:
        return torch.tensor([finished.done for finished in self._beam_hyps], device=self.device)

    @property
    def is_done(self) -> bool:
        """Whether no prompt can get a better text."""
        return bool(self._done.all())

    def process(self, input_ids: Tensor, next_scores: Tensor, *chosen: Tensor, **special: Any) -> dict[str, Tensor]:
        """Keep the extensions that end, and choose the `num_beams` others that go on: scores, tokens and rows, (rows,).

        input_ids: (prompts · num_beams, length). next_scores and chosen, which are the tokens and the beams that they
        extend: (prompts, 2 · num_beams or more), best first. special: pad_token_id, eos_token_id.
        Raises ValueError where too many end.
        """
        beams, following, (next_tokens, next_indices) = self.num_beams, [], chosen
        if input_ids.size(0) != len(self._beam_hyps) * beams:
            raise ValueError(
                f"input_ids has {len(input_ids)} rows, not {len(self._beam_hyps)} prompts × {beams} beams."
            )
        for i, finished in enumerate(self._beam_hyps):
            known = {"ends": end_tokens(special.get("eos_token_id")), "pad_token_id": special.get("pad_token_id")}
            vars(finished).update(known)
            columns = (i * beams + next_indices[i], next_tokens[i], next_scores[i])
            opened = finished.split(list(zip(*(column.tolist() for column in columns), strict=True)), input_ids)
            if len(opened) < beams or any(token is None for _, token, _ in opened):
                raise ValueError(f"Fewer than {beams} of {next_tokens[i].tolist()} go on, or pad_token_id is missing.")
            following += opened
        rows, tokens, scores = zip(*following, strict=True)
        found = {"next_beam_scores": next_scores.new_tensor(scores), "next_beam_tokens": next_tokens.new_tensor(tokens)}
        return {**found, "next_beam_indices": next_indices.new_tensor(rows)}

    def finalize(self, input_ids: Tensor, final_beam_scores: Tensor, *_: Any, max_length: int, **special: Any) -> Any:
        """The best texts of each prompt, best first, padded after their end: "sequences" and "sequence_scores".

        final_beam_scores: (rows,), of the open texts. special: pad_token_id, eos_token_id.
        """
        for i, finished in enumerate(self._beam_hyps):
            for row in () if finished.done else range(i * self.num_beams, (i + 1) * self.num_beams):
                finished.add(input_ids[row], float(final_beam_scores[row]))
        best = [text for finished in self._beam_hyps for text in finished.texts[-self.num_beam_hyps_to_keep :][::-1]]
        ends, pad = end_tokens(special.get("eos_token_id")), special.get("pad_token_id")
        closed = [len(ends) > 1 and int(ids[-1]) in ends for _score, ids in best]
        lengths = [len(ids) - has_end for (_score, ids), has_end in zip(best, closed, strict=True)]
        if len(best) < len(self._beam_hyps) * self.num_beam_hyps_to_keep or (pad is None and len(set(lengths)) > 1):
            raise ValueError("Fewer texts than num_beam_hyps_to_keep, or of different lengths without a pad_token_id.")
        rows = input_ids.new_full((len(best), min(max(lengths) + bool(ends), max_length)), pad or 0)
        for row, (_score, ids), has_end in zip(rows, best, closed, strict=True):
            row[: len(ids)] = ids
            if not has_end:
                row[len(ids) : len(ids) + 1] = ends[0] if ends else 0  # where there is room
        return {"sequences": rows, "sequence_scores": torch.tensor([text[0] for text in best], device=self.device)}
