"""The optimizer (`adamw.py`), its groups of parameters (`groups.py`), six learning-rate schedules (`schedules.py`)."""

from .adamw import AdamL2, AdamW
from .groups import layerwise_groups, no_decay_groups
from .schedules import (
    TYPE_TO_SCHEDULER_FUNCTION,
    SchedulerType,
    get_constant_schedule,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
    get_scheduler,
)

__all__ = [
    "TYPE_TO_SCHEDULER_FUNCTION",
    "AdamL2",
    "AdamW",
    "SchedulerType",
    "get_constant_schedule",
    "get_constant_schedule_with_warmup",
    "get_cosine_schedule_with_warmup",
    "get_cosine_with_hard_restarts_schedule_with_warmup",
    "get_linear_schedule_with_warmup",
    "get_polynomial_decay_schedule_with_warmup",
    "get_scheduler",
    "layerwise_groups",
    "no_decay_groups",
]
