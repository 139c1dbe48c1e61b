"""When the searches of `searches.py` stop. Reference: `transformers.generation_stopping_criteria`."""

# ruff: noqa: ARG002 all are called alike, whatever they need
import copy
import time
import warnings
from typing import Any

from torch import Tensor


class StoppingCriteria:
    """Base: called with ids (rows, length) and the scores collected so far, it returns True for the search to stop."""

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
        """Whether to stop. Raises NotImplementedError."""
        raise NotImplementedError(f"{type(self).__name__} needs a __call__(input_ids, scores) of its own.")


class MaxLengthCriteria(StoppingCriteria):
    """Stop at `max_length` tokens, prompt included."""

    def __init__(self, max_length: int):
        self.max_length = max_length

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
        return input_ids.size(-1) >= self.max_length


class MaxNewTokensCriteria(MaxLengthCriteria):
    """Stop at `max_new_tokens` tokens behind a prompt of `start_length`."""

    def __init__(self, start_length: int, max_new_tokens: int):
        super().__init__(start_length + max_new_tokens)
        self.start_length, self.max_new_tokens = start_length, max_new_tokens


class MaxTimeCriteria(StoppingCriteria):
    """Stop after `max_time` seconds, counted from now or from `initial_timestamp`, a `time.time()`."""

    def __init__(self, max_time: float, initial_timestamp: float | None = None):
        self.max_time = max_time
        self.initial_timestamp = time.time() if initial_timestamp is None else initial_timestamp

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
        return time.time() - self.initial_timestamp > self.max_time


class StoppingCriteriaList(list[Any]):
    """Stop as soon as one criterion says so."""

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
        return any(criterion(input_ids, scores) for criterion in self)

    @property
    def max_length(self) -> int | None:
        """The length that the first criterion of length names."""
        return next((criterion.max_length for criterion in self if isinstance(criterion, MaxLengthCriteria)), None)


def validate_stopping_criteria(stopping_criteria: StoppingCriteriaList, max_length: int) -> StoppingCriteriaList:
    """A copy with a criterion for `max_length`, unless there is one; a warning where that names another length."""
    criteria, own = copy.deepcopy(stopping_criteria), stopping_criteria.max_length
    if own is None:
        criteria.append(MaxLengthCriteria(max_length))
    elif own != max_length:
        warnings.warn(
            f"The stopping criteria say {own} tokens, max_length says {max_length}: {own} counts.", stacklevel=2
        )
    return criteria
